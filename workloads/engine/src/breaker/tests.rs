//! Transitions of the breakers, one call after the other. What threads do to each other is in `models/`.

use super::breakers::{Breaker, FailuresOnly, LatencyAware, Permit};
use super::machine::{Machine, Settings};
use super::service::{LIMIT, Scene, Tally};
use super::window::{Limits, Window};

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;

const SETTINGS: Settings = Settings { failures: 3, rest: 100, probes: 2 };

/// A machine that opened at `now`.
fn opened(now: u64) -> Machine {
    let machine = Machine::closed(SETTINGS);
    for _ in 0..SETTINGS.failures {
        machine.failed(machine.admit(now).unwrap(), now);
    }
    assert_eq!(machine.phase(), "open");
    machine
}

fn fail(breaker: &impl Breaker, times: usize, now: u64) {
    for _ in 0..times {
        breaker.admit(now).unwrap().fail(now);
    }
}

/// So many calls, one after the other from `now` on; how many were let in.
fn calls(breaker: &impl Breaker, count: usize, latency: u64, now: &mut u64) -> usize {
    let mut admitted = 0;
    for _ in 0..count {
        let permit = breaker.admit(*now);
        admitted += usize::from(permit.is_some());
        *now += latency;
        if let Some(permit) = permit {
            permit.succeed(*now);
        }
    }
    admitted
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_them_starts_the_count_again() {
    let machine = Machine::closed(SETTINGS);
    let call = || machine.admit(0).unwrap();
    for _ in 0..5 {
        machine.failed(call(), 0);
        machine.failed(call(), 0);
        machine.succeeded(call(), || panic!("nothing closes"));
    }
    assert_eq!(machine.phase(), "closed");
    for expected in ["closed", "closed", "open"] {
        machine.failed(call(), 0);
        assert_eq!(machine.phase(), expected);
    }
    assert_eq!(machine.admit(0), None);
}

#[test]
fn an_open_breaker_refuses_until_it_has_rested_and_then_lets_its_probes_in() {
    let machine = opened(MILLISECOND);
    assert_eq!(machine.admit(MILLISECOND + 99_999), None);
    assert_eq!(machine.phase(), "open");
    let rested = MILLISECOND + 100_000;
    assert!(machine.admit(rested).is_some_and(|call| call.probe));
    assert_eq!(machine.phase(), "half-open");
    assert!(machine.admit(rested).is_some_and(|call| call.probe));
    assert_eq!((machine.admit(rested), machine.phase()), (None, "half-open"));
}

#[test]
fn it_closes_when_every_probe_went_well_and_not_before() {
    let machine = opened(0);
    let probes = [0; 2].map(|_| machine.admit(MILLISECOND).unwrap());
    machine.succeeded(probes[0], || panic!("one is still out"));
    assert_eq!((machine.phase(), machine.admit(MILLISECOND)), ("half-open", None));
    machine.succeeded(probes[1], || ());
    assert_eq!(machine.phase(), "closed");
    assert!(machine.admit(MILLISECOND).is_some_and(|call| !call.probe));
}

#[test]
fn one_failed_probe_opens_it_for_another_rest_whatever_the_others_do() {
    let machine = opened(0);
    let probes = [0; 2].map(|_| machine.admit(MILLISECOND).unwrap());
    machine.failed(probes[0], 2 * MILLISECOND);
    machine.succeeded(probes[1], || panic!("too late"));
    assert_eq!(machine.phase(), "open");
    assert_eq!(machine.admit(2 * MILLISECOND + 99_999), None);
    assert!(machine.admit(2 * MILLISECOND + 100_000).is_some());
}

#[test]
fn calls_that_end_after_the_breaker_has_turned_say_nothing_about_today() {
    let machine = Machine::closed(SETTINGS);
    let late = [0; 4].map(|_| machine.admit(0).unwrap());
    (0..3).for_each(|_| machine.failed(machine.admit(0).unwrap(), 0));
    let _probe = machine.admit(MILLISECOND).unwrap();
    machine.failed(late[0], MILLISECOND);
    machine.trip(late[1], MILLISECOND);
    machine.succeeded(late[2], || panic!("not a probe"));
    machine.succeeded(late[3], || panic!("not a probe"));
    assert_eq!(machine.phase(), "half-open");
    assert!(!machine.is_current(late[0]));
}

#[test]
fn a_clock_that_is_set_back_prolongs_the_rest_by_two_more_at_most() {
    let hour = 3_600_000 * MILLISECOND;
    for now in [0, hour - 300 * MICROSECOND, hour - 150 * MICROSECOND] {
        let machine = opened(hour);
        assert_eq!(machine.admit(now), None);
        assert_eq!(machine.admit(now + 99 * MICROSECOND), None, "from {now}");
        assert!(machine.admit(now + 300 * MICROSECOND).is_some(), "from {now}");
    }
    let machine = opened(hour);
    assert_eq!(machine.admit(hour - 1), None, "a reading a moment old");
    assert!(machine.admit(hour + 100 * MICROSECOND).is_some());
    assert_eq!(opened(u64::MAX).phase(), "open", "the end of time is far enough away");
}

#[test]
fn latencies_measured_by_a_clock_that_is_set_back_are_zero() {
    let breaker = LatencyAware::closed();
    for _ in 0..100 {
        breaker.admit(MILLISECOND).unwrap().succeed(0);
    }
    assert!(breaker.admit(0).is_some());
}

#[test]
fn a_call_that_is_dropped_without_a_word_has_failed() {
    let breaker = FailuresOnly::closed();
    for _ in 0..5 {
        drop(breaker.admit(0).unwrap());
    }
    assert_eq!(breaker.machine().phase(), "open");
    let probes: Vec<Permit<FailuresOnly>> = (0..3).map_while(|_| breaker.admit(20 * MILLISECOND)).collect();
    assert_eq!((probes.len(), breaker.machine().phase()), (3, "half-open"));
    drop(probes);
    assert_eq!(breaker.machine().phase(), "open", "an abandoned probe must not block the breaker for ever");
}

#[test]
fn slow_calls_open_the_latency_aware_one_alone() {
    let (failures_only, latency_aware, mut now) = (FailuresOnly::closed(), LatencyAware::closed(), 0);
    assert_eq!(calls(&failures_only, 1_000, 20 * MILLISECOND, &mut now), 1_000);
    assert_eq!(calls(&latency_aware, 60, 40 * MICROSECOND, &mut now), 60);
    // Three slow calls among quick ones are tolerated, the fourth is not.
    assert_eq!(calls(&latency_aware, 3, 20 * MILLISECOND, &mut now), 3);
    assert_eq!(calls(&latency_aware, 10, 40 * MICROSECOND, &mut now), 10);
    assert_eq!(calls(&latency_aware, 2, 20 * MILLISECOND, &mut now), 1, "the fourth opens it");
    assert_eq!(latency_aware.machine().phase(), "open");
}

#[test]
fn slow_calls_that_have_left_the_window_are_forgiven() {
    let (breaker, mut now) = (LatencyAware::closed(), 0);
    for _ in 0..20 {
        assert_eq!(calls(&breaker, 3, 20 * MILLISECOND, &mut now), 3);
        assert_eq!(calls(&breaker, 64, 40 * MICROSECOND, &mut now), 64);
    }
}

#[test]
fn both_open_for_failures() {
    let (failures_only, latency_aware) = (FailuresOnly::closed(), LatencyAware::closed());
    fail(&failures_only, 5, 0);
    fail(&latency_aware, 5, 0);
    assert_eq!((failures_only.machine().phase(), latency_aware.machine().phase()), ("open", "open"));
}

#[test]
fn a_slow_probe_keeps_it_open_and_quick_ones_close_it_with_an_empty_window() {
    let (breaker, mut now) = (LatencyAware::closed(), 0);
    calls(&breaker, 64, 40 * MICROSECOND, &mut now);
    assert_eq!(breaker.threshold(), 320_000);
    assert_eq!(calls(&breaker, 4, 5 * MILLISECOND, &mut now), 4);
    now += 10 * MILLISECOND;
    assert_eq!(calls(&breaker, 1, 5 * MILLISECOND, &mut now), 1);
    assert_eq!(breaker.machine().phase(), "open", "the probe was slow");
    now += 10 * MILLISECOND;
    assert_eq!(calls(&breaker, 3, 40 * MICROSECOND, &mut now), 3);
    assert_eq!((breaker.machine().phase(), breaker.threshold()), ("closed", 1_000_000));
    assert_eq!(calls(&breaker, 3, 20 * MILLISECOND, &mut now), 3, "the old slow calls are forgotten");
    assert_eq!(breaker.machine().phase(), "closed");
}

#[test]
fn a_service_that_has_become_slower_for_good_is_refused_once_and_then_learnt() {
    let (breaker, mut now) = (LatencyAware::closed(), 0);
    calls(&breaker, 64, 40 * MICROSECOND, &mut now);
    assert_eq!(calls(&breaker, 4, 400 * MICROSECOND, &mut now), 4);
    assert_eq!(breaker.machine().phase(), "open", "ten times slower than usual");
    now += 10 * MILLISECOND;
    assert_eq!(calls(&breaker, 1_000, 400 * MICROSECOND, &mut now), 1_000, "within 1 ms, and now the usual");
    assert_eq!(breaker.threshold(), 1_000_000, "never above the plan's limit");
}

#[test]
fn the_threshold_follows_the_median_within_its_bounds_and_spikes_do_not_move_it() {
    let limits = Limits { factor: 8, floor: 100, ceiling: 10_000, slow: 4 };
    let window = Window::<16>::empty(limits);
    let fill = |count: usize, latency: u64| (0..count).filter(|_| window.record(latency)).count();
    assert_eq!((fill(7, 50), window.threshold()), (0, 10_000), "too few are known");
    assert_eq!((fill(1, 50), window.threshold()), (0, 400));
    assert_eq!((fill(16, 1), window.threshold()), (0, 100), "the floor");
    assert_eq!((fill(16, 3_000), window.threshold()), (4, 10_000), "the ceiling, once half of the calls are slower");
    assert_eq!((fill(16, 100), window.threshold()), (0, 800));
    assert_eq!((fill(7, u64::MAX), fill(9, 100), window.threshold()), (4, 0, 800), "seven of sixteen");
}

#[test]
fn before_a_service_with_spikes_fewer_calls_take_too_long_and_nobody_is_lost() {
    let runs: u64 = if cfg!(miri) { 4 } else { 50 };
    let scene = Scene::seeded(4_096, 25);
    let before: Vec<Tally> = (0..runs).map(|index| scene.run::<FailuresOnly>(index, 1_000)).collect();
    let after: Vec<Tally> = (0..runs).map(|index| scene.run::<LatencyAware>(index, 1_000)).collect();
    for tally in before.iter().chain(&after) {
        assert_eq!(tally.served + tally.over_threshold + tally.failed + tally.rejected, 1_000, "{tally:?}");
        assert!(tally.rejected_while_well <= tally.rejected, "{tally:?}");
    }
    let slow = |tallies: &[Tally]| tallies.iter().map(|tally| tally.over_threshold).sum::<u64>();
    let (slow_before, slow_after) = (slow(&before), slow(&after));
    assert!(slow_after < slow_before, "{slow_after} calls over {LIMIT} ns, {slow_before} where nobody watches");
}
