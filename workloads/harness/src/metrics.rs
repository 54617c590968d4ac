//! Metrics of a case's own: what only the program knows, such as a hit rate or how long each call took.
//!
//! They are recorded while perfplan counts, in batches of their own beside the timed ones, from any thread. Else a call is one
//! load and one branch. What recording allocates is not counted as the case's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::{HardwareEvent, Reply};
use crate::{allocator, forks};

/// The most values of one distribution that a batch keeps.
const MOST: usize = 20_000;
/// The longest name, bytes.
const LONGEST: usize = 100;
/// First parts of names that mean something to perfplan already.
const TAKEN: [&str; 20] = [
    "alloc",
    "batch",
    "binary",
    "build",
    "callgrind",
    "checksum",
    "context-switches",
    "counters",
    "cpu",
    "distribution",
    "faults",
    "hotpath",
    "latency",
    "page-faults",
    "profile",
    "rss",
    "switches",
    "syscalls",
    "throughput",
    "wall",
];

static RECORDING: AtomicBool = AtomicBool::new(false);
static NOTED: Mutex<BTreeMap<String, Noted>> = Mutex::new(BTreeMap::new());

/// Notes the value that something has now: the metric is the mean of all values noted in a counting batch.
///
/// ```
/// # let (hits, lookups) = (3, 4);
/// perfplan_harness::gauge("cache.hit-rate", f64::from(hits) / f64::from(lookups));
/// ```
///
/// # Panics
/// While recording: where the name is not made of letters, digits, `.`, `_` and `-`, or begins with a word that perfplan uses
/// itself (`wall`, `alloc.`, `syscalls.`, ...), or was used by [`add`] or [`observe`]; and where the value is not finite.
#[inline]
pub fn gauge(name: &str, value: f64) {
    if RECORDING.load(Relaxed) {
        note("gauge", name, Value::Gauge(value));
    }
}

/// Adds to a sum: the metric is the sum over a counting batch, per iteration.
///
/// ```
/// # let rows = [1, 2, 3];
/// perfplan_harness::add("rows.scanned", rows.len() as u64);
/// ```
///
/// # Panics
/// As [`gauge`].
#[inline]
pub fn add(name: &str, n: u64) {
    if RECORDING.load(Relaxed) {
        note("add", name, Value::Add(n));
    }
}

/// Notes one draw of a distribution. At most 20,000 values per name and batch are kept, drawn at random from all, with the
/// same seed in every batch.
///
/// ```
/// # let started = std::time::Instant::now();
/// perfplan_harness::observe("call_duration", started.elapsed().as_nanos() as f64);
/// ```
///
/// # Panics
/// As [`gauge`].
#[inline]
pub fn observe(name: &str, value: f64) {
    if RECORDING.load(Relaxed) {
        note("observe", name, Value::Draw(value));
    }
}

/// What one call notes.
#[derive(Clone, Copy)]
enum Value {
    Gauge(f64),
    Add(u64),
    Draw(f64),
}

/// What came together under one name.
enum Noted {
    Gauge { mean: f64, count: u64 },
    Sum(u64),
    Draws(Reservoir),
}

/// What a batch noted.
pub(crate) struct Notes {
    /// Metrics, per iteration where they are sums.
    pub(crate) values: Vec<(String, f64)>,
    /// [`Reply::Observed`] of each distribution.
    pub(crate) observed: Vec<Reply>,
}

/// Runs `work`, which does `iterations`, and says what it noted. A panic in it ends the recording as well.
pub(crate) fn record<T>(iterations: u64, work: impl FnOnce() -> T) -> (T, Notes) {
    struct Until;
    impl Drop for Until {
        fn drop(&mut self) {
            stop();
        }
    }
    forks::mind();
    noted().clear();
    let until = Until;
    RECORDING.store(true, Relaxed);
    let result = work();
    drop(until);
    let all = std::mem::take(&mut *noted());
    let mut notes = Notes { values: Vec::new(), observed: Vec::new() };
    for (name, noted) in all {
        match noted {
            Noted::Gauge { mean, .. } => notes.values.push((name, mean)),
            Noted::Sum(sum) => notes.values.push((name, sum as f64 / iterations.max(1) as f64)),
            Noted::Draws(draws) => notes.observed.push(Reply::Observed { name, values: draws.kept }),
        }
    }
    (result, notes)
}

/// Ends the recording in a child that was forked meanwhile.
pub(crate) fn stop() {
    RECORDING.store(false, Relaxed);
}

fn noted() -> MutexGuard<'static, BTreeMap<String, Noted>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn note(caller: &str, name: &str, value: Value) {
    // The panic comes when the lock is free again.
    if let Some(Err(fault)) = allocator::unseen(|| keep(&mut noted(), name, value)) {
        panic!("{caller}({name:?}): {fault}");
    }
}

/// Keeps a value under its name, which is checked when it is new: a case may note thousands of values per iteration.
fn keep(noted: &mut BTreeMap<String, Noted>, name: &str, value: Value) -> Result<(), String> {
    match value {
        Value::Gauge(value) | Value::Draw(value) if !value.is_finite() => Err(format!("{value} can't be recorded")),
        _ => match noted.get_mut(name) {
            Some(before) => {
                let other = || "the same name has already been used for another kind of metric".to_owned();
                before.take(value).then_some(()).ok_or_else(other)
            }
            None => {
                check(name)?;
                noted.insert(name.to_owned(), Noted::of(value));
                Ok(())
            }
        },
    }
}

