//! The two breakers, and the permits that they give out.

use std::mem::ManuallyDrop;

use super::machine::{Admitted, Machine, Settings};
use super::window::{Limits, Window};

/// Opens after five failures in a row, for 10 ms, and closes when three probes go well.
const SETTINGS: Settings = Settings { failures: 5, rest: 10_000, probes: 3 };

/// Slow is what takes eight times as long as half of the calls, and in any case what takes more than the plan's 1 ms; four
/// of the last 64 calls may not.
const LIMITS: Limits = Limits { factor: 8, floor: 100_000, ceiling: 1_000_000, slow: 4 };

/// Stands before a service, shared by all who call it. Clocks are in nanoseconds; one that is set back does no harm.
pub(super) trait Breaker: Sized {
    /// Whether it has to be told how long each call took that went well, which its user reads the clock twice for. One
    /// that does not asks for the time only when a call fails, or when it is not closed.
    const TIMES_CALLS: bool;

    fn closed() -> Self;

    fn machine(&self) -> &Machine;

    /// The call went well, and took so many nanoseconds.
    fn succeeded(&self, call: Admitted, latency: u64, now: u64);

    /// Lets a call through that starts at `now`; `None` where it is to fail at once.
    #[inline]
    fn admit(&self, now: u64) -> Option<Permit<'_, Self>> {
        let call = self.machine().admit(now)?;
        Some(Permit { breaker: self, call, since: now })
    }
}

/// A call on its way. One that is dropped without a word has failed: a panic must not leave a probe out for ever.
pub(super) struct Permit<'a, B: Breaker> {
    breaker: &'a B,
    call: Admitted,
    since: u64,
}

impl<B: Breaker> Permit<'_, B> {
    /// The call went well and ended at `now`.
    #[inline]
    pub(super) fn succeed(self, now: u64) {
        let permit = ManuallyDrop::new(self);
        permit.breaker.succeeded(permit.call, now.saturating_sub(permit.since), now);
    }

    /// The call failed at `now`.
    pub(super) fn fail(self, now: u64) {
        let permit = ManuallyDrop::new(self);
        permit.breaker.machine().failed(permit.call, now);
    }
}

impl<B: Breaker> Drop for Permit<'_, B> {
    fn drop(&mut self) {
        self.breaker.machine().failed(self.call, self.since);
    }
}

/// Opens for failures; how long a call takes is nothing to it.
pub(super) struct FailuresOnly(Machine);

impl Breaker for FailuresOnly {
    const TIMES_CALLS: bool = false;

    fn closed() -> Self {
        Self(Machine::closed(SETTINGS))
    }

    fn machine(&self) -> &Machine {
        &self.0
    }

    #[inline]
    fn succeeded(&self, call: Admitted, _: u64, _: u64) {
        self.0.succeeded(call, || ());
    }
}

/// Opens for failures and for slow calls.
pub(super) struct LatencyAware {
    machine: Machine,
    window: Window<64>,
}

impl Breaker for LatencyAware {
    const TIMES_CALLS: bool = true;

    fn closed() -> Self {
        Self { machine: Machine::closed(SETTINGS), window: Window::empty(LIMITS) }
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }

    #[inline]
    fn succeeded(&self, call: Admitted, latency: u64, now: u64) {
        let too_slow = if call.probe {
            self.window.is_beyond(latency)
        } else {
            // A call from before the last turn would tell the window of a service that was.
            self.machine.is_current(call) && self.window.record(latency)
        };
        if too_slow {
            self.machine.trip(call, now);
        } else {
            self.machine.succeeded(call, || self.window.clear());
        }
    }
}

#[cfg(test)]
impl LatencyAware {
    /// Nanoseconds above which a call is slow now.
    pub(super) fn threshold(&self) -> u32 {
        self.window.threshold()
    }
}
