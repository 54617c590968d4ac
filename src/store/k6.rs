//! End-of-test summaries of the load generator k6 (<https://k6.io>) as metrics.
//!
//! | in the summary | metric | unit |
//! |---|---|---|
//! | `http_req_duration`: `med`, `p(N)`, `avg`, `min`, `max` | `latency.p50`, `latency.pN`, `.mean`, `.min`, `.max` | ns |
//! | any other trend of times, `T` | `latency.T.p50`, ... | ns |
//! | a trend of anything else | `k6.T.p50`, ... | as reported |
//! | `http_reqs`: `rate` | `throughput` | per second |
//! | any other counter `C`: `count`, `rate` | `k6.C`, `throughput.C` | count, per second |
//! | a rate `R` | `k6.R` | share, 0 to 1 |
//! | a gauge `G`: `value`, `max` | `k6.G`, `k6.G.max` | as reported |
//!
//! All three shapes that k6 writes are read: `--summary-export`, `JSON.stringify(data)` in `handleSummary(data)`, and both with
//! `--new-machine-readable-summary` (schema 1.0.0, <https://github.com/grafana/k6-summary>). Times are in milliseconds there,
//! whatever `--summary-time-unit` says. Sub-metrics (`http_req_duration{...}`) and thresholds are passed over.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::load::read;
use crate::samples::Metric;

/// The largest summary that is read, in bytes.
const LARGEST: usize = 16 << 20;
/// The most metrics of one summary.
const MOST: usize = 10_000;
/// Nanoseconds in the unit of k6's times.
const MILLISECOND: f64 = 1e6;
/// What a load test is about: its metrics have the plain names.
const DURATION: &str = "http_req_duration";
/// Its number of requests.
const REQUESTS: &str = "http_reqs";

/// The statistics of k6's that are told of every trend by default, and whatever percentiles were asked for.
const STATISTICS: [(&str, &str); 5] =
    [("avg", "mean"), ("med", "p50"), ("p(50)", "p50"), ("min", "min"), ("max", "max")];

/// One summary of k6.
#[derive(Clone, Debug, PartialEq)]
pub struct K6Summary {
    /// How long the test took, in nanoseconds, where the summary says so.
    pub elapsed_ns: Option<u64>,
    /// What it measured.
    pub metrics: BTreeMap<Metric, f64>,
}

/// Reads a summary from a file.
///
/// # Errors
/// Where the file can't be read, is larger than 16 MiB, no JSON (with line and column), no summary, or has no metric.
pub fn read_k6(path: &std::path::Path) -> Result<K6Summary> {
    let reading = || format!("{} is no summary of k6", path.display());
    let bytes = read(path)?;
    ensure!(bytes.len() <= LARGEST, "{} is larger than 16 MiB: no summary of k6", path.display());
    parse(&bytes).with_context(reading)
}

fn parse(bytes: &[u8]) -> Result<K6Summary> {
    let summary: Value = serde_json::from_slice(bytes)?;
    let mut metrics = BTreeMap::new();
    for (name, measured) in listed(&summary)? {
        // `http_req_duration{status:200}` is a part of what stands there anyway.
        if !name.contains('{') {
            metrics.extend(read_one(name, measured));
        }
    }
    ensure!(!metrics.is_empty(), "it has no metric that can be read");
    ensure!(metrics.len() <= MOST, "it has {} metrics, more than {MOST}", metrics.len());
    Ok(K6Summary { elapsed_ns: elapsed(&summary), metrics })
}

/// The metrics of a summary by their names, in whichever shape it is.
fn listed(summary: &Value) -> Result<Vec<(&str, &Map<String, Value>)>> {
    let by_schema = summary.pointer("/results/metrics").and_then(Value::as_array);
    if let Some(list) = by_schema {
        let version = summary.get("version").and_then(Value::as_str).unwrap_or_default();
        ensure!(version.starts_with("1."), "its schema is {version:?}, and only 1.x is known: update the tool");
        let named = |one: &'_ Value| -> Option<()> { one.get("name")?.as_str().map(drop) };
        ensure!(list.iter().all(|one| named(one).is_some()), "a metric in `results.metrics` has no name");
        return Ok(list.iter().filter_map(|one| Some((one.get("name")?.as_str()?, one.as_object()?))).collect());
    }
    let Some(metrics) = summary.get("metrics").and_then(Value::as_object) else {
        bail!("it has neither `metrics` nor `results.metrics`: write it with `k6 run --summary-export FILE`");
    };
    Ok(metrics.iter().filter_map(|(name, one)| Some((name.as_str(), one.as_object()?))).collect())
}

