//! Texts that nobody would write: the language of claims, and plans with damaged steps. PERFPLAN_FUZZ_SECONDS says for how long.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use perfplan::plan::claim::Claim;
use perfplan::plan::{Plan, PlanError};

/// Claims of every kind, to be damaged.
const CLAIMS: [&str; 24] = [
    "wall <= 0.70x before",
    "wall <= 70% of before",
    "wall <= before - 30%",
    "wall in 0.90x .. 0.95x before",
    "wall == before +- 1%",
    "wall in 10ns .. 50ns",
    "cpu < before",
    "latency.p99 < 1ms",
    "throughput > 100k/s",
    "throughput >= 4.8x before",
    "instructions == before +- 0.1%",
    "rss.peak < 2GB",
    "binary.text < 3MiB",
    "alloc.count == 0",
    "alloc.bytes == 64KiB +- 5%",
    "hit_rate > 70%",
    "syscalls(open*, close) <= 0.1x before",
    "syscalls < 10",
    "profile.share(get_subscriber_at) <= 0.20x before",
    "profile.self(core::num::*parse*, core::fmt) < 1%",
    "profile.cpu(run::{{closure}}) <= 2us",
    "checksum == before",
    "distribution(call_duration) == before +- 2%",
    "hotpath.p95(module::function) < 2ms",
];

/// What claims are made of, and what they are not made of.
const PIECES: [&str; 64] = [
    "wall",
    "cpu",
    "latency.p99",
    "throughput",
    "rss.peak",
    "alloc.count",
    "hit_rate",
    "syscalls",
    "profile.share",
    "profile.self",
    "profile.cpu",
    "checksum",
    "distribution",
    "hotpath.p95",
    "before",
    "in",
    "of",
    "x",
    "(",
    ")",
    ",",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "=",
    "!=",
    "+-",
    "±",
    "≤",
    "×",
    "+",
    "-",
    "..",
    ".",
    "%",
    "/",
    "/s",
    "k",
    "ms",
    "ns",
    "µs",
    "GB",
    "KiB",
    "0",
    "1",
    "0.70",
    "100",
    "1e9",
    "99999999999999999999",
    "0.0000000000001",
    "::",
    "*",
    "{{closure}}",
    "core::fmt",
    " ",
    "\t",
    "\n",
    "\0",
    "\u{202e}",
    "\u{1f980}",
    "\u{feff}",
    "\"",
];

const PLAN: &str = r#"
[[step]]
id = "redb-cache"
title = "Read each range once"
before = "generator::redb/naive"
after = "generator::redb/cached"
claims = ["wall <= 0.70x before", 'profile.share(core::fmt) < 0.1%', """checksum == before"""]
plan = "000 section 1"
expect = "refuted: 12 %"
[[step]]
id = "scan"
case = "engine::scan"
claims = [
    "wall in 10ns .. 50ns",
    "throughput > 100k/s",
]
"#;

