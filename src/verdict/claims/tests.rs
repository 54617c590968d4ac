//! One claim of each kind, confirmed, refuted and undecided; and how often an interval that is promised to hold does not.

use fastrand::Rng;
use serde_json::{Value, json};

use super::*;
use crate::samples::Run;

/// A run whose only step has these claims, over a case before it and one after it.
struct Bench {
    measurement: Value,
}

impl Bench {
    /// Rounds of four batches each; both sides are `after` and `before` nanoseconds, give or take `noise`.
    fn timed(before: f64, after: f64, noise: f64, rounds: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut batches = |level: f64| -> Vec<f64> {
            let process = level * (1.0 + noise * (rng.f64() - 0.5));
            (0..4).map(|_| 100.0 * process * (1.0 + 0.001 * rng.f64())).collect()
        };
        let mut round = |_| {
            let side = |arm: usize, walls: Vec<f64>| json!({"arm": arm, "layout": null, "checksum": "00", "batches": {"wall": walls}, "process": {"rss.peak": 1e6}});
            json!({"elapsed_ns": 1, "inside_ns": 1, "dropped": 0, "arms": [side(0, batches(before)), side(1, batches(after))]})
        };
        let rounds: Vec<Value> = (0..rounds).map(&mut round).collect();
        let arm = |case: &str, against: Value| json!({"variant": "release", "case": case, "revision": "working tree", "against": against, "code": "c", "sizes": {"binary.text": 4096.0}});
        let measurement = json!({
            "case": "step::s", "arms": [arm("w::before", Value::Null), arm("w::after", json!(0))],
            "iterations": 100, "warm_up": 1, "threads": 1, "rounds": rounds,
            "counted": [
                {"alloc.count": [10.0, 10.0, 10.0], "syscalls": [12.0, 12.0], "syscalls.openat": [6.0, 6.0],
                 "syscalls.close": [6.0, 6.0], "profile.share(core::fmt)": [0.31, 0.29, 0.30, 0.28], "hit-rate": [0.1, 0.1],
                 "profile.share(f)": [0.5, 0.4, 0.6, 0.5]},
                {"alloc.count": [1.0, 1.0, 1.0], "syscalls": [1.0, 1.0], "syscalls.openat": [0.5, 0.5],
                 "syscalls.close": [0.5, 0.5], "profile.share(core::fmt)": [0.0, 0.0, 0.0, 0.0], "hit-rate": [0.8, 0.8],
                 "profile.share(f)": [0.4, 0.2, 0.6, 0.1]},
            ],
            "absent": {"instructions": "valgrind is not installed"},
            "profiles": [profile(0), profile(1)],
        });
        Self { measurement }
    }

    fn run(&self, claims: &[&str]) -> Run {
        let step = json!({"case": "step::s", "before": "w::before", "after": "w::after", "claims": claims});
        let mut run: Value = serde_json::from_str(include_str!("../../../fixtures/run-format-1.json")).unwrap();
        (run["cases"], run["steps"]) = (json!(["step::s"]), json!([step]));
        (run["measurements"], run["failures"]) = (json!([self.measurement]), json!([]));
        serde_json::from_value(run).unwrap()
    }

    fn judge(&self, claim: &str) -> ClaimOutcome {
        let outcome = steps(&self.run(&[claim])).remove(0);
        outcome.claims.into_iter().next().unwrap()
    }

    fn holds(&self, claim: &str) -> Holds {
        self.judge(claim).holds
    }
}

fn profile(arm: usize) -> Value {
    json!({"arm": arm, "event": "cpu-clock", "method": "dwarf", "samples": 5_000, "rooted": 5_000, "lost": 0, "functions": []})
}

/// 60 ns against 100 ns, five per cent of noise between processes.
fn faster() -> Bench {
    Bench::timed(100.0, 60.0, 0.05, 40, 1)
}

#[test]
fn time_is_judged_by_the_ratio_of_both_sides_in_the_same_rounds() {
    let bench = faster();
    assert_eq!(bench.holds("wall <= 0.7x before"), Holds::Confirmed);
    assert_eq!(bench.holds("wall <= 0.5x before"), Holds::Refuted);
    assert_eq!(bench.holds("wall in 0.55x .. 0.65x before"), Holds::Confirmed);
    assert_eq!(bench.holds("wall == before +- 1%"), Holds::Refuted);
    let close = bench.judge("wall <= 0.6x before");
    assert!(close.holds == Holds::Undecided && close.timed, "{close:?}");
    assert!(matches!(close.why, Why::MoreRounds(_) | Why::TooClose), "{close:?}");
}

