//! Reports that a program linked to hotpath 0.30.3 wrote, and reports that mean harm.

use super::*;

const TIMING: &str = include_str!("../../../fixtures/hotpath-timing.json");
const ALLOC: &str = include_str!("../../../fixtures/hotpath-alloc.json");
const ALLOC_COUNT: &str = include_str!("../../../fixtures/hotpath-alloc-count.json");

/// The value of a metric, if the report has it.
fn value(report: &str, text: &str) -> Option<f64> {
    let found = metrics(report).unwrap();
    found.iter().find(|(metric, _)| metric.as_str() == text).map(|(_, value)| *value)
}

fn report(sections: &str) -> String {
    format!(r#"{{"type":"hotpath_report","version":"9.9.9",{sections}}}"#)
}

#[test]
fn times_of_functions_are_read_in_nanoseconds() {
    for (metric, expected) in [
        ("hotpath.calls(fixture::orders::price)", 300.0),
        ("hotpath.avg(fixture::orders::price)", 480.0),
        ("hotpath.p50(fixture::orders::price)", 250.0),
        ("hotpath.p95(fixture::orders::price)", 2_210.0),
        ("hotpath.p99.9(fixture::orders::price)", 37_500.0),
        ("hotpath.total(fixture::orders::price)", 144_050.0),
        ("hotpath.avg(fixture::main)", 4_410_000.0),
        ("hotpath.calls(fixture::orders::Book::insert)", 300.0),
    ] {
        assert_eq!(value(TIMING, metric), Some(expected), "{metric}");
    }
    assert_eq!(value(TIMING, "hotpath.alloc.bytes(fixture::orders::price)"), None);
}

#[test]
fn channels_and_locks_are_read() {
    for (metric, expected) in [
        ("hotpath.channel.sent(trades)", 300.0),
        ("hotpath.channel.received(trades)", 300.0),
        ("hotpath.channel.queue.max(trades)", 300.0),
        ("hotpath.channel.delay.avg(trades)", 3_730_000.0),
        ("hotpath.channel.delay.p95(trades)", 4_070_000.0),
        ("hotpath.mutex.count(ledger)", 300.0),
        ("hotpath.mutex.wait.p50(ledger)", 10.0),
        ("hotpath.mutex.acquire.p99.9(ledger)", 250.0),
        ("hotpath.rw_lock.read.count(prices)", 300.0),
        ("hotpath.rw_lock.write.wait.p99.9(prices)", 90.0),
    ] {
        assert_eq!(value(TIMING, metric), Some(expected), "{metric}");
    }
}

#[test]
fn allocations_are_read_in_bytes_or_in_calls() {
    assert_eq!(value(ALLOC, "hotpath.alloc.bytes(fixture::orders::price)"), Some(358_800.0));
    assert_eq!(value(ALLOC, "hotpath.alloc.bytes.avg(fixture::orders::price)"), Some(1_196.0));
    assert_eq!(value(ALLOC, "hotpath.alloc.bytes.p95(fixture::orders::price)"), Some(2_273.0));
    assert_eq!(value(ALLOC, "hotpath.avg(fixture::main)"), Some(3_298_793.0), "the exact form");
    assert_eq!(value(ALLOC, "hotpath.calls(fixture::orders::price)"), Some(300.0), "both sections agree");
    assert_eq!(value(ALLOC_COUNT, "hotpath.alloc.count(fixture::orders::price)"), Some(299.0));
    assert_eq!(value(ALLOC_COUNT, "hotpath.alloc.count.avg(fixture::orders::price)"), Some(299.0 / 300.0));
    assert_eq!(value(ALLOC_COUNT, "hotpath.alloc.bytes(fixture::orders::price)"), None);
}

#[test]
fn names_that_no_metric_may_have_are_spelled_with_underscores() {
    assert_eq!(metric("avg", "flush; (slow)").unwrap().as_str(), "hotpath.avg(flush_ _slow_)");
    assert!(metric("avg", "<T as A>::b\n\u{1b}é").is_some());
    assert!(metric("avg", "").is_none());
    assert!(metric("avg", &"long".repeat(1_000)).is_none());
}

#[test]
fn every_entry_of_a_report_becomes_metrics() {
    for (report, entries) in [(TIMING, 5), (ALLOC, 5), (ALLOC_COUNT, 5)] {
        let found = metrics(report).unwrap();
        assert!(found.is_sorted_by(|(one, _), (other, _)| one < other));
        assert_eq!(found.iter().filter(|(metric, _)| metric.as_str().starts_with("hotpath.calls(")).count(), entries);
        assert_eq!(found.iter().filter(|(metric, _)| metric.as_str().starts_with("hotpath.channel.sent(")).count(), 2);
    }
}

#[test]
fn what_was_not_sampled_is_absent_and_not_0() {
    let idle = report(
        r#""functions_timing":{"profiling_mode":"timing","data":[
            {"name":"f","calls":7,"sampled_calls":0,"avg":"0 ns","total":"0 ns","p95":"0 ns"}]},
           "channels":{"data":[{"label":"c","sent_count":0,"delay_avg":"0 ns","delay_sampled_count":0}]}"#,
    );
    let found: Vec<_> =
        metrics(&idle).unwrap().into_iter().map(|(metric, value)| (metric.to_string(), value)).collect();
    assert_eq!(found, [("hotpath.calls(f)".to_owned(), 7.0), ("hotpath.channel.sent(c)".to_owned(), 0.0)]);
}

