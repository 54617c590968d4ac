use super::*;
use crate::plan::PlanError;
use crate::samples::Metric;

fn parse(text: &str) -> Claim {
    text.parse().unwrap_or_else(|error: PlanError| panic!("{error}"))
}

fn metric(name: &str) -> Measure {
    Measure::Metric(name.parse().unwrap())
}

fn below(bound: Bound) -> Relation {
    Relation::Below { bound, strict: false }
}

/// Every kind of claim and its canonical text.
pub(in crate::plan) const CLAIMS: [(&str, &str); 60] = [
    ("wall <= 0.70x before", "wall <= 0.7x before"),
    ("wall<=0.70x before", "wall <= 0.7x before"),
    ("  wall\t<= 70 % of before ", "wall <= 0.7x before"),
    ("wall <= before - 30%", "wall <= 0.7x before"),
    ("wall <= before-30%", "wall <= 0.7x before"),
    ("wall ≤ 0.70 × before", "wall <= 0.7x before"),
    ("wall < before + 2.5%", "wall < 1.025x before"),
    ("cpu < before", "cpu < before"),
    ("cpu < 1x before", "cpu < before"),
    ("wall in 0.90x .. 0.95x before", "wall in 0.9x .. 0.95x before"),
    ("wall in 0.90x before..before", "wall in 0.9x .. before"),
    ("wall in before - 10% .. before + 10%", "wall in 0.9x .. 1.1x before"),
    ("wall in 90% .. 95% of before", "wall in 0.9x .. 0.95x before"),
    ("profile.share(f) in 90% .. 95% of before", "profile.share(f) in 0.9x .. 0.95x before"),
    ("profile.share(f) in 1% .. 2%", "profile.share(f) in 1% .. 2%"),
    ("wall == before +- 1%", "wall == before +- 1%"),
    ("wall == before ± 1 %", "wall == before +- 1%"),
    ("wall == before +/- 1%", "wall == before +- 1%"),
    ("wall == 0.7x before +- 1%", "wall in 0.693x .. 0.707x before"),
    ("wall == 10ns +- 1%", "wall in 9.9ns .. 10.1ns"),
    ("latency.p99 <= before", "latency.p99 <= before"),
    ("latency.p99.9 < 1ms", "latency.p99.9 < 1ms"),
    ("latency.p99 < 1500000 ns", "latency.p99 < 1500us"),
    ("wall < 1.5ns", "wall < 1.5ns"),
    ("wall < 200µs", "wall < 200us"),
    ("wall < 1h30m", "wall < 5400s"),
    ("wall in 10ns .. 50ns", "wall in 10ns .. 50ns"),
    ("throughput >= 4.8x before", "throughput >= 4.8x before"),
    ("throughput > 100k/s", "throughput > 100k/s"),
    ("throughput > 1234.5 k / s", "throughput > 1234500/s"),
    ("instructions == before +- 0.1%", "instructions == before +- 0.1%"),
    ("instructions == before", "instructions == before"),
    ("rss.peak < 2GB", "rss.peak < 2GB"),
    ("rss.peak < 2000 MB", "rss.peak < 2GB"),
    ("binary.text < 3MiB", "binary.text < 3MiB"),
    ("binary.text == 3MiB +- 1%", "binary.text in 3114270.72B .. 3177185.28B"),
    ("build.wall < 90s", "build.wall < 90s"),
    ("alloc.count == 0", "alloc.count == 0"),
    ("alloc.count == 0.5x before", "alloc.count == 0.5x before"),
    ("alloc.count < 12.5", "alloc.count < 12.5"),
    ("alloc.bytes <= 0.5x before", "alloc.bytes <= 0.5x before"),
    ("hit_rate > 70%", "hit_rate > 0.7"),
    ("hit_rate > 0.70", "hit_rate > 0.7"),
    ("observer_action_duration_seconds.p99 < 2s", "observer_action_duration_seconds.p99 < 2"),
    ("cache.size < 64KiB", "cache.size < 65536"),
    ("rows.scanned == before", "rows.scanned == before"),
    ("syscalls(open*, close) <= 0.1x before", "syscalls(open*, close) <= 0.1x before"),
    ("syscalls( open* ,close )<=0.1x before", "syscalls(open*, close) <= 0.1x before"),
    ("syscalls < 10", "syscalls < 10"),
    ("syscalls.openat == 0", "syscalls.openat == 0"),
    ("profile.share(get_subscriber_at) <= 0.20x before", "profile.share(get_subscriber_at) <= 0.2x before"),
    ("profile.share(core::fmt) < 0.1%", "profile.share(core::fmt) < 0.1%"),
    ("profile.self(core::num::*parse*, core::fmt) < 1%", "profile.self(core::num::*parse*, core::fmt) < 1%"),
    ("profile.cpu(run::{{closure}}) <= 0.2x before", "profile.cpu(run::{{closure}}) <= 0.2x before"),
    ("profile.cpu(f) < 2us", "profile.cpu(f) < 2us"),
    ("checksum == before", "checksum == before"),
    ("distribution(call_duration) == before", "distribution(call_duration) == before"),
    ("distribution(call_duration) == before +- 2%", "distribution(call_duration) == before +- 2%"),
    ("hotpath.p95(module::function) < 2ms", "hotpath.p95(module::function) < 2ms"),
    ("hotpath.alloc.bytes(a::b) < 1kB", "hotpath.alloc.bytes(a::b) < 1kB"),
];