/// Refuses a name that is none, or perfplan's own.
fn check(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
        return Err(format!("a name is 1 to {LONGEST} letters, digits, `.`, `_` and `-`"));
    }
    let first = name.split('.').next().unwrap_or(name);
    if TAKEN.contains(&first) || HardwareEvent::ALL.iter().any(|event| event.as_str() == first) {
        return Err(format!("names that begin with {first:?} are perfplan's own"));
    }
    Ok(())
}

impl Noted {
    fn of(value: Value) -> Self {
        match value {
            Value::Gauge(value) => Self::Gauge { mean: value, count: 1 },
            Value::Add(n) => Self::Sum(n),
            Value::Draw(value) => Self::Draws(Reservoir::of(value)),
        }
    }

    /// Takes one more value; whether it is of this kind.
    fn take(&mut self, value: Value) -> bool {
        match (self, value) {
            (Self::Gauge { mean, count }, Value::Gauge(value)) => {
                *count += 1;
                // Of halves, which are exact: the difference of two large values may be no finite number.
                *mean += (value / 2.0 - *mean / 2.0) / *count as f64 * 2.0;
            }
            (Self::Sum(sum), Value::Add(n)) => *sum = sum.saturating_add(n),
            (Self::Draws(draws), Value::Draw(value)) => draws.take(value),
            _ => return false,
        }
        true
    }
}

/// A sample of all values, each as likely kept as any other (Vitter 1985, algorithm R).
struct Reservoir {
    kept: Vec<f64>,
    seen: u64,
    random: u64,
}

impl Reservoir {
    fn of(value: f64) -> Self {
        Self { kept: vec![value], seen: 1, random: 0 }
    }

    fn take(&mut self, value: f64) {
        self.seen += 1;
        if self.kept.len() < MOST {
            self.kept.push(value);
            return;
        }
        let at = self.draw() % self.seen;
        if let Some(place) = usize::try_from(at).ok().and_then(|at| self.kept.get_mut(at)) {
            *place = value;
        }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_not_be_told_from_others_are_refused() {
        let says = |name: &str| check(name).err().unwrap_or_default();
        assert_eq!(says("cache.hit-rate_2"), "");
        for name in ["", "a b", "a=b", "ä", &"x".repeat(101)] {
            assert!(says(name).starts_with("a name is 1 to 100 letters"), "{name:?}");
        }
        let own = ["wall", "alloc.count", "syscalls.read", "instructions", "cache-misses", "callgrind.instructions"];
        let more = ["faults.minor", "hotpath.avg", "throughput", "profile.share", "checksum", "distribution"];
        for name in own.into_iter().chain(more) {
            assert!(says(name).contains("are perfplan's own"), "{name:?}");
        }
        assert_eq!(says("wallet"), "");
    }

    #[test]
    fn a_value_that_is_no_number_is_refused() {
        let mut noted = BTreeMap::from([("a".to_owned(), Noted::of(Value::Gauge(1.0)))]);
        for value in [f64::NAN, f64::INFINITY] {
            for (name, value) in [("a", Value::Gauge(value)), ("b", Value::Draw(value))] {
                assert!(keep(&mut noted, name, value).unwrap_err().ends_with("can't be recorded"));
            }
        }
        assert_eq!(keep(&mut noted, "a", Value::Gauge(3.0)), Ok(()));
        assert!(matches!(noted["a"], Noted::Gauge { mean: 2.0, count: 2 }) && noted.len() == 1);
    }

    #[test]
    fn the_mean_and_the_sum_of_the_largest_values_are_numbers() {
        let mut noted = BTreeMap::new();
        for value in [f64::MAX, f64::MAX, f64::MAX, -f64::MAX, -f64::MAX, -f64::MAX] {
            keep(&mut noted, "gauge", Value::Gauge(value)).unwrap();
            keep(&mut noted, "sum", Value::Add(u64::MAX)).unwrap();
            let Noted::Gauge { mean, .. } = noted["gauge"] else { panic!("another kind") };
            assert!(mean.is_finite(), "{mean}");
        }
        let Noted::Gauge { mean, .. } = noted["gauge"] else { panic!("another kind") };
        assert!(mean.abs() < f64::MAX * 1e-15, "{mean}");
        assert!(matches!(noted["sum"], Noted::Sum(u64::MAX)));
    }

    #[test]
    fn a_name_stands_for_one_kind_of_metric() {
        let mut noted = BTreeMap::new();
        keep(&mut noted, "a", Value::Add(1)).unwrap();
        assert!(keep(&mut noted, "a", Value::Draw(1.0)).unwrap_err().contains("another kind of metric"));
    }

    #[test]
    fn of_many_values_each_is_kept_as_likely_as_any_other() {
        const N: u32 = 100_000;
        let mut reservoir = Reservoir::of(0.0);
        (1..N).for_each(|value| reservoir.take(f64::from(value)));
        assert_eq!(reservoir.kept.len(), MOST);
        let mean = reservoir.kept.iter().sum::<f64>() / MOST as f64;
        // The mean of so many uniform values has a standard deviation of 0.20 % of the range.
        assert!((mean / f64::from(N) - 0.5).abs() < 4.0 * 0.0020, "{mean}");
        let late = reservoir.kept.iter().filter(|value| **value >= f64::from(N) * 0.9).count();
        assert!((1840..2160).contains(&late), "{late} of the last tenth, where 2000 ± 40 are due");
    }

    #[test]
    fn a_few_values_are_all_kept_in_the_order_they_came() {
        let mut reservoir = Reservoir::of(3.0);
        [1.0, 2.0].into_iter().for_each(|value| reservoir.take(value));
        assert_eq!(reservoir.kept, [3.0, 1.0, 2.0]);
    }
}