#[test]
fn a_refuted_claim_says_by_how_much() {
    let refuted = faster().judge("wall <= 0.5x before");
    let Why::Beyond(by) = refuted.why else { panic!("{refuted:?}") };
    assert!((by - 0.1).abs() < 0.01, "{by}");
    let Measured { low, estimate, high, rounds } = refuted.measured.unwrap();
    assert!(low < 0.6 && 0.6 < high && (estimate - 0.6).abs() < 0.01 && rounds == 40, "{refuted:?}");
}

#[test]
fn absolute_times_memory_and_sizes_are_those_of_the_case_after_the_step() {
    let bench = faster();
    assert_eq!(bench.holds("wall < 70ns"), Holds::Confirmed);
    assert_eq!(bench.holds("wall < 50ns"), Holds::Refuted);
    assert_eq!(bench.holds("rss.peak < 2GB"), Holds::Confirmed);
    assert_eq!(bench.holds("binary.text < 4KiB"), Holds::Refuted);
    assert_eq!(bench.holds("throughput > 10M/s"), Holds::Confirmed);
    assert_eq!(bench.holds("throughput >= 1.5x before"), Holds::Confirmed);
    assert_eq!(bench.holds("throughput > 20M/s"), Holds::Refuted);
}

#[test]
fn an_iteration_of_several_operations_counts_as_so_many() {
    let mut bench = faster();
    bench.measurement["arms"][1]["operations"] = json!(10);
    assert_eq!(bench.holds("wall.operation in 5ns .. 7ns"), Holds::Confirmed);
    assert_eq!(bench.holds("throughput > 100M/s"), Holds::Confirmed);
    assert_eq!(
        bench.holds("wall.operation <= 0.07x before"),
        Holds::Confirmed,
        "before, an iteration is one operation"
    );
    assert_eq!(bench.holds("throughput >= 15x before"), Holds::Confirmed);
    assert_eq!(bench.holds("wall < 70ns"), Holds::Confirmed, "wall stays that of the iteration");
}

#[test]
fn counts_that_never_differ_are_exact() {
    let bench = faster();
    assert_eq!(bench.holds("alloc.count == 1"), Holds::Confirmed);
    assert_eq!(bench.holds("alloc.count <= 0.1x before"), Holds::Confirmed);
    assert_eq!(bench.holds("alloc.count < 0.1x before"), Holds::Refuted);
    assert_eq!(bench.holds("syscalls(open*, close) <= 0.1x before"), Holds::Confirmed);
    assert_eq!(bench.holds("syscalls(write) < 1"), Holds::Confirmed, "none was made");
    assert_eq!(bench.holds("syscalls > 5"), Holds::Refuted);
    assert_eq!(bench.holds("hit-rate > 70%"), Holds::Confirmed);
}

#[test]
fn the_last_digits_of_a_quotient_refute_nothing() {
    let mut bench = faster();
    let mut count = |before: f64, after: f64, claim: &str| {
        let counted = &mut bench.measurement["counted"];
        (counted[0]["alloc.count"], counted[1]["alloc.count"]) = (json!(vec![before; 3]), json!(vec![after; 3]));
        bench.judge(claim)
    };
    assert_eq!(count(0.10, 0.07, "alloc.count <= 0.7x before").holds, Holds::Confirmed);
    assert_eq!(count(0.10, 0.07, "alloc.count == 0.7x before").holds, Holds::Confirmed);
    assert_eq!(count(0.10, 0.07, "alloc.count < 0.7x before").holds, Holds::Refuted);
}

#[test]
fn a_multiple_of_nothing_is_nothing() {
    let mut bench = faster();
    let mut count = |before: f64, after: f64, claim: &str| {
        let counted = &mut bench.measurement["counted"];
        (counted[0]["alloc.count"], counted[1]["alloc.count"]) = (json!(vec![before; 3]), json!(vec![after; 3]));
        bench.judge(claim)
    };
    assert_eq!(count(0.0, 0.0, "alloc.count == before").holds, Holds::Confirmed);
    assert_eq!(count(0.0, 0.0, "alloc.count <= 0.5x before").holds, Holds::Confirmed);
    assert_eq!(count(0.0, 0.0, "alloc.count < before").holds, Holds::Refuted);
    let grown = count(0.0, 1.0, "alloc.count <= 2x before");
    assert_eq!((grown.holds, grown.why), (Holds::Refuted, Why::NothingBefore));
}