#[test]
fn every_kind_of_claim_has_one_canonical_text() {
    for (text, canonical) in CLAIMS {
        let claim = parse(text);
        assert_eq!(claim.to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), claim, "{text}");
        assert!(claim.measure.metric().parse::<Metric>().is_ok(), "{text}");
    }
}

#[test]
fn claims_mean_what_they_say() {
    assert_eq!(parse("wall <= before - 30%"), Claim { measure: metric("wall"), relation: below(Bound::Before(0.7)) });
    assert_eq!(parse("latency.p99 <= 1ms").relation, below(Bound::Absolute(1e6)));
    assert_eq!(parse("rss.peak <= 2GB").relation, below(Bound::Absolute(2e9)));
    assert_eq!(parse("hit_rate <= 70%").relation, below(Bound::Absolute(0.7)));
    assert_eq!(parse("call.duration <= 2ms").relation, below(Bound::Absolute(2e6)));
    assert_eq!(parse("call_duration_seconds <= 2ms").relation, below(Bound::Absolute(0.002)));
    assert_eq!(parse("call_duration_seconds <= 2").relation, below(Bound::Absolute(2.0)));
    let above = Relation::Above { bound: Bound::Absolute(1e5), strict: true };
    assert_eq!(parse("throughput > 100k/s").relation, above);
    assert_eq!(parse("wall == before +- 1%").relation, Relation::Same { tolerance: Some(0.01) });
    assert_eq!(parse("checksum == before").measure, Measure::Checksum);
    let zero = Bound::Absolute(0.0);
    assert_eq!(parse("alloc.count == 0").relation, Relation::Within { low: zero, high: zero });
    let functions = vec!["a::b".parse().unwrap(), "c*".parse().unwrap()];
    let own = Measure::Profile { kind: ProfileKind::Own, functions };
    assert_eq!(parse("profile.self(a::b, c*) < 1%").measure, own);
    assert_eq!(parse("syscalls(open*) < 1").measure, Measure::Syscalls(vec!["open*".parse().unwrap()]));
    assert_eq!(parse("hotpath.p95(a::b) < 2ms").measure, metric("hotpath.p95(a::b)"));
}

#[test]
fn what_has_to_be_measured_follows_from_the_measure() {
    let needs = [
        ("wall < before", Need::Timing),
        ("latency.p99 < before", Need::Timing),
        ("rss.peak < before", Need::Timing),
        ("cycles < before", Need::Timing),
        ("instructions < before", Need::Instructions),
        ("alloc.count < before", Need::Counting),
        ("hit_rate > before", Need::Counting),
        ("syscalls < before", Need::Syscalls),
        ("syscalls.read < before", Need::Syscalls),
        ("profile.cpu(f) < before", Need::Profile),
        ("hotpath.avg(f) < before", Need::Hotpath),
        ("distribution(d) == before", Need::Distribution),
        ("checksum == before", Need::Checksum),
        ("binary.text < before", Need::Sizes),
        ("build.cpu < before", Need::Sizes),
    ];
    for (text, need) in needs {
        let claim = parse(text);
        assert_eq!((claim.needs(), claim.needs_before()), (need, true), "{text}");
    }
    assert!(!parse("wall in 1ns .. 2ns").needs_before());
    assert!(!parse("alloc.count == 0").needs_before());
}

