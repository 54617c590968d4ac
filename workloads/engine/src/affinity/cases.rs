//! The same way of an order, with its threads wherever the system puts them and in places of their own.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use perfplan_harness::{Arrival, Load, Size, Suite, add, gauge};

use super::place::{Affinity, Outcome, Placed, Role};
use super::way::{Answer, Leg, Way};
use crate::queue::RING;
use crate::tape::Tape;
use crate::topology;

/// The cores of the machine that the plan lays out. Where there are more, perfplan gives the case no more CPUs than these, and
/// no more background threads are started; by hand the roles get their share of all.
const CORES: usize = 16;

/// Orders per second. One is long back when the next one comes, unless it was held up.
const RATE: f64 = 5_000.0;

/// How long before an order is due the intake is awake. Timers of ordinary threads may be 50 us late
/// (`PR_SET_TIMERSLACK`), and an order that comes by a socket would not wait for a timer.
const AWAKE: Duration = Duration::from_micros(70);

pub(crate) fn register(suite: &mut Suite) {
    suite
        .load("affinity/unpinned", RATE, unpinned)
        .about("orders go through three threads beside background work, all wherever the system puts them")
        .threads(CORES);
    suite
        .load("affinity/pinned", RATE, pinned)
        .about(
            "orders go through three threads pinned by role, real-time where permitted; background work has other CPUs",
        )
        .threads(CORES);
}

fn unpinned(size: Size) -> Box<dyn FnMut(&Load)> {
    Box::new(orders(size, |_| Placed::nowhere()))
}

fn pinned(size: Size) -> Box<dyn FnMut(&Load)> {
    match Affinity::detect() {
        Ok(affinity) => Box::new(orders(size, move |role| affinity.take(role))),
        Err(error) => {
            tell(&error.to_string());
            unpinned(size)
        }
    }
}

/// Serves orders as they come, beside as many background threads as there are CPUs: half a load for up to [`CORES`] of them.
fn orders<S>(size: Size, settle: S) -> impl FnMut(&Load)
where
    S: FnOnce(Role) -> Placed + Clone + Send + 'static,
{
    let cpus = topology::allowed().map_or(1, |cpus| cpus.len());
    let legs = Tape::record(size.pick(256, 4_096, 100_000), 40, |random| Leg {
        price: random.below(5_000_000),
        quantity: random.below(10_000),
    });
    let way = Way::open(Arc::new(legs), size.pick(64, 1_024, 1_000_000), cpus.min(CORES), settle);
    let (pinned, realtime) = shares(way.settled());
    way.settled().iter().flat_map(|outcome| &outcome.refused).for_each(|refused| tell(refused));
    move |load| {
        let before = way.errands();
        serve(&way, load);
        add("affinity.errands", way.errands() - before);
        gauge("affinity.pinned", pinned);
        gauge("affinity.realtime", realtime);
    }
}

/// Sends every order when it is due, and notes answers while it waits for the next.
fn serve(way: &Way, load: &Load) {
    let mut under_way: VecDeque<Arrival> = VecDeque::with_capacity(RING);
    for order in load.arrivals() {
        wait_for(order.due);
        if under_way.len() == RING {
            note(load, under_way.pop_front(), way.wait());
        }
        way.send(order.index);
        under_way.push_back(order);
        while let Some(answer) = way.poll() {
            note(load, under_way.pop_front(), answer);
        }
    }
    while let Some(order) = under_way.pop_front() {
        note(load, Some(order), way.wait());
    }
}

/// Answers come in the order in which the orders were sent.
fn note(load: &Load, order: Option<Arrival>, answer: Answer) {
    if let Some(order) = order {
        load.done(order, answer.booked, &answer.holds);
    }
}

fn wait_for(due: Instant) {
    let early = due.saturating_duration_since(Instant::now());
    if early > AWAKE {
        thread::sleep(early - AWAKE);
    }
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

/// The share of threads that are pinned, and whether any is served before all ordinary threads.
fn shares(settled: &[Outcome]) -> (f64, f64) {
    let pinned = settled.iter().filter(|outcome| outcome.pinned).count();
    let realtime = settled.iter().any(|outcome| outcome.realtime);
    (pinned as f64 / settled.len().max(1) as f64, f64::from(u8::from(realtime)))
}

/// What was not permitted is no failure, but somebody may wonder at the numbers.
fn tell(what: &str) {
    let _ = writeln!(io::stderr(), "affinity: {what}");
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn pinned_and_unpinned_give_equal_results_in_every_batch() {
        contract::loads_are_equal(RATE, unpinned, pinned);
    }

    #[test]
    fn orders_that_come_faster_than_they_are_served_all_get_their_answer() {
        let mut serve = unpinned(Size::Quick);
        let flood = |requests, serve: &mut dyn FnMut(&Load)| Load::run(1e9, requests, serve).checksum;
        let requests = 3 * RING as u64;
        assert_eq!(flood(requests, &mut serve), flood(requests, &mut serve));
        assert_ne!(flood(requests, &mut serve), flood(requests - 1, &mut serve), "each answer counts");
    }

    #[test]
    fn what_the_threads_got_is_summed_up() {
        let outcome = |pinned, realtime| Outcome { pinned, realtime, refused: Vec::new() };
        assert_eq!(shares(&[outcome(true, false), outcome(false, false)]), (0.5, 0.0));
        assert_eq!(shares(&[outcome(true, false), outcome(true, true)]), (1.0, 1.0));
    }
}
