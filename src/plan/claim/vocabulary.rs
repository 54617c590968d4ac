//! The words for what is measured: what they mean, and what is said of those that mean nothing.

use perfplan_harness::protocol::HardwareEvent;

use super::Need;
use super::quantity::Kind;
use crate::plan::fault::{Refusal, instead};
use crate::plan::nearest::{Ends, distance, nearest};
use crate::samples::{Metric, Unit};

pub(super) const SYSCALLS: &str = "syscalls";
pub(super) const DISTRIBUTION: &str = "distribution";
pub(super) const CHECKSUM: &str = "checksum";
/// What names of metrics begin with that the crate `hotpath` reports.
pub(super) const HOTPATH: &str = "hotpath.";

/// Words with a meaning of their own: no metric is called so.
pub(super) const KEYWORDS: [&str; 4] = ["before", "in", "of", "x"];

/// The metrics that stand alone.
const PLAIN: [&str; 3] = ["wall", "cpu", "throughput"];

/// First parts of names under which there are these metrics and no others.
const FAMILIES: [(&str, &[&str]); 8] = [
    ("wall", &["wall", "wall.operation"]),
    ("latency", &["latency.p50", "latency.p95", "latency.p99", "latency.p99.9", "latency.mean", "latency.max"]),
    ("alloc", &["alloc.count", "alloc.bytes", "alloc.peak"]),
    ("rss", &["rss.peak"]),
    ("faults", &["faults.minor", "faults.major"]),
    ("switches", &["switches.involuntary"]),
    ("binary", &["binary.text", "binary.rodata", "binary.data", "binary.bss", "binary.file"]),
    ("build", &["build.wall", "build.cpu"]),
];

