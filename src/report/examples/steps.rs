//! Steps and claims made up for tests.

use crate::samples::Step;
use crate::verdict::{ClaimOutcome, Holds, Measured, Relative, Scale, StepOutcome, Why};

use super::EVIL;

pub(crate) fn measured_for(estimate: f64, half_width: f64, rounds: usize) -> Option<Measured> {
    Some(Measured { estimate, low: estimate - half_width, high: estimate + half_width, rounds })
}

/// A ratio over 40 rounds.
pub(crate) fn ratio(estimate: f64, half_width: f64) -> Option<Measured> {
    measured_for(estimate, half_width, 40)
}

/// A claim on a ratio of wall time.
pub(crate) fn claim(text: &str, holds: Holds, measured: Option<Measured>, why: Why) -> ClaimOutcome {
    let (scale, metric, claim) = (Scale::Ratio, "wall".to_owned(), text.to_owned());
    ClaimOutcome { claim, holds, measured, scale, metric, why, level: 0.001, timed: true }
}

/// A claim on a value of a metric.
pub(crate) fn absolute(text: &str, metric: &str, holds: Holds, measured: Option<Measured>, why: Why) -> ClaimOutcome {
    ClaimOutcome { scale: Scale::Value, metric: metric.to_owned(), ..claim(text, holds, measured, why) }
}

/// A step from 1.2 ms; the change with half of its interval's width.
pub(crate) fn step(id: &str, change: Option<(f64, f64)>, claims: Vec<ClaimOutcome>) -> StepOutcome {
    let case = |name: &str| format!("generator::{id}/{name}").parse().unwrap();
    let relative = |(estimate, half): (f64, f64)| Relative { estimate, low: estimate - half, high: estimate + half };
    StepOutcome {
        step: Step {
            case: format!("step::{id}").parse().unwrap(),
            title: String::new(),
            source: String::new(),
            expect: String::new(),
            before: Some(case("before")),
            after: case("after"),
            variant: None,
            claims: claims.iter().map(|claim| claim.claim.clone()).collect(),
        },
        part: None,
        change: change.map(relative),
        wall: change.map_or_else(Vec::new, |(estimate, _)| vec![1_203_000.0, 1_203_000.0 * (1.0 + estimate)]),
        claims,
    }
}

fn confirmed(text: &str, measured: Option<Measured>) -> ClaimOutcome {
    claim(text, Holds::Confirmed, measured, Why::Holds)
}

fn equal_results(holds: Holds, why: Why) -> ClaimOutcome {
    ClaimOutcome { scale: Scale::Equality, ..claim("checksum == before", holds, None, why) }
}

/// Steps with claims of every kind and outcome.
pub(crate) fn plan() -> Vec<StepOutcome> {
    vec![cache(), writer(), lookups()]
}

fn cache() -> StepOutcome {
    let claims = vec![
        confirmed("wall <= 0.70x before", ratio(0.688, 0.009)),
        confirmed("profile.share(get_subscriber_at) <= 0.20x before", ratio(0.12, 0.02)),
        equal_results(Holds::Confirmed, Why::Holds),
    ];
    let mut cache = step("redb-snapshot-cache", Some((-0.312, 0.009)), claims);
    cache.step.title = "Read each snapshot range once".to_owned();
    cache.step.source = "000, section 1".to_owned();
    cache
}

fn writer() -> StepOutcome {
    let formatting = ("profile.share(core::fmt) < 0.1%", "profile.share(core::fmt)");
    let (text, why) = ("distribution(call_duration) == before", Why::MoreRounds(19_000));
    let untraced = "the kernel does not let this user trace: set kernel.yama.ptrace_scope to 1".to_owned();
    let claims = vec![
        claim("wall <= 0.70x before", Holds::Refuted, ratio(0.908, 0.004), Why::Beyond(0.208)),
        absolute(formatting.0, formatting.1, Holds::Refuted, measured_for(0.031, 0.004, 10), Why::Beyond(0.03)),
        claim("syscalls(open*, close) <= 0.1x before", Holds::Undecided, None, Why::Absent(untraced)),
        ClaimOutcome {
            scale: Scale::Distance,
            ..claim(text, Holds::Undecided, measured_for(0.041, 0.014, 4_000), why)
        },
        equal_results(Holds::Refuted, Why::Different),
    ];
    step("csv-writer", Some((-0.092, 0.004)), claims)
}

fn lookups() -> StepOutcome {
    let (fast, many) = (measured_for(412_000.0, 9_000.0, 20), measured_for(101_000.0, 4_000.0, 20));
    let claims = vec![
        absolute("latency.p99 < 1ms", "latency.p99", Holds::Confirmed, fast, Why::Holds),
        absolute("throughput > 100k/s", "throughput", Holds::Undecided, many, Why::TooClose),
    ];
    let mut lookups = step("lookups", None, claims);
    lookups.step.before = None;
    lookups.wall = vec![38_200.0];
    lookups
}

/// With claims of every outcome, all of them hostile.
pub(super) fn hostile() -> StepOutcome {
    let evil = EVIL.to_owned();
    let reasons = [Why::Absent(evil.clone()), Why::Unreadable(evil.clone())];
    let open = reasons.map(|why| claim(EVIL, Holds::Undecided, None, why));
    let refuted = absolute(EVIL, EVIL, Holds::Refuted, measured_for(3.0, f64::INFINITY, 1), Why::Beyond(f64::NAN));
    let confirmed = claim(EVIL, Holds::Confirmed, ratio(f64::NAN, 0.1), Why::Holds);
    let claims = open.into_iter().chain([refuted, confirmed]).collect();
    let mut step = step("hostile", Some((f64::NAN, f64::INFINITY)), claims);
    (step.step.title, step.step.source, step.step.expect) = (evil.clone(), evil.clone(), evil);
    step
}