#[test]
fn what_nothing_stands_behind_is_not_confirmed() {
    let mut bench = faster();
    bench.measurement["profiles"] = json!([]);
    assert_eq!(bench.holds("profile.share(core::fmt) < 1%"), Holds::Undecided);
    for round in bench.measurement["rounds"].as_array_mut().unwrap() {
        (round["arms"][0]["checksum"], round["arms"][1]["checksum"]) = (json!(""), json!(""));
    }
    assert_eq!(bench.holds("checksum == before"), Holds::Undecided, "commands have no checksums");
}

#[test]
fn what_sampling_never_saw_may_still_be_there() {
    let bench = faster();
    assert_eq!(bench.holds("profile.share(core::fmt) < 1%"), Holds::Confirmed);
    assert_eq!(bench.holds("profile.share(core::fmt) <= 0.2x before"), Holds::Confirmed);
    let bound = bench.judge("profile.share(core::fmt) < 0.01%");
    assert_eq!(bound.holds, Holds::Undecided, "5,000 samples can't show so little: {bound:?}");
    assert_eq!(bench.holds("profile.share(f) <= 0.9x before"), Holds::Undecided, "four rounds that differ widely");
}

#[test]
fn results_are_compared_round_by_round() {
    let mut bench = faster();
    assert_eq!(bench.holds("checksum == before"), Holds::Confirmed);
    bench.measurement["rounds"][3]["arms"][1]["checksum"] = json!("01");
    assert_eq!(bench.judge("checksum == before").why, Why::Different);
    assert_eq!(bench.holds("checksum == before"), Holds::Refuted);
}

#[test]
fn distributions_are_the_same_within_a_distance() {
    let mut bench = faster();
    let draws = |seed: u64, by: f64| -> Vec<f64> {
        let mut rng = Rng::with_seed(seed);
        (0..10_000).map(|_| rng.f64() + by).collect()
    };
    let mut observe = |after: Vec<f64>| {
        bench.measurement["observed"] = json!([{"d": draws(1, 0.0)}, {"d": after}]);
        bench.holds("distribution(d) == before")
    };
    assert_eq!(observe(draws(2, 0.0)), Holds::Confirmed);
    assert_eq!(observe(draws(3, 0.2)), Holds::Refuted);
    assert_eq!(observe(draws(4, 0.03)), Holds::Undecided);
}

#[test]
fn what_was_not_measured_is_undecided_and_says_why() {
    let absent = faster().judge("instructions <= 0.5x before");
    assert_eq!((absent.holds, absent.why), (Holds::Undecided, Why::Absent("valgrind is not installed".to_owned())));
    let bench = faster();
    let mut run = bench.run(&["wall < before", "nonsense <", "checksum == before"]);
    run.measurements.clear();
    let outcome = &steps(&run)[0];
    assert!(outcome.claims.iter().all(|claim| claim.holds == Holds::Undecided));
    assert!(matches!(outcome.claims[1].why, Why::Unreadable(_)));
    assert_eq!(outcome.claims[0].why, Why::Absent(String::new()));
}

#[test]
fn a_step_is_as_good_as_its_worst_claim() {
    let of = |claims: &[&str]| steps(&faster().run(claims)).remove(0).holds();
    assert_eq!(of(&["wall < before", "alloc.count == 1"]), Holds::Confirmed);
    assert_eq!(of(&["wall < before", "instructions < before"]), Holds::Undecided);
    assert_eq!(of(&["instructions < before", "wall > before"]), Holds::Refuted);
}

#[test]
fn all_claims_share_one_budget_of_error() {
    let claims = vec!["wall < before"; 20];
    let outcome = steps(&faster().run(&claims)).remove(0);
    assert!(outcome.claims.iter().all(|claim| (claim.level - 0.01 / 20.0).abs() < 1e-12));
}

#[test]
fn a_claim_on_the_very_edge_is_hardly_ever_decided_wrongly() {
    // The truth lies on the bound: either decision is an error, and the budget is one in a hundred.
    let decided = (0..400).filter(|seed| {
        let bench = Bench::timed(100.0, 70.0, 0.05, 40, 1_000 + seed);
        bench.holds("wall <= 0.7x before") != Holds::Undecided
    });
    let wrong = decided.count();
    assert!(wrong <= 10, "{wrong} of 400 decided, 4 are expected at most");
}
