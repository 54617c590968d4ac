//! Open-loop load on a service that has many requests in flight.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::latency::{self, Latencies, OpenLoop};
use crate::protocol::Sample;
use crate::{Checksum, Digest};

/// One request of a load: which it is, and when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// From 0 in every batch. The result depends on it alone.
    pub index: u64,
    /// When the request should start, whatever became of those before it. Its latency counts from here.
    pub due: Instant,
    /// Whether it belongs to a handicap: done like all others, and left out of the latencies and the checksum.
    extra: bool,
}

/// The schedule of one batch of requests, and where their ends are noted, from any thread.
///
/// The schedule is fixed before the first request is sent, and a latency is the time from when a request was *due*: one
/// that waits for a free connection, or for a generator that was held up itself, has waited. So coordinated omission can't
/// happen (Tene, "How not to measure latency", 2013). See [`Suite::load`](crate::Suite::load).
pub struct Load {
    rate: OpenLoop,
    arrivals: u64,
    extra: u64,
    start: OnceLock<Instant>,
    tally: Mutex<Tally>,
}

/// What was noted so far.
struct Tally {
    histogram: Histogram<u64>,
    digest: u64,
    /// Which of the counted requests were noted.
    noted: Vec<bool>,
    extra: u64,
    end: Option<Instant>,
    failed: u64,
    /// How the first that failed did.
    failure: String,
}

impl Load {
    /// Requests in one iteration at least: enough for a 99th percentile of every batch. There are more where so many arrive in less
    /// than a tenth of a second.
    pub const ARRIVALS: u64 = latency::ARRIVALS;

    /// Does one batch of so many requests outside of a suite, for the tests of a client: the checksum, and `latency.p50` and
    /// the other metrics of a latency case in nanoseconds. `rate` is per second.
    ///
    /// # Panics
    /// As a batch of [`Suite::load`](crate::Suite::load).
    pub fn run(rate: f64, requests: u64, work: impl FnOnce(&Self)) -> Sample {
        let load = Self::at(OpenLoop::at(rate), requests, 0);
        work(&load);
        let (checksum, latencies) = load.end();
        let values = latencies.percentiles().into_iter().map(|(name, ns)| (name.to_owned(), ns));
        Sample { checksum, values: values.collect() }
    }

    pub(crate) fn at(rate: OpenLoop, arrivals: u64, extra: u64) -> Self {
        let histogram = latency::histogram();
        let noted = vec![false; arrivals as usize];
        let tally = Tally { histogram, digest: 0, noted, extra: 0, end: None, failed: 0, failure: String::new() };
        Self { rate, arrivals, extra, start: OnceLock::new(), tally: Mutex::new(tally) }
    }

    /// All requests in the order they are due. The first is due at the moment of the first call, so what has to be prepared
    /// is prepared before; every call gives the same schedule, which several threads can share out among themselves.
    pub fn arrivals(&self) -> impl Iterator<Item = Arrival> {
        let start = *self.start.get_or_init(Instant::now);
        (0..self.arrivals).flat_map(move |index| {
            let arrival = Arrival { index, due: self.rate.due(start, index), extra: false };
            // The extra requests are spread over the batch, and each comes with a counted one: the handicap is more work of
            // the same kind, in the same time.
            let share = |index| u128::from(self.extra) * u128::from(index) / u128::from(self.arrivals);
            let extras = share(index + 1) - share(index);
            std::iter::once(arrival).chain((0..extras).map(move |_| Arrival { extra: true, ..arrival }))
        })
    }