/// Checks the name of a metric that stands alone. A name that is neither known nor nearly so is one that a case reports itself.
pub(super) fn plain(name: &str) -> Result<Metric, Refusal> {
    let metric: Metric = name
        .parse()
        .map_err(|problem: String| Refusal::new(problem, r#"write a name such as "wall" or "cache.hit-rate""#))?;
    let (family, _) = name.split_once('.').unwrap_or((name, ""));
    match family {
        "profile" | "hotpath" | DISTRIBUTION => {
            let help = format!("write the part in parentheses: {}", example(name));
            return Err(Refusal::new(format!("{name:?} of what?"), help));
        }
        SYSCALLS => return Ok(metric),
        _ => {}
    }
    if let Some((_, members)) = FAMILIES.iter().find(|(known, _)| *known == family) {
        let known = members.contains(&name) || is_latency(name);
        return if known { Ok(metric) } else { Err(Refusal::new(unknown(name), instead(name, members))) };
    }
    match slip(name) {
        Some(meant) => {
            let help = format!("did you mean {meant:?}? A case's own metric needs a name less like it");
            Err(Refusal::new(unknown(name), help))
        }
        None => Ok(metric),
    }
}

fn unknown(name: &str) -> String {
    format!("there is no metric {name:?}")
}

/// `latency.p99.99`, `latency.http_req_waiting.max`: every percentile is a metric, and parts of a request have theirs.
fn is_latency(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("latency.") else { return false };
    Metric::is_statistic(rest) || rest.match_indices('.').any(|(at, _)| at > 0 && Metric::is_statistic(&rest[at + 1..]))
}

/// The known name that this one misses by a single letter.
fn slip(name: &str) -> Option<&'static str> {
    let hardware = HardwareEvent::ALL.map(HardwareEvent::as_str);
    let families = FAMILIES.iter().flat_map(|(_, members)| members.iter().copied());
    let mut all = PLAIN.into_iter().chain([SYSCALLS, CHECKSUM]).chain(hardware).chain(families);
    if PLAIN.contains(&name) || hardware.contains(&name) {
        return None;
    }
    all.find(|known| distance(name, known, Ends::Fixed) <= 1)
}

/// How a word is written that takes something in parentheses.
pub(super) fn example(word: &str) -> String {
    match word {
        SYSCALLS => format!("{SYSCALLS}(open*, close)"),
        DISTRIBUTION => format!("{DISTRIBUTION}(call_duration)"),
        word if word.starts_with("profile") => {
            let known = super::ProfileKind::ALL.map(super::ProfileKind::as_str);
            let word = known.into_iter().find(|known| *known == word).unwrap_or("profile.share");
            format!("{word}(core::fmt)")
        }
        word if word.starts_with(HOTPATH) && word.len() > HOTPATH.len() => format!("{word}(module::function)"),
        _ => "hotpath.p95(module::function)".to_owned(),
    }
}

/// What is said of a word with something in parentheses that takes none.
pub(super) fn no_call(word: &str) -> Refusal {
    let parts = super::ProfileKind::ALL.map(super::ProfileKind::as_str);
    let known: Vec<&str> = [SYSCALLS, DISTRIBUTION].into_iter().chain(parts).collect();
    let far = nearest(word, known.iter().copied()).is_empty();
    if far && (word == CHECKSUM || plain(word).is_ok()) {
        return Refusal::new(format!("{word:?} takes nothing in parentheses"), format!("write {word:?} alone"));
    }
    Refusal::new(format!("there is no {word:?} of a part"), instead(word, &known))
}

/// How values of a metric are written.
pub(super) fn kind(metric: &Metric) -> Kind {
    match metric.unit() {
        Unit::Nanoseconds => Kind::Time,
        Unit::Bytes => Kind::Bytes,
        Unit::PerSecond => Kind::Rate,
        Unit::Share => Kind::Share,
        Unit::Count if is_own(metric) && is_in_seconds(metric) => Kind::Seconds,
        Unit::Count if is_own(metric) => Kind::Any,
        Unit::Count => Kind::Count,
    }
}

/// Whether the name says that the case reports seconds, as Prometheus wants it: `action_duration_seconds`.
fn is_in_seconds(metric: &Metric) -> bool {
    metric.word().split(['.', '_', '-']).any(|part| part == "seconds")
}

/// Whether it is a metric that only a case knows.
fn is_own(metric: &Metric) -> bool {
    let name = metric.as_str();
    let counted = name.starts_with("syscalls") || name.starts_with("alloc.");
    !counted && !is_of_the_process(name) && !PLAIN.contains(&name) && !is_hardware(name)
}

/// Whether the kernel says it of the whole process.
fn is_of_the_process(name: &str) -> bool {
    ["rss.", "faults.", "switches."].iter().any(|family| name.starts_with(family))
}

fn is_hardware(name: &str) -> bool {
    HardwareEvent::ALL.iter().any(|event| event.as_str() == name)
}

/// What has to be measured for a metric.
pub(super) fn needs(metric: &Metric) -> Need {
    let name = metric.word();
    let (family, _) = name.split_once('.').unwrap_or((name, ""));
    match family {
        "instructions" => Need::Instructions,
        "wall" | "cpu" | "latency" | "throughput" | "rss" | "faults" | "switches" => Need::Timing,
        "binary" | "build" => Need::Sizes,
        SYSCALLS => Need::Syscalls,
        "hotpath" => Need::Hotpath,
        "profile" => Need::Profile,
        _ if PLAIN.contains(&name) || is_hardware(name) => Need::Timing,
        _ => Need::Counting,
    }
}

/// Whether two measurements of one program come to the very same value.
pub(super) fn is_exact(metric: &Metric) -> bool {
    let name = metric.as_str();
    let same_each_time = name == HardwareEvent::Instructions.as_str() || is_own(metric);
    match kind(metric) {
        Kind::Time | Kind::Rate | Kind::Share => false,
        Kind::Bytes => !name.starts_with("rss."),
        Kind::Seconds | Kind::Any => true,
        Kind::Count => same_each_time || !(is_hardware(name) || is_of_the_process(name)),
    }
}
