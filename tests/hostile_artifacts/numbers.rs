//! Numbers that arithmetic chokes on.

use perfplan::{report, verdict};
use serde_json::{Value, json};

use crate::support::{RUN, accepted, assert_run_refused, assert_text_refused};

fn first_arm(run: &mut Value) -> &mut Value {
    &mut run["measurements"][0]["rounds"][0]["arms"][0]
}

/// That what was accepted can be judged, and that nothing that is no number comes out.
fn assert_judged(change: impl FnOnce(&mut Value)) {
    let run = accepted(change);
    let judgement = verdict::judge(&run);
    for row in &judgement.rows {
        assert!(row.p.is_finite() && row.baseline_value.is_finite() && row.candidate_value.is_finite(), "{row:?}");
    }
    let text = report::markdown(&report::View::of(&run, &judgement));
    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
}

#[test]
fn what_is_no_number_is_refused() {
    for word in ["NaN", "Infinity", "-Infinity", "nan", "inf", "0x10", "01", "1_000", "+1", ".5"] {
        assert_text_refused(RUN.replacen("1095262.0", word, 1), "at line");
    }
    assert_run_refused(|run| first_arm(run)["batches"]["wall"][0] = json!(null), "invalid type: null");
    assert_run_refused(|run| first_arm(run)["batches"]["wall"][0] = json!("NaN"), "invalid type: string");
}

#[test]
fn a_number_beyond_all_numbers_is_refused() {
    for huge in ["1e999", "-1e999", "1e400"] {
        assert_text_refused(RUN.replacen("1095262.0", huge, 1), "number out of range");
    }
}

#[test]
fn values_that_add_up_to_infinity_are_refused() {
    assert_run_refused(|run| first_arm(run)["batches"]["wall"][0] = json!(1e308), "value 0 of wall is 1000000");
    assert_run_refused(|run| first_arm(run)["process"]["rss.peak"] = json!(-1e300), "of rss.peak is -1000000");
    assert_run_refused(|run| run["measurements"][0]["arms"][0]["sizes"]["binary.text"] = json!(2e18), "of binary.text");
}

#[test]
fn a_negative_time_is_refused() {
    assert_run_refused(|run| first_arm(run)["batches"]["wall"][3] = json!(-1.0), "wall is -1, a time below zero");
    assert_run_refused(|run| first_arm(run)["batches"]["cpu"][0] = json!(-1e-300), "a time below zero");
}

#[test]
fn a_zero_below_zero_decides_nothing() {
    assert_judged(|run| first_arm(run)["batches"]["wall"][0] = json!(-0.0));
    assert_judged(|run| {
        for round in run["measurements"][0]["rounds"].as_array_mut().unwrap() {
            round["arms"][0]["batches"]["wall"].as_array_mut().unwrap().fill(json!(-0.0));
        }
    });
}

#[test]
fn numbers_next_to_nothing_decide_nothing() {
    for tiny in [5e-324, 1e-310, f64::MIN_POSITIVE] {
        assert_judged(|run| first_arm(run)["batches"]["wall"].as_array_mut().unwrap().fill(json!(tiny)));
    }
}

#[test]
fn the_largest_values_that_are_accepted_are_judged_as_numbers() {
    assert_judged(|run| {
        for round in run["measurements"][0]["rounds"].as_array_mut().unwrap() {
            for arm in round["arms"].as_array_mut().unwrap() {
                arm["batches"]["wall"].as_array_mut().unwrap().fill(json!(1e18));
            }
        }
        run["measurements"][0]["iterations"] = json!(1);
    });
}

#[test]
fn counts_that_no_number_holds_exactly_are_refused() {
    for field in ["iterations", "warm_up"] {
        assert_run_refused(|run| run["measurements"][0][field] = json!((1_u64 << 53) + 1), "iterations are more than");
    }
    assert_run_refused(|run| run["measurements"][0]["arms"][0]["operations"] = json!(u64::MAX), "operations are more");
    assert_run_refused(|run| run["measurements"][0]["threads"] = json!(u64::MAX), "threads are more");
    assert_run_refused(|run| run["measurements"][0]["iterations"] = json!(0), "0 iterations");
}

#[test]
fn counts_beyond_or_below_any_count_are_refused() {
    assert_text_refused(RUN.replacen("\"iterations\": 42", "\"iterations\": 18446744073709551616", 1), "at line");
    assert_text_refused(RUN.replacen("\"iterations\": 42", "\"iterations\": -1", 1), "at line");
    assert_text_refused(RUN.replacen("\"iterations\": 42", "\"iterations\": 1.5", 1), "at line");
    assert_text_refused(RUN.replacen("\"dropped\": 7", "\"dropped\": 4294967296", 1), "at line");
}

#[test]
fn a_round_of_centuries_is_refused() {
    for field in ["elapsed_ns", "inside_ns"] {
        assert_run_refused(|run| run["measurements"][0]["rounds"][2][field] = json!(u64::MAX), "round 2: 184467440737");
    }
}

#[test]
fn a_run_before_1970_or_after_9999_is_refused() {
    assert_run_refused(|run| run["started"] = json!(-1), "invalid value");
    assert_run_refused(|run| run["started"] = json!(253_402_300_800_u64), "seconds since 1970 are more");
    assert_run_refused(|run| run["started"] = json!(u64::MAX), "seconds since 1970 are more");
}

#[test]
fn a_tolerance_that_excuses_everything_is_refused() {
    for tolerance in [1e9, -0.01, 1e-12, -1e300] {
        assert_run_refused(|run| run["gate"]["tolerance"] = json!(tolerance), "the tolerance of all metrics is");
        assert_run_refused(|run| run["gate"]["tolerances"]["wall"] = json!(tolerance), "the tolerance of wall is");
    }
    assert_text_refused(RUN.replacen("\"tolerance\": 0.01", "\"tolerance\": NaN", 1), "at line");
}

#[test]
fn an_error_that_is_no_chance_is_refused() {
    for error in [0.0, 1.0, -0.5, 7.0] {
        assert_run_refused(|run| run["gate"]["family_error"] = json!(error), "family_error");
    }
}

#[test]
fn more_rounds_than_any_plan_asks_for_are_refused() {
    assert_run_refused(|run| run["gate"]["most_rounds"] = json!(1_u64 << 63), "rounds are more than 4096");
}

#[test]
fn shares_beyond_the_whole_are_refused() {
    let profile = |share: f64, samples: u64| {
        json!([{"arm": 0, "event": "cycles", "method": "dwarf", "samples": samples, "rooted": 1, "lost": 0,
                "functions": [{"name": "f", "own": [0.1], "total": [share]}]}])
    };
    assert_run_refused(|run| run["measurements"][0]["profiles"] = profile(1.5, 9), "a function's share is 1.5");
    assert_run_refused(|run| run["measurements"][0]["profiles"] = profile(-0.5, 9), "a function's share is -0.5");
    assert_run_refused(|run| run["measurements"][0]["profiles"] = profile(0.5, u64::MAX), "samples are more");
}