    /// How many requests [`Load::arrivals`] gives.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.arrivals + self.extra
    }

    /// Notes that a request was answered at `ended`, and with what. Each is noted once, in any order: results go into the
    /// checksum with their index.
    ///
    /// # Panics
    /// Where it was noted already.
    pub fn done(&self, arrival: Arrival, ended: Instant, result: &impl Digest) {
        let mut checksum = Checksum::default();
        checksum.add(arrival.index);
        result.digest(&mut checksum);
        let mut tally = self.tally();
        tally.end = tally.end.max(Some(ended));
        if arrival.extra {
            tally.extra += 1;
            return;
        }
        let again = std::mem::replace(&mut tally.noted[arrival.index as usize], true);
        assert!(!again, "request {} was noted twice", arrival.index);
        tally.histogram.saturating_record(ended.saturating_duration_since(arrival.due).as_nanos() as u64);
        tally.digest = tally.digest.wrapping_add(checksum.value());
    }

    /// Notes that a request failed, was refused or was given up at `ended`, and why.
    ///
    /// A batch with a failed request breaks off when its work returns, with the number of them and the first reason: quick
    /// failures would flatter the percentiles, slow ones would be taken for work, and without a result it can't be compared
    /// with another build's batch.
    pub fn failed(&self, arrival: Arrival, ended: Instant, why: &str) {
        let mut tally = self.tally();
        tally.failed += 1;
        if tally.failed == 1 {
            let after = ended.saturating_duration_since(arrival.due);
            tally.failure = format!("request {}, {:.1} ms after it was due: {why}", arrival.index, ms(after));
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        // Numbers that a panic left are as good as any: the batch it ends is reported as broken.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checksum and the latencies, when the work has returned.
    ///
    /// # Panics
    /// Where requests failed, and where not every one was noted.
    pub(crate) fn end(self) -> (u64, Latencies) {
        let tally = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let all = self.arrivals + self.extra;
        assert!(tally.failed == 0, "{} of {all} requests failed, the first was {}", tally.failed, tally.failure);
        let noted = tally.histogram.len() + tally.extra;
        let complete = tally.noted.iter().all(|noted| *noted) && tally.extra == self.extra;
        assert!(complete, "{noted} requests were noted, where {all} were due");
        let took = match (self.start.get(), tally.end) {
            (Some(start), Some(end)) => end.saturating_duration_since(*start),
            _ => Duration::ZERO,
        };
        (tally.digest, Latencies::of(self.rate, tally.histogram, took))
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    fn load(arrivals: u64, extra: u64) -> Load {
        Load::at(OpenLoop::at(1e6), arrivals, extra)
    }

    /// Answers every request at once.
    fn answered(load: Load, order: impl FnOnce(&mut [Arrival])) -> (u64, Latencies) {
        let mut arrivals: Vec<Arrival> = load.arrivals().collect();
        order(&mut arrivals);
        arrivals.iter().for_each(|arrival| load.done(*arrival, arrival.due, &(arrival.index * 7)));
        load.end()
    }

    #[test]
    fn requests_are_due_at_the_rate_and_every_look_at_the_schedule_is_the_same() {
        let load = load(3, 0);
        let arrivals: Vec<Arrival> = load.arrivals().collect();
        let gaps: Vec<Duration> = arrivals.windows(2).map(|pair| pair[1].due - pair[0].due).collect();
        assert_eq!(gaps, [Duration::from_micros(1); 2]);
        assert_eq!(load.arrivals().collect::<Vec<_>>(), arrivals);
    }

    #[test]
    fn one_stall_of_a_service_is_seen_by_every_request_that_was_due_meanwhile() {
        const RATE: f64 = 10_000.0;
        const STALL: Duration = Duration::from_millis(20);
        let load = Load::at(OpenLoop::at(RATE), 1_000, 0);
        let (send, receive) = mpsc::channel::<Arrival>();
        thread::scope(|scope| {
            scope.spawn(|| {
                for arrival in receive {
                    if arrival.index == 100 {
                        thread::sleep(STALL);
                    }
                    load.done(arrival, Instant::now(), &arrival.index);
                }
            });
            for arrival in load.arrivals() {
                // Goes on sending whatever the service does: that is the open loop.
                thread::sleep(arrival.due.saturating_duration_since(Instant::now()));
                send.send(arrival).unwrap();
            }
            drop(send);
        });
        latency::tests::shows_a_stall(&load.end().1, RATE, STALL);
    }

    #[test]
    fn the_checksum_knows_every_result_and_its_index_but_not_their_order() {
        let (forth, latencies) = answered(load(50, 0), |_| ());
        assert_eq!(latencies.histogram.len(), 50);
        assert_eq!(answered(load(50, 0), <[Arrival]>::reverse).0, forth);
        let swapped = load(50, 0);
        for arrival in swapped.arrivals() {
            let result = [7, 0].get(arrival.index as usize).copied().unwrap_or(arrival.index * 7);
            swapped.done(arrival, arrival.due, &result);
        }
        assert_ne!(swapped.end().0, forth);
    }

    #[test]
    #[should_panic(expected = "request 3 was noted twice")]
    fn a_request_is_noted_once() {
        let load = load(5, 0);
        load.arrivals().chain(load.arrivals().skip(3)).for_each(|arrival| load.done(arrival, arrival.due, &1_u64));
    }

    #[test]
    fn a_handicap_is_more_requests_that_change_neither_the_latencies_nor_the_checksum() {
        let handicapped = load(100, 25);
        assert_eq!((handicapped.requests(), handicapped.arrivals().count()), (125, 125));
        let late = handicapped.arrivals().filter(|arrival| arrival.extra && arrival.index >= 50).count();
        assert!((12..=13).contains(&late), "{late} of 25 in the second half");
        let (digest, latencies) = answered(handicapped, |_| ());
        assert_eq!((digest, latencies.histogram.len()), (answered(load(100, 0), |_| ()).0, 100));
    }

    #[test]
    #[should_panic(expected = "2 of 10 requests failed, the first was request 3, 5.0 ms after it was due: refused")]
    fn a_batch_with_failures_is_none() {
        let load = load(10, 0);
        for arrival in load.arrivals() {
            match arrival.index {
                3 => load.failed(arrival, arrival.due + Duration::from_millis(5), "refused"),
                4 => load.failed(arrival, arrival.due, "gone"),
                _ => load.done(arrival, arrival.due, &()),
            }
        }
        load.end();
    }

    #[test]
    #[should_panic(expected = "9 requests were noted, where 10 were due")]
    fn a_request_that_nobody_noted_is_missed() {
        let load = load(10, 0);
        load.arrivals().skip(1).for_each(|arrival| load.done(arrival, arrival.due, &()));
        load.end();
    }
}