/// How long the test took, in nanoseconds: milliseconds in one shape, seconds in the other.
fn elapsed(summary: &Value) -> Option<u64> {
    let at = |place: &str, unit: f64| Some(summary.pointer(place)?.as_f64()? * unit);
    let elapsed = at("/state/testRunDurationMs", MILLISECOND).or_else(|| at("/config/duration", 1e9))?;
    (elapsed.is_finite() && elapsed >= 0.0).then_some(elapsed as u64)
}

/// What one metric of k6 yields.
fn read_one(name: &str, measured: &Map<String, Value>) -> Vec<(Metric, f64)> {
    // The plain export has the values right here, and says neither type nor unit.
    let values = measured.get("values").and_then(Value::as_object).unwrap_or(measured);
    let value = |key: &str| values.get(key).and_then(Value::as_f64);
    let metric = |text: String| text.parse::<Metric>().ok();
    let kind = measured.get("type").and_then(Value::as_str).unwrap_or_else(|| kind(values));
    let found: Vec<(Option<Metric>, Option<f64>)> = match kind {
        "trend" => return trend(name, is_time(name, measured), values),
        "counter" if name == REQUESTS => vec![(metric("throughput".to_owned()), value("rate"))],
        "counter" => {
            vec![(metric(format!("k6.{name}")), value("count")), (metric(format!("throughput.{name}")), value("rate"))]
        }
        "rate" => vec![(metric(format!("k6.{name}")), value("rate").or_else(|| value("value")))],
        "gauge" => {
            vec![(metric(format!("k6.{name}")), value("value")), (metric(format!("k6.{name}.max")), value("max"))]
        }
        _ => Vec::new(),
    };
    let known = found.into_iter().filter_map(|(metric, value)| Some((metric?, value?)));
    known.filter(|(_, value)| value.is_finite()).collect()
}

/// The type of a metric that does not say it.
fn kind(values: &Map<String, Value>) -> &'static str {
    let has = |key: &str| values.contains_key(key);
    match () {
        () if has("passes") && has("fails") => "rate",
        () if has("count") && has("rate") => "counter",
        () if has("value") => "gauge",
        () if values.keys().any(|key| statistic(key).is_some()) => "trend",
        () => "",
    }
}

/// Whether a trend is of times. The plain export does not say; of k6's own trends all are.
fn is_time(name: &str, measured: &Map<String, Value>) -> bool {
    let own = |part: &str| name.starts_with(part);
    match measured.get("contains").and_then(Value::as_str) {
        Some(contains) => contains == "time",
        None => {
            name.ends_with("_duration") || ["http_req_", "ws_", "grpc_req_", "browser_web_vital_"].into_iter().any(own)
        }
    }
}

fn trend(name: &str, is_time: bool, values: &Map<String, Value>) -> Vec<(Metric, f64)> {
    let prefix = match (is_time, name) {
        (true, DURATION) => "latency".to_owned(),
        (true, name) => format!("latency.{name}"),
        (false, name) => format!("k6.{name}"),
    };
    let unit = if is_time { MILLISECOND } else { 1.0 };
    let read = |(key, value): (&String, &Value)| -> Option<(Metric, f64)> {
        let value = value.as_f64().map(|value| value * unit).filter(|value| value.is_finite())?;
        Some((format!("{prefix}.{}", statistic(key)?).parse().ok()?, value))
    };
    values.iter().filter_map(read).collect()
}