#[test]
fn two_values_under_one_name_are_none() {
    let twice = |second: u32| {
        let entry = |sent: u32| format!(r#"{{"label":"c","sent_count":{sent}}}"#);
        report(&format!(r#""channels":{{"data":[{},{},{}]}}"#, entry(1), entry(second), entry(1)))
    };
    assert_eq!(value(&twice(1), "hotpath.channel.sent(c)"), Some(1.0));
    assert_eq!(value(&twice(2), "hotpath.channel.sent(c)"), None);
}

#[test]
fn what_is_not_known_or_of_another_type_is_passed_over() {
    for odd in [
        r#""channels":null,"functions_timing":[],"mutexes":7,"weather":{"data":[{"label":"x","sent_count":1}]}"#,
        r#""channels":{"data":{"label":"x"}},"functions_timing":{"profiling_mode":"weather","data":[{"name":"f","calls":1}]}"#,
        r#""channels":{"data":[null,7,{"label":7,"sent_count":1},{"label":"c","sent_count":"many"},{"sent_count":1}]}"#,
        r#""functions_timing":{"profiling_mode":"timing","data":[{"name":"f","calls":-1,"avg":7,"p95":"N/A","p":"1 ns"}]}"#,
    ] {
        assert!(metrics(&report(odd)).unwrap().is_empty(), "{odd}");
    }
}

#[test]
fn what_is_no_report_is_refused() {
    let failure = |text: &str| format!("{:#}", metrics(text).unwrap_err());
    assert!(failure("").contains("is JSON"));
    assert!(failure("[hotpath] calls: 3").contains("line 1 column"));
    assert!(failure(&"[".repeat(100_000)).contains("recursion limit"));
    assert!(failure("{}").contains("missing"));
    assert!(failure("[]").contains("missing"));
    assert!(failure(r#"{"type":"coverage"}"#).contains(r#"not "coverage""#));
    assert!(failure(&" ".repeat(LARGEST + 1)).contains("larger than 64 MiB"));
    let entries: Vec<String> = (0..=MOST).map(|at| format!(r#"{{"label":"c{at}","sent_count":1}}"#)).collect();
    assert!(
        failure(&report(&format!(r#""channels":{{"data":[{}]}}"#, entries.join(",")))).contains("more than 100000")
    );
}
