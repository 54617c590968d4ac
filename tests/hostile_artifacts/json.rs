//! Texts that are no run, or that JSON readers disagree about.

use perfplan::store::read_artifact;
use serde_json::json;

use crate::support::{RUN, accepted, artifact, assert_run_refused, assert_text_refused};

#[test]
fn what_is_no_json_is_refused_with_its_place() {
    for text in [&b"hello"[..], b"\0", b"\xff\xfe{\0}\0", b"{", b"<html>", b"{'a': 1}", b"{\"a\": 1,}", b"// x\n{}"] {
        assert_text_refused(text, "at line 1");
    }
    assert_text_refused("", "run.json: EOF while parsing");
}

#[test]
fn what_is_json_and_no_run_is_refused() {
    for text in ["[]", "null", "1", "\"run\"", "{}", "[[[[]]]]", "true"] {
        assert_text_refused(text, "no run of this tool");
    }
}

#[test]
fn a_second_value_behind_the_run_is_refused() {
    assert_text_refused(format!("{RUN}{RUN}"), "trailing characters");
}

#[test]
fn a_mark_of_the_order_of_bytes_is_refused() {
    assert_text_refused(format!("\u{feff}{RUN}"), "expected value at line 1");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let bytes = RUN.replace("Example CPU", "Example\u{1}CPU").into_bytes();
    assert_text_refused(&bytes, "control character");
    let bytes: Vec<u8> = RUN.bytes().map(|byte| if byte == b'E' { 0xff } else { byte }).collect();
    assert_text_refused(&bytes, "invalid unicode");
    assert_text_refused(RUN.replace("Example CPU", "\\ud800"), "unexpected end of hex escape");
}

#[test]
fn a_format_that_never_was_is_refused() {
    assert_run_refused(|run| run["format"] = json!(0), "format 0 never existed");
    assert_run_refused(|run| run["format"] = json!(-1), "invalid value: integer `-1`");
}

#[test]
fn a_format_of_the_future_is_refused_by_its_number() {
    assert_run_refused(|run| run["format"] = json!(999), "format 999 is newer than 1");
    assert_text_refused(r#"{"format": 999, "all": "else"}"#, "format 999 is newer than 1");
}

#[test]
fn fields_of_another_type_are_refused() {
    assert_run_refused(|run| run["id"] = json!(7), "expected a string");
    assert_run_refused(|run| run["measurements"] = json!({}), "invalid type");
    assert_run_refused(|run| run["complete"] = json!("yes"), "invalid type");
    assert_run_refused(|run| drop(run.as_object_mut().unwrap().remove("gate")), "missing field `gate`");
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    assert_text_refused(RUN.replacen("\"format\": 1,", "\"format\": 1, \"format\": 1,", 1), "duplicate field `format`");
}

#[test]
fn unknown_fields_are_passed_over_and_change_nothing() {
    let mut evil = json!({"__proto__": {"format": 2}, "x": [[[{"y": null}]]]});
    evil["pull_request"] = json!(999);
    let run = accepted(|run| {
        run["pull_request"] = json!(999);
        run["head_sha"] = json!("0".repeat(40));
        run["evil"] = evil;
        run["gate"]["evil"] = json!(1);
    });
    assert_eq!(run, serde_json::from_str(RUN).unwrap());
}

#[test]
fn lists_in_lists_are_refused_from_the_thirty_third_level_on() {
    let nested = |levels: usize| {
        let evil = format!("\"evil\": {}{},", "[".repeat(levels), "]".repeat(levels));
        RUN.replacen("\"format\"", &format!("{evil} \"format\""), 1)
    };
    read_artifact(&artifact(nested(31))).unwrap();
    assert_text_refused(nested(32), "nested more than 32 levels deep");
    assert_text_refused("[".repeat(10_000_000), "nested more than 32 levels deep");
    assert_text_refused("{\"a\":".repeat(1_000_000), "nested more than 32 levels deep");
}

#[test]
fn a_text_beyond_64_kib_is_refused_wherever_it_is() {
    let long = || json!("x".repeat((64 << 10) + 1));
    assert_run_refused(|run| run["tool"] = long(), "more than 64 KiB");
    assert_run_refused(|run| run["unknown"] = long(), "more than 64 KiB");
    assert_run_refused(|run| run["environment"]["fingerprint"]["cpu.model"] = long(), "more than 64 KiB");
    let name = "x".repeat((64 << 10) + 1);
    assert_run_refused(|run| run["environment"]["absent"][name] = json!(""), "a name has 65537 bytes");
}

#[test]
fn what_an_error_quotes_of_a_run_is_short_and_does_nothing() {
    let evil = format!("\u{1b}[2J\n::error::\u{202e}{}", "x".repeat(60_000));
    assert_run_refused(|run| run["id"] = json!(evil), "a run id has 1 to 200 characters");
    assert_run_refused(|run| run["cases"] = json!([evil]), "a workload is made of");
    assert_run_refused(|run| run["gate"] = json!(evil), "run.json: ");
}
