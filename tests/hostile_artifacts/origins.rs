//! Runs that are good and of something else.

use perfplan::samples::Run;
use perfplan::store::{Origin, check_origin};
use serde_json::{Value, json};

use crate::support::accepted;

const HEAD: &str = "d55fec690b810bab081082a9f671cbc465cf50dd";
const BASE: &str = "0123456789abcdef0123456789abcdef01234567";
const STARTED: u64 = 1_795_258_933;
const EXPECTED: Origin<'_> = Origin { head: HEAD, bases: &[BASE], now: STARTED + 600 };

/// What the job of a pull request measures: its head against the base.
fn of_a_pull_request(change: impl FnOnce(&mut Value)) -> Run {
    accepted(|run| {
        run["measurements"][0]["arms"][0]["revision"] = json!(BASE);
        change(run);
    })
}

#[track_caller]
fn assert_disbelieved(change: impl FnOnce(&mut Value), reason: &str) {
    let said = check_origin(&of_a_pull_request(change), &EXPECTED).unwrap_err().to_string();
    assert!(said.contains(reason) && !said.contains(char::is_control), "{said:?} lacks {reason:?}");
}

#[test]
fn the_run_of_the_head_against_the_base_is_believed() {
    check_origin(&of_a_pull_request(|_| {}), &EXPECTED).unwrap();
    let merge_base = "f".repeat(40);
    let expected = Origin { bases: &[&merge_base, BASE], ..EXPECTED };
    check_origin(&of_a_pull_request(|_| {}), &expected).unwrap();
}

#[test]
fn a_run_of_another_head_commit_is_disbelieved() {
    assert_disbelieved(|run| run["commit"] = json!("a".repeat(40)), "not of d55fec69");
    assert_disbelieved(|run| run["commit"] = json!(HEAD[..12]), "not of d55fec69");
    assert_disbelieved(|run| run["commit"] = json!(HEAD.to_uppercase()), "not of d55fec69");
    assert_disbelieved(|run| run["commit"] = json!(format!("{HEAD}\n::set-output")), "not of d55fec69");
}

#[test]
fn a_run_of_another_pull_request_is_disbelieved_whatever_number_it_names() {
    assert_disbelieved(
        |run| {
            (run["pull_request"], run["number"]) = (json!(7), json!(7));
            run["commit"] = json!("b".repeat(40));
        },
        "not of d55fec69",
    );
}

#[test]
fn a_run_of_changes_that_were_not_committed_is_disbelieved() {
    assert_disbelieved(|run| run["commit"] = json!(format!("{HEAD}+")), "not committed");
}

#[test]
fn a_run_of_no_commit_is_disbelieved() {
    assert_disbelieved(|run| run["commit"] = json!(null), "does not say which commit");
}

#[test]
fn a_run_against_another_base_is_disbelieved() {
    let slow = "5".repeat(40);
    assert_disbelieved(|run| run["measurements"][0]["arms"][0]["revision"] = json!(slow), "neither the head nor");
    assert_disbelieved(|run| run["measurements"][0]["arms"][1]["revision"] = json!(slow), "neither the head nor");
}

#[test]
fn a_run_that_compares_the_head_with_itself_is_disbelieved() {
    assert_disbelieved(|run| run["measurements"][0]["arms"][0]["revision"] = json!("working tree"), "compares nothing");
    assert_disbelieved(|run| run["measurements"][0]["arms"][1]["revision"] = json!(BASE), "compares nothing");
}

#[test]
fn the_run_of_a_drill_is_disbelieved() {
    assert_disbelieved(|run| run["measurements"][0]["arms"][1]["handicap"] = json!(-0.5), "that of a drill");
}

#[test]
fn a_run_of_another_time_is_disbelieved_as_waivers_end_on_a_day() {
    assert_disbelieved(|run| run["started"] = json!(0), "no job waits or runs so long");
    assert_disbelieved(|run| run["started"] = json!(STARTED - 40 * 86_400), "no job waits or runs so long");
    assert_disbelieved(|run| run["started"] = json!(STARTED + 86_400), "no job waits or runs so long");
}