/// Text, column, problem, help.
const WRONG: [(&str, usize, &str, &str); 54] = [
    ("", 1, "the claim ends too early", r#"expected what is measured first, such as "wall <= 0.70x before""#),
    ("wall", 5, "the claim ends too early", "expected <, <=, >, >=, == or in"),
    ("wall <", 7, "the claim ends too early", r#"expected a number such as "2ms", or "before""#),
    (
        "wal < 1ms",
        1,
        r#"there is no metric "wal""#,
        r#"did you mean "wall"? A case's own metric needs a name less like it"#,
    ),
    (
        "latncy.p99 < 1ms",
        1,
        r#"there is no metric "latncy.p99""#,
        r#"did you mean "latency.p99"? A case's own metric needs a name less like it"#,
    ),
    ("alloc.cuont < 1", 1, r#"there is no metric "alloc.cuont""#, r#"did you mean "alloc.count"?"#),
    ("rss.anon < 1MB", 1, r#"there is no metric "rss.anon""#, r#"choose from "rss.peak""#),
    ("before < wall", 1, r#""before" is no metric"#, r#"write what is measured first, such as "wall <= 0.70x before""#),
    ("wall < befor", 8, r#""befor" does not fit here"#, r#"did you mean "before"?"#),
    ("wall <= 0.7x", 9, r#""0.7x" of what?"#, r#"write "0.7x before""#),
    ("wall <= 70%", 9, r#""70%" of what?"#, r#"write "70% of before""#),
    ("wall <= 70% of", 15, "the claim ends too early", r#"expected "before""#),
    ("wall <= 0.7 before", 9, r#""0.7" is not a duration"#, r#"write "0.7ms" or another unit, or "0.7x before""#),
    ("wall < 1mss", 8, r#""1mss" is not a duration"#, r#"did you mean "ms"?"#),
    (
        "wall < 5MB",
        8,
        r#""5MB" is not a duration"#,
        r#"write a number and a unit (ns, us, ms, s, m, h, d), such as "5m", "90s", "1.5ms" or "1h30m""#,
    ),
    ("rss.peak < 2gb", 12, r#""2gb" is not a size"#, r#"did you mean "GB"?"#),
    (
        "alloc.count < 5ms",
        15,
        r#""5ms" is not a count"#,
        r#"write a number, with k, M, G or T for thousands and more, such as "12" or "1.5M""#,
    ),
    ("alloc.count < 5K", 15, r#""5K" is not a count"#, r#"did you mean "k"?"#),
    ("throughput > 100k", 14, r#""100k" is not a rate"#, r#"write it per second: "100k/s""#),
    ("throughput > 100ms", 14, r#""100ms" is not a rate"#, r#"write a number per second, such as "640/s" or "100k/s""#),
    ("profile.share(f) < 0.1", 20, r#""0.1" is not a share"#, r#"write a percentage: "1%""#),
    ("profile.share(f) < 101%", 20, r#""101%" is more than the whole"#, r#"write at most "100%""#),
    (
        "hit_rate > 5 parsec",
        12,
        r#""5 parsec" has an unknown unit"#,
        r#"write a plain number, or one with a unit: "70%", "1.5M", "100k/s", "2ms", "64KiB""#,
    ),
    (
        "wall == before",
        6,
        "two measurements of wall are never equal to the last digit",
        "say how near is enough: == before +- 1%",
    ),
    (
        "cycles == 0.5x before",
        8,
        "two measurements of cycles are never equal to the last digit",
        "say how near is enough: == 0.5x before +- 1%",
    ),
    (
        "rss.peak == 2GB",
        10,
        "two measurements of rss.peak are never equal to the last digit",
        "say how near is enough: == 2GB +- 1%",
    ),
    (
        "wall != before",
        6,
        r#""!=" can't stand in a claim"#,
        "an interval can show that two values are the same within a tolerance, or that one is the smaller, but not that they merely differ: write < or >, whichever is meant",
    ),
    ("wall = before", 6, r#""=" can't stand in a claim"#, "write =="),
    ("wall =< before", 6, r#""=<" can't stand in a claim"#, "write <="),
    ("wall ~ before", 6, r#""~" can't stand in a claim"#, "write == and the tolerance: == before +- 1%"),
    ("wall == before +- 0%", 19, "this can't be a tolerance", r#"write more than "0%" and less than "100%""#),
    ("wall == before +- 1", 20, "the claim ends too early", "expected %"),
    ("wall <= before - 100%", 18, "nothing would be left of it", "write less than 100%"),
    ("wall <= 0x before", 9, "nothing is zero times another", "write == 0, or more than 0x"),
    (
        "wall < 1ms cpu < 1ms",
        12,
        r#""cpu" does not fit here"#,
        "expected the end of the claim: make a claim of its own of what follows",
    ),
    ("wall in 2ms .. 1ms", 9, "nothing is in this range", "write the smaller end first"),
    ("wall in 1ms .. 1ms", 9, "this range is a single value", "write == and that value"),
    ("wall in 1ms .. 2x before", 9, "one end is a number, the other one a part of before", "write two of one kind"),
    ("wall in 1ms", 12, "the claim ends too early", r#"expected .. and the upper end, such as "2ms""#),
    ("wall < -1ms", 8, r#""-" does not fit here"#, r#"expected a number such as "2ms", or "before""#),
    (
        "wall < 1234567890.1234567ns",
        8,
        r#""1234567890.1234567" has more digits than can be told apart"#,
        "write at most 15 digits",
    ),
    ("wall < 900d", 8, "this is more than anything that is measured", "write a smaller number"),
    ("alloc.count < 0", 13, "nothing that is measured is below zero", "write == 0"),
    ("alloc.count >= 0", 13, "this is so whatever is measured", "write > 0"),
    ("checksum == before +- 1%", 20, "a checksum is the same or it is not", "leave the tolerance out"),
    ("checksum < before", 10, "checksum is the same or it is not: it has no size", "write checksum == before"),
    ("distribution(d) == 5%", 20, r#""5" does not fit here"#, r#"expected "before""#),
    ("profile.share < 5%", 1, r#""profile.share" of what?"#, "write the part in parentheses: profile.share(core::fmt)"),
    ("profile.share() < 5%", 15, r#""profile.share" of what?"#, "write profile.share(core::fmt)"),
    ("profile.shares(f) < 5%", 1, r#"there is no "profile.shares" of a part"#, r#"did you mean "profile.share"?"#),
    ("wall(f) < 5ms", 1, r#""wall" takes nothing in parentheses"#, r#"write "wall" alone"#),
    ("syscalls(read, read) < 5", 16, r#""read" stands twice"#, "remove one of them"),
    ("syscalls(read < 5", 9, "this parenthesis is not closed", "add )"),
    (
        "profile.share(f(x)) < 5%",
        16,
        "a parenthesis in parentheses",
        "write names without their arguments; a * stands for any text",
    ),
];

#[test]
fn what_is_no_claim_is_pointed_at_with_the_fix() {
    for (text, column, problem, help) in WRONG {
        let error = text.parse::<Claim>().expect_err(text);
        let found = (error.position(), error.problem(), error.help());
        assert_eq!(found, (Some((1, column)), problem, Some(help)), "{text}");
    }
}

#[test]
fn an_error_shows_the_claim_and_a_caret() {
    let error = "wall ≤ 1mss".parse::<Claim>().unwrap_err().to_string();
    let expected = [
        r#"claim:1:8: "1mss" is not a duration"#,
        "  |",
        "1 | wall ≤ 1mss",
        "  |        ^^^^",
        r#"  = help: did you mean "ms"?"#,
    ];
    assert_eq!(error, expected.join("\n"));
}

#[test]
fn a_claim_has_at_most_a_thousand_bytes() {
    let text = |length: usize| format!("wall{}< 1ms", " ".repeat(length - "wall< 1ms".len()));
    assert_eq!(parse(&text(1_000)), parse("wall < 1ms"));
    let error = text(1_001).parse::<Claim>().unwrap_err();
    assert_eq!(error.problem(), "a claim has at most 1000 bytes, this one has 1001");
}

/// A random measure, and a number in it that it can have.
fn any_measure(random: &mut fastrand::Rng) -> Measure {
    let mut several = |all: &[&'static str]| {
        let mut all = all.to_vec();
        random.shuffle(&mut all);
        all[..random.usize(1..=all.len())].to_vec()
    };
    let functions = several(&["core::fmt", "a::*b*::{closure#0}", "f", "{{closure}}", "*"]);
    let names = several(&["open*", "close", "*", "syscall-123"]);
    let plain =
        ["wall", "latency.p50", "rss.peak", "throughput", "alloc.count", "own.rate", "own", "hotpath.avg(a::b)"];
    match random.u8(..6) {
        0 => Measure::Syscalls(names.iter().map(|name| name.parse().unwrap()).collect()),
        1 => Measure::Syscalls(Vec::new()),
        2 => Measure::Profile {
            kind: random.choice(ProfileKind::ALL).unwrap(),
            functions: functions.iter().map(|name| name.parse().unwrap()).collect(),
        },
        _ => metric(random.choice(plain).unwrap()),
    }
}

/// A number of few or many digits, from the smallest that may be measured to the largest.
fn any_number(random: &mut fastrand::Rng, largest: f64) -> f64 {
    let most = 10_u64.pow(random.u32(1..16));
    let digits = random.u64(1..most);
    let number: f64 = format!("{digits}e{}", random.i32(-24..10)).parse().unwrap();
    if (1e-12..largest).contains(&number) { number } else { any_number(random, largest) }
}

fn any_relation(random: &mut fastrand::Rng, measure: &Measure) -> Relation {
    let relative = random.bool();
    let largest = if !relative && measure.kind() == quantity::Kind::Share { 1.0 } else { 1e15 };
    let (one, other) = (any_number(random, largest), any_number(random, largest));
    let of = |number| if relative { Bound::Before(number) } else { Bound::Absolute(number) };
    let strict = random.bool();
    match random.u8(..4) {
        0 => Relation::Below { bound: of(one), strict },
        1 => Relation::Above { bound: of(one), strict },
        2 if one != other => Relation::Within { low: of(one.min(other)), high: of(one.max(other)) },
        _ => Relation::Same { tolerance: Some(any_number(random, 1.0)) },
    }
}

#[test]
fn the_canonical_text_of_any_claim_reads_back_as_the_claim() {
    let mut random = fastrand::Rng::with_seed(14);
    for _ in 0..50_000 {
        let measure = any_measure(&mut random);
        let claim = Claim { relation: any_relation(&mut random, &measure), measure };
        let text = claim.to_string();
        assert_eq!(parse(&text), claim, "{text}");
    }
}

/// The rows of the tables under a heading of the documentation: per cell, what stands in backticks.
fn documented(heading: &str) -> Vec<Vec<Vec<String>>> {
    let text = include_str!("../../../docs/claims.md");
    let part = text.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_else(|| panic!("no {heading}"));
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    rows.map(|row| row.trim_matches('|').split(" | ").map(quoted).collect()).collect()
}

#[test]
fn the_documentation_tells_the_truth() {
    let compared = documented("Compared");
    assert_eq!(compared.len(), 10);
    compared.iter().flat_map(|row| &row[0]).for_each(|text| drop(parse(text)));
    assert_eq!(parse(&compared[2][0][0]), parse(&compared[1][0][0]));
    let measured = documented("What is measured");
    assert_eq!(measured.len(), 16);
    measured.iter().flat_map(|row| &row[2]).for_each(|text| drop(parse(text)));
    let plain = measured.iter().flat_map(|row| &row[0]).filter(|name| !name.contains(|c: char| c.is_uppercase()));
    plain.for_each(|name| drop(parse(&format!("{name} < before"))));
    let functions = documented("Which functions");
    assert_eq!(functions.len(), 9);
    for row in functions {
        for pattern in &row[0] {
            let pattern: crate::samples::PathPattern = pattern.parse().unwrap();
            assert!(row[1].iter().any(|name| pattern.matches(name)), "{pattern}");
            assert!(!row[2].iter().any(|name| pattern.matches(name)), "{pattern}");
        }
    }
    let example =
        include_str!("../../../docs/claims.md").split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let plan = crate::plan::Plan::parse(example, std::path::Path::new("docs/claims.md")).unwrap();
    assert_eq!(plan.steps[0].claims.len(), 3);
}
