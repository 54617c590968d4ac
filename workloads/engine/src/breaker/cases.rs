//! What a breaker costs, and what it spares.

use std::hint::black_box;
use std::time::Instant;

use perfplan_harness::{Size, Suite, add, amount};

use super::breakers::{Breaker, FailuresOnly, LatencyAware};
use super::service::Scene;
use crate::tape::Tape;

const CALLS: usize = amount(200);

/// Callers of a simulated service, about a quarter of a second of virtual time.
const CALLERS: usize = amount(1_000);

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("breaker/failures-only", |size| closed::<FailuresOnly>(size, Instant::now))
        .about("200 calls of no work pass a closed breaker that counts failures")
        .operations(CALLS as u64);
    suite
        .case("breaker/latency-aware", |size| closed::<LatencyAware>(size, Instant::now))
        .about("200 calls of no work pass a closed breaker that counts failures and watches the last 64 latencies, timed by the clock")
        .operations(CALLS as u64);
    suite.case("breaker/spikes/failures-only", spikes::<FailuresOnly>).about(
        "1000 callers of a simulated service with spikes of 5 to 50 ms, before a breaker that counts failures (virtual time)",
    );
    suite.case("breaker/spikes/latency-aware", spikes::<LatencyAware>).about(
        "1000 callers of a simulated service with spikes of 5 to 50 ms, before a breaker that watches latencies, too (virtual time)",
    );
}

/// A call of no work: how long it is said to have taken, and how it ended.
struct Call {
    latency: u64,
    fails: bool,
}

/// Ordinary traffic: one call in eight fails, never two in a row, and none is slow. The breaker stays closed all the time.
///
/// A breaker that times its calls has `clock` read before and after each, for what that costs; it decides by the latencies that
/// the calls are said to have, so that results depend on the index alone.
fn closed<B: Breaker + 'static>(size: Size, clock: impl Fn() -> Instant) -> impl FnMut(u64) -> u64 {
    let mut failed = false;
    let calls = Tape::record(size.pick(512, 4_096, 65_536), 23, |random| {
        failed = !failed && random.below(8) == 0;
        Call { latency: 20_000 + u64::from(random.below(40_000)), fails: failed }
    });
    let (breaker, mut now) = (B::closed(), 0);
    move |index| {
        let mut sum = index;
        for call in calls.window(index, CALLS) {
            let Some(permit) = breaker.admit(now) else {
                // Never: were one refused, the sum would tell.
                sum = !sum;
                continue;
            };
            let start = B::TIMES_CALLS.then(&clock);
            now += call.latency;
            black_box(start.map(|start| clock().saturating_duration_since(start)));
            if call.fails {
                permit.fail(now);
            } else {
                permit.succeed(now);
            }
            sum = sum.rotate_left(1).wrapping_add(call.latency);
        }
        sum
    }
}

/// The decisions, which differ between the two breakers: that is what the second one is for.
fn spikes<B: Breaker>(size: Size) -> impl FnMut(u64) -> u64 {
    let scene = Scene::seeded(size.pick(2_048, 16_384, 65_536), 24);
    move |index| {
        let tally = scene.run::<B>(index, CALLERS);
        add("over-threshold", tally.over_threshold);
        add("rejected", tally.rejected);
        add("rejected.while-well", tally.rejected_while_well);
        tally.decisions
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn a_closed_breaker_lets_all_through_whatever_it_watches() {
        contract::results_are_equal(
            |size| closed::<FailuresOnly>(size, Instant::now),
            |size| closed::<LatencyAware>(size, Instant::now),
        );
    }

    /// How often the clock is read in an iteration.
    fn readings<B: Breaker + 'static>() -> usize {
        let read = Cell::new(0);
        closed::<B>(Size::Quick, || {
            read.set(read.get() + 1);
            Instant::now()
        })(0);
        read.get()
    }

    #[test]
    fn a_breaker_that_watches_latencies_has_the_clock_read_twice_per_call_and_the_other_never() {
        assert_eq!((readings::<FailuresOnly>(), readings::<LatencyAware>()), (0, 2 * CALLS));
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(|size| closed::<FailuresOnly>(size, Instant::now));
        contract::results_depend_on_the_index_alone(|size| closed::<LatencyAware>(size, Instant::now));
        contract::results_depend_on_the_index_alone(spikes::<FailuresOnly>);
        contract::results_depend_on_the_index_alone(spikes::<LatencyAware>);
    }
}
