//! The sections of a report, each entry by entry. A field that is absent or of another type yields nothing.

use serde_json::{Map, Value};

use super::Found;
use super::quantity::Quantity;

/// Sections about functions; each says what its values are.
const FUNCTIONS: [&str; 3] = ["functions_timing", "functions_alloc", "functions_icount"];

/// Notes the metrics of all sections that are known.
pub(super) fn read(report: &Value, found: &mut Found) {
    for section in FUNCTIONS {
        let mode = report.get(section).and_then(|section| section.get("profiling_mode")).and_then(Value::as_str);
        entries(report, section, "name", |name, entry| match mode {
            Some("timing") => timing(name, entry, found),
            Some("alloc-bytes") => counted(name, entry, ("alloc.bytes", Quantity::Size), found),
            Some("alloc-count") => counted(name, entry, ("alloc.count", Quantity::Count), found),
            Some("icount") => counted(name, entry, ("instructions", Quantity::Count), found),
            _ => {}
        });
    }
    entries(report, "channels", "label", |label, entry| channel(label, entry, found));
    entries(report, "streams", "label", |label, entry| {
        found.note("stream.items", label, number(entry, "items_yielded"));
    });
    entries(report, "futures", "label", |label, entry| future(label, entry, found));
    entries(report, "mutexes", "label", |label, entry| lock(label, entry, ("mutex", ""), found));
    entries(report, "rw_locks", "label", |label, entry| {
        lock(label, entry, ("rw_lock.read", "read_"), found);
        lock(label, entry, ("rw_lock.write", "write_"), found);
    });
}

/// Every entry of a section that has a name.
fn entries(report: &Value, section: &str, key: &str, mut visit: impl FnMut(&str, &Map<String, Value>)) {
    let data = report.get(section).and_then(|section| section.get("data")).and_then(Value::as_array);
    for entry in data.into_iter().flatten().filter_map(Value::as_object) {
        if let Some(name) = entry.get(key).and_then(Value::as_str) {
            visit(name, entry);
        }
    }
}

fn timing(name: &str, entry: &Map<String, Value>, found: &mut Found) {
    found.note("calls", name, number(entry, "calls"));
    if was_sampled(entry, "sampled_calls") {
        found.note("avg", name, quantity(entry, "avg", Quantity::Time));
        found.note("total", name, quantity(entry, "total", Quantity::Time));
        percentiles(entry).for_each(|(key, text)| found.note(key, name, Quantity::Time.read(text)));
    }
}

/// What is counted per call. The mean is that of all calls: the printed one has no fraction, and is 0 for 299 allocations in
/// 300 calls.
fn counted(name: &str, entry: &Map<String, Value>, (word, quantity): (&str, Quantity), found: &mut Found) {
    let calls = number(entry, "calls");
    found.note("calls", name, calls);
    if !was_sampled(entry, "sampled_calls") {
        return;
    }
    let total = self::quantity(entry, "total", quantity);
    found.note(word, name, total);
    let mean = total.zip(calls.filter(|calls| *calls > 0.0)).map(|(total, calls)| total / calls);
    found.note(&format!("{word}.avg"), name, mean);
    for (key, text) in percentiles(entry) {
        found.note(&format!("{word}.{key}"), name, quantity.read(text));
    }
}

fn channel(label: &str, entry: &Map<String, Value>, found: &mut Found) {
    found.note("channel.sent", label, number(entry, "sent_count"));
    found.note("channel.received", label, number(entry, "received_count"));
    found.note("channel.queue.max", label, number(entry, "max_queue_size"));
    if was_sampled(entry, "delay_sampled_count") {
        times(label, entry, ("channel.delay", "delay"), found);
    }
}

fn future(label: &str, entry: &Map<String, Value>, found: &mut Found) {
    found.note("future.calls", label, number(entry, "call_count"));
    found.note("future.polls", label, number(entry, "total_polls"));
    if was_sampled(entry, "sampled_polls") {
        found.note("future.poll.total", label, number(entry, "total_poll_duration_ns"));
    }
}

/// A lock, or one of the two ways to take it, whose fields have a prefix.
fn lock(label: &str, entry: &Map<String, Value>, (word, prefix): (&str, &str), found: &mut Found) {
    found.note(&format!("{word}.count"), label, number(entry, &format!("{prefix}count")));
    if was_sampled(entry, &format!("{prefix}sampled_count")) {
        for what in ["wait", "acquire"] {
            times(label, entry, (&format!("{word}.{what}"), &format!("{prefix}{what}")), found);
        }
    }
}

/// `KEY_avg`, and `KEY_percentiles` with their own keys.
fn times(label: &str, entry: &Map<String, Value>, (word, key): (&str, &str), found: &mut Found) {
    found.note(&format!("{word}.avg"), label, quantity(entry, &format!("{key}_avg"), Quantity::Time));
    let percentiles_of = entry.get(&format!("{key}_percentiles")).and_then(Value::as_object);
    for (key, text) in percentiles_of.into_iter().flat_map(percentiles) {
        found.note(&format!("{word}.{key}"), label, Quantity::Time.read(text));
    }
}

/// Percentiles among the fields of an entry: `p50`, `p99.9`.
fn percentiles(entry: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    let is_percentile = |key: &str| key.strip_prefix('p').and_then(|rank| rank.parse::<f64>().ok()).is_some();
    let fields = entry.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
    fields.filter(move |(key, _)| is_percentile(key))
}

/// Whether a count of what was timed is above 0. Where it is not given, all was timed.
fn was_sampled(entry: &Map<String, Value>, key: &str) -> bool {
    number(entry, key).is_none_or(|sampled| sampled > 0.0)
}

fn number(entry: &Map<String, Value>, key: &str) -> Option<f64> {
    entry.get(key)?.as_f64().filter(|number| *number >= 0.0)
}

fn quantity(entry: &Map<String, Value>, key: &str, quantity: Quantity) -> Option<f64> {
    quantity.read(entry.get(key)?.as_str()?)
}
