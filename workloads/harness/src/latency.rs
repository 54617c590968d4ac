//! Open-loop arrivals at a fixed rate, recorded from the intended start.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The longest latency that is told apart; longer ones count as this.
const LONGEST: u64 = 60_000_000_000;

/// A fixed rate of arrivals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenLoop {
    period: Duration,
}

impl OpenLoop {
    pub(crate) fn at(per_second: f64) -> Self {
        Self { period: Duration::from_secs_f64(1.0 / per_second) }
    }

    /// Serves `arrivals`, each at its time or, when the one before took too long, as soon as it can be. The latency of
    /// each is the time from when it should have started to its end, in nanoseconds: coordinated omission can't happen.
    pub(crate) fn run(self, arrivals: u64, mut serve: impl FnMut(u64)) -> Histogram<u64> {
        let mut histogram = histogram();
        let start = Instant::now();
        let mut intended = start;
        for index in 0..arrivals {
            // A generator that slept would wake tens of microseconds late; between arrivals it has nothing else to do.
            while Instant::now() < intended {
                std::hint::spin_loop();
            }
            serve(index);
            histogram.saturating_record(intended.elapsed().as_nanos() as u64);
            intended += self.period;
        }
        histogram
    }
}

/// Nanoseconds to a minute, three significant digits.
fn histogram() -> Histogram<u64> {
    match Histogram::new_with_bounds(1, LONGEST, 3) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("the bounds are constants that hdrhistogram accepts: {error}"),
    }
}

pub(crate) fn percentiles(histogram: &Histogram<u64>) -> Vec<(&'static str, f64)> {
    let at = |percentile: f64| histogram.value_at_percentile(percentile) as f64;
    vec![
        ("latency.p50", at(50.0)),
        ("latency.p95", at(95.0)),
        ("latency.p99", at(99.0)),
        ("latency.p99.9", at(99.9)),
        ("latency.max", histogram.max() as f64),
        ("latency.mean", histogram.mean()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stall_is_seen_by_every_arrival_behind_it() {
        let stall = Duration::from_millis(20);
        let histogram = OpenLoop::at(10_000.0).run(200, |index| {
            if index == 10 {
                let end = Instant::now() + stall;
                while Instant::now() < end {}
            }
        });
        // 20 ms at 10 per ms: the stalled one and nearly all behind it waited; a closed loop would show a single one.
        let late = histogram.len() - histogram.count_between(0, 1_000_000);
        assert!(late > 100, "only {late} of 200 arrivals saw a stall of 200 periods");
        assert!(histogram.max() >= stall.as_nanos() as u64);
    }
}