/// Our word for a statistic: `p(99.9)` is `p99.9`.
fn statistic(key: &str) -> Option<String> {
    if let Some((_, ours)) = STATISTICS.iter().find(|(theirs, _)| *theirs == key) {
        return Some((*ours).to_owned());
    }
    let percentile = format!("p{}", key.strip_prefix("p(")?.strip_suffix(')')?);
    Metric::is_statistic(&percentile).then_some(percentile)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written as k6 0.50 does with `--summary-export`.
    const EXPORT: &str = r#"{"metrics": {
        "http_req_duration": {"avg": 2.5, "min": 0.5, "med": 2, "max": 40, "p(90)": 3, "p(95)": 4, "p(99.9)": 30.25,
            "thresholds": {"p(95)<200": false}},
        "http_req_duration{expected_response:true}": {"avg": 1, "min": 1, "med": 1, "max": 1, "p(90)": 1, "p(95)": 1},
        "http_reqs": {"count": 600, "rate": 199.5},
        "http_req_failed": {"passes": 6, "fails": 594, "value": 0.01},
        "iterations": {"count": 300, "rate": 99.75},
        "vus": {"value": 3, "min": 1, "max": 10}},
        "root_group": {"name": "", "path": "", "groups": {}, "checks": {}}}"#;

    fn read(text: &str) -> BTreeMap<String, f64> {
        parse(text.as_bytes()).unwrap().metrics.into_iter().map(|(metric, value)| (metric.to_string(), value)).collect()
    }

    fn expected() -> BTreeMap<String, f64> {
        let latency =
            [("mean", 2.5), ("min", 0.5), ("p50", 2.0), ("max", 40.0), ("p90", 3.0), ("p95", 4.0), ("p99.9", 30.25)];
        let rest = [
            ("throughput", 199.5),
            ("k6.http_req_failed", 0.01),
            ("k6.iterations", 300.0),
            ("throughput.iterations", 99.75),
            ("k6.vus", 3.0),
            ("k6.vus.max", 10.0),
        ];
        let latency = latency.map(|(name, ms)| (format!("latency.{name}"), ms * 1e6));
        latency.into_iter().chain(rest.map(|(name, value)| (name.to_owned(), value))).collect()
    }

    /// The same as k6's own callback gets it.
    fn callback() -> Value {
        let export: Value = serde_json::from_str(EXPORT).unwrap();
        let typed = export["metrics"].as_object().unwrap().iter().map(|(name, values)| {
            let kind = kind(values.as_object().unwrap());
            let contains = if kind == "trend" { "time" } else { "default" };
            let mut values = values.clone();
            if let Some(value) = values.as_object_mut().unwrap().remove("value").filter(|_| kind == "rate") {
                values["rate"] = value;
            } else if kind == "gauge" {
                values["value"] = 3.into();
            }
            values.as_object_mut().unwrap().remove("thresholds");
            (name.clone(), serde_json::json!({"type": kind, "contains": contains, "values": values}))
        });
        serde_json::json!({
            "metrics": typed.collect::<Map<_, _>>(),
            "state": {"testRunDurationMs": 3007.5},
        })
    }

    #[test]
    fn the_plain_export_is_read_with_times_in_nanoseconds() {
        assert_eq!(read(EXPORT), expected());
        assert_eq!(parse(EXPORT.as_bytes()).unwrap().elapsed_ns, None);
    }

    #[test]
    fn what_the_callback_gets_says_the_same_and_how_long_it_took() {
        let text = callback().to_string();
        assert_eq!(read(&text), expected());
        assert_eq!(parse(text.as_bytes()).unwrap().elapsed_ns, Some(3_007_500_000));
    }

    #[test]
    fn the_schema_says_the_same_and_a_newer_one_is_refused() {
        let callback = callback();
        let named = callback["metrics"].as_object().unwrap().iter().map(|(name, one)| {
            let mut one = one.clone();
            one["name"] = name.clone().into();
            one
        });
        let mut summary = serde_json::json!({
            "version": "1.0.0", "config": {"duration": 3.0}, "results": {"metrics": named.collect::<Vec<_>>()},
        });
        assert_eq!(read(&summary.to_string()), expected());
        assert_eq!(parse(summary.to_string().as_bytes()).unwrap().elapsed_ns, Some(3_000_000_000));
        summary["version"] = "2.0.0".into();
        assert!(parse(summary.to_string().as_bytes()).unwrap_err().to_string().contains("2.0.0"));
    }

    #[test]
    fn trends_of_anything_but_time_keep_their_values() {
        let sizes = r#"{"metrics": {"basket": {"type": "trend", "contains": "default", "values": {"avg": 3, "p(95)": 7}},
            "http_req_waiting": {"avg": 1.5}, "own_trend": {"avg": 4}}}"#;
        let expected = [
            ("k6.basket.mean", 3.0),
            ("k6.basket.p95", 7.0),
            ("k6.own_trend.mean", 4.0),
            ("latency.http_req_waiting.mean", 1.5e6),
        ];
        assert_eq!(read(sizes), expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn what_is_no_summary_is_refused_with_the_reason() {
        let refused = |text: &str| format!("{:#}", parse(text.as_bytes()).unwrap_err());
        assert!(refused("{").contains("line 1"), "{}", refused("{"));
        assert!(refused("[]").contains("--summary-export"), "{}", refused("[]"));
        assert!(refused(r#"{"metrics": {}}"#).contains("no metric"));
        assert!(refused(r#"{"metrics": {"x y": {"avg": 1}, "z": 3, "t": {"avg": "fast"}}}"#).contains("no metric"));
        assert!(
            refused(r#"{"version": "1.0.0", "results": {"metrics": [{"type": "trend"}]}}"#).contains("has no name")
        );
        assert!(refused(&"[".repeat(10_000)).contains("line 1"), "deep nesting is an error, not a crash");
        let huge = r#"{"metrics": {"http_req_duration": {"max": 1e303}}}"#;
        assert!(refused(huge).contains("no metric"), "more milliseconds than there are nanoseconds: {}", refused(huge));
    }
}
