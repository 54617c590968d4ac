//! Open-loop arrivals at a fixed rate, recorded from the intended start.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The longest latency that is told apart; longer ones count as this.
const LONGEST: u64 = 60_000_000_000;

/// Arrivals in one iteration of a latency case at least: enough for a 99th percentile of every batch.
pub(crate) const ARRIVALS: u64 = 200;

/// How long one iteration of a latency case is at least, in seconds. In shorter bursts, each from an empty queue, a service that
/// can't keep up with its rate would hardly show it.
const ITERATION: f64 = 0.1;

/// So many arrivals at least lie above a percentile that is told: of fewer, it would be the maximum under another name.
const ABOVE: f64 = 2.0;

/// A fixed rate of arrivals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenLoop {
    per_second: f64,
}

impl OpenLoop {
    pub(crate) fn at(per_second: f64) -> Self {
        Self { per_second }
    }

    /// Arrivals in one iteration.
    pub(crate) fn per_iteration(self) -> u64 {
        ((self.per_second * ITERATION).ceil() as u64).max(ARRIVALS)
    }

    /// When an arrival should start.
    #[inline]
    pub(crate) fn due(self, start: Instant, index: u64) -> Instant {
        start + self.span(index)
    }

    /// The time in which so many arrive.
    fn span(self, arrivals: u64) -> Duration {
        Duration::from_nanos((arrivals as f64 * (1e9 / self.per_second)).round() as u64)
    }

    /// Serves `arrivals`, each at its time or, when the one before took too long, as soon as it can be. The latency of
    /// each is the time from when it should have started to its end, in nanoseconds: coordinated omission can't happen.
    pub(crate) fn run(self, arrivals: u64, mut serve: impl FnMut(u64)) -> Latencies {
        let mut histogram = histogram();
        let start = Instant::now();
        for index in 0..arrivals {
            let due = self.due(start, index);
            // A generator that slept would wake tens of microseconds late; between arrivals it has nothing else to do.
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            serve(index);
            histogram.saturating_record(due.elapsed().as_nanos() as u64);
        }
        Latencies::of(self, histogram, start.elapsed())
    }
}

/// What an open loop yielded.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// Nanoseconds, each from when the arrival was due.
    pub(crate) histogram: Histogram<u64>,
    rate: OpenLoop,
    /// From when the first was due to the last end.
    took: Duration,
}

impl Latencies {
    pub(crate) fn of(rate: OpenLoop, histogram: Histogram<u64>, took: Duration) -> Self {
        Self { histogram, rate, took }
    }

    /// The metrics of a latency case; of percentiles those that there are enough arrivals for.
    pub(crate) fn percentiles(&self) -> Vec<(&'static str, f64)> {
        let arrivals = self.histogram.len() as f64;
        let all = [
            ("latency.p50", 50.0),
            ("latency.p90", 90.0),
            ("latency.p95", 95.0),
            ("latency.p99", 99.0),
            ("latency.p99.9", 99.9),
        ];
        let known = all.into_iter().filter(|(_, percentile)| arrivals * (100.0 - percentile) >= ABOVE * 99.99);
        let known = known.map(|(name, percentile)| (name, self.histogram.value_at_percentile(percentile) as f64));
        let ends = [("latency.min", self.histogram.min() as f64), ("latency.max", self.histogram.max() as f64)];
        known.chain(ends).chain([("latency.mean", self.histogram.mean())]).collect()
    }

    /// Arrivals per second that were meant to be.
    pub(crate) fn intended(&self) -> f64 {
        self.rate.per_second
    }

    /// Arrivals per second that were served, at most as many as came: less where a queue was left at the end.
    pub(crate) fn achieved(&self) -> f64 {
        let served = self.histogram.len();
        served as f64 / self.took.max(self.rate.span(served)).as_secs_f64()
    }
}

/// Nanoseconds to a minute, three significant digits.
pub(crate) fn histogram() -> Histogram<u64> {
    match Histogram::new_with_bounds(1, LONGEST, 3) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("the bounds are constants that hdrhistogram accepts: {error}"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Checks percentiles that one stall implies: at a rate `r`, the arrival that is due `t` after the stall began waits for
    /// the rest of it, so `m` arrivals wait for at least the stall less `m / r`. A busy machine can only add to that.
    pub(crate) fn shows_a_stall(latencies: &Latencies, rate: f64, stall: Duration) {
        let all = latencies.histogram.len() as f64;
        for percentile in [90.0, 95.0, 99.0, 99.9] {
            let above = (all * (1.0 - percentile / 100.0)).ceil() + 1.0;
            // Three digits are kept.
            let implied = (stall.as_secs_f64() - above / rate) * 1e9 * 0.999;
            let seen = latencies.histogram.value_at_percentile(percentile) as f64;
            assert!(seen >= implied, "p{percentile} is {seen:.0} ns, and the stall implies {implied:.0}");
        }
        assert!(latencies.histogram.max() as f64 >= stall.as_nanos() as f64 * 0.999);
    }

    #[test]
    fn one_stall_is_seen_by_every_arrival_behind_it() {
        let stall = Duration::from_millis(20);
        let latencies = OpenLoop::at(10_000.0).run(1_000, |index| {
            if index == 100 {
                let end = Instant::now() + stall;
                while Instant::now() < end {}
            }
        });
        shows_a_stall(&latencies, 10_000.0, stall);
    }

    #[test]
    fn a_percentile_of_too_few_arrivals_is_not_told() {
        let names = |arrivals| -> Vec<&str> {
            OpenLoop::at(1e9).run(arrivals, |_| ()).percentiles().into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(3), ["latency.min", "latency.max", "latency.mean"]);
        assert_eq!(names(ARRIVALS - 1)[..3], ["latency.p50", "latency.p90", "latency.p95"]);
        assert!(!names(ARRIVALS - 1).contains(&"latency.p99"));
        assert!(names(ARRIVALS).contains(&"latency.p99") && !names(ARRIVALS).contains(&"latency.p99.9"));
        assert!(names(2_000).contains(&"latency.p99.9"));
    }

    #[test]
    fn an_iteration_lasts_a_tenth_of_a_second_and_has_a_percentiles_worth_of_arrivals() {
        let arrivals = |rate| OpenLoop::at(rate).per_iteration();
        assert_eq!([arrivals(10.0), arrivals(2_000.0), arrivals(50_000.0)], [200, 200, 5_000]);
    }

    #[test]
    fn a_service_too_slow_for_its_rate_achieves_less_and_no_service_more() {
        let slow = OpenLoop::at(100_000.0).run(20, |_| std::thread::sleep(Duration::from_millis(1)));
        assert!(slow.achieved() <= 1_000.0, "{} per second", slow.achieved());
        assert!(slow.histogram.max() >= 19_700_000, "the last waits for all before it: {}", slow.histogram.max());
        let idle = OpenLoop::at(1_000.0).run(3, |_| ());
        assert!(idle.achieved() <= 1_000.0 && idle.intended() == 1_000.0, "{}", idle.achieved());
    }

    #[test]
    fn arrivals_stay_on_time_however_many_there_were() {
        let start = Instant::now();
        let due = OpenLoop::at(3.0).due(start, 3_000_000_000);
        assert_eq!(due - start, Duration::from_secs(1_000_000_000));
    }
}