/// How long each of the tests runs, and the sequence of random numbers: the same each time.
fn fuzz(seed: u64, mut trial: impl FnMut(&mut fastrand::Rng)) -> (u32, Duration) {
    let seconds = std::env::var("PERFPLAN_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let (begun, mut trials) = (Instant::now(), 0);
    let mut random = fastrand::Rng::with_seed(seed);
    while begun.elapsed().as_secs_f64() < seconds {
        (0..100).for_each(|_| trial(&mut random));
        trials += 100;
    }
    (trials, begun.elapsed())
}

/// Some letters of a text replaced, removed, doubled or swapped with others.
fn damaged(text: &str, random: &mut fastrand::Rng) -> String {
    let mut letters: Vec<String> = text.chars().map(String::from).collect();
    for _ in 0..random.usize(1..4) {
        let (at, other) = (random.usize(..letters.len()), random.usize(..letters.len()));
        match random.u8(..4) {
            0 => letters[at] = (*random.choice(&PIECES).unwrap()).to_owned(),
            1 => letters[at].clear(),
            2 => letters.swap(at, other),
            _ => {
                let (from, to) = (at.min(other), at.max(other));
                let part = letters[from..=to].concat();
                letters[at] += &part;
            }
        }
    }
    letters.concat()
}

fn any_text(random: &mut fastrand::Rng) -> String {
    match random.u8(..3) {
        0 => {
            let bytes: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        1 => {
            let space = if random.bool() { " " } else { "" };
            let pieces: Vec<&str> = (0..random.usize(..12)).map(|_| *random.choice(&PIECES).unwrap()).collect();
            pieces.join(space)
        }
        _ => damaged(random.choice(CLAIMS).unwrap(), random),
    }
}

/// An error is at a place of the text, in one line, and has a fix.
fn points_into(text: &str, error: &PlanError) {
    let (line, column) = error.position().unwrap_or_else(|| panic!("no place: {error}"));
    let pointed_at = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("no such line: {error}"));
    assert!((1..=pointed_at.chars().count() + 1).contains(&column), "{error}");
    assert!(!error.problem().contains('\n'), "{error}");
}

#[test]
fn any_text_is_a_claim_that_reads_back_or_an_error_at_its_place() {
    let mut accepted = 0_u32;
    let (trials, took) = fuzz(15, |random| {
        let text = any_text(random);
        match text.parse::<Claim>() {
            Ok(claim) => {
                let canonical = claim.to_string();
                assert_eq!(canonical.parse::<Claim>().as_ref(), Ok(&claim), "{text:?} {canonical:?}");
                assert!(claim.measure.metric().parse::<perfplan::samples::Metric>().is_ok(), "{text:?}");
                accepted += 1;
            }
            Err(error) => {
                points_into(&text, &error);
                assert!(error.help().is_some_and(|help| !help.is_empty()), "{error}");
            }
        }
    });
    println!("{trials} texts, {accepted} of them claims, {:.0}/s", f64::from(trials) / took.as_secs_f64());
    assert!(accepted > 0 && accepted < trials);
}

#[test]
fn any_damage_to_a_step_is_a_plan_or_an_error_at_its_place() {
    let mut refused = 0_u32;
    let (trials, took) = fuzz(16, |random| {
        let text = damaged(PLAN, random);
        if let Err(error) = Plan::parse(&text, Path::new("perfplan.toml")) {
            points_into(&text, &error);
            refused += 1;
        }
    });
    println!("{trials} plans, {refused} of them refused, {:.0}/s", f64::from(trials) / took.as_secs_f64());
    assert!(refused > 0 && refused < trials);
}

#[test]
fn the_longest_claims_take_no_longer_than_their_length() {
    let hostile = [
        "<".repeat(1_000),
        "a.".repeat(500),
        "a-".repeat(500),
        "1.".repeat(500),
        format!("wall < {}", "1h".repeat(496)),
        format!("wall < {}", "1 h ".repeat(248)),
        format!("syscalls({}", "*,".repeat(495)),
        format!("profile.share({}) < 1%", "*a".repeat(490)),
        "(".repeat(1_000),
        " ".repeat(1_000),
    ];
    let begun = Instant::now();
    for text in &hostile {
        for _ in 0..100 {
            assert!(text.parse::<Claim>().is_err(), "{text}");
        }
    }
    let each = begun.elapsed() / 1_000;
    assert!(each < Duration::from_millis(5), "{each:?} for a claim");
}

#[test]
fn claims_are_read_as_fast_as_a_plan_needs() {
    const ROUNDS: u32 = 200;
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        CLAIMS.iter().for_each(|text| drop(text.parse::<Claim>().unwrap()));
    }
    let each = begun.elapsed() / (ROUNDS * 24);
    println!("{:.0} claims/s", 1.0 / each.as_secs_f64());
    assert!(each < Duration::from_millis(1), "{each:?} for a claim");
}
