//! The states of a circuit breaker and the ways between them, without a lock.
//!
//! ```text
//!            too many failures in a row, or slow calls
//!   closed ─────────────────────────────────────────────▶ open
//!      ▲                                                  │  ▲
//!      │ every probe went well              it has rested │  │ a probe did not
//!      └───────────────────── half-open ◀─────────────────┘  │
//!                                 └──────────────────────────┘
//! ```
//!
//! All that decides stands in one word, so a transition is one compare-and-swap: of threads that want different ones, one
//! gets its way and the others decide again.

use crate::atomic::AtomicU64;
use crate::atomic::Ordering::{AcqRel, Acquire};

/// When it opens, and how it closes again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Calls that fail in a row until it opens.
    pub(super) failures: u16,
    /// How long it stays open, microseconds.
    pub(super) rest: u64,
    /// Calls that are let through when it has rested: all have to go well before others follow. At least 1.
    pub(super) probes: u8,
}

/// What is so until the next compare-and-swap.
#[derive(Clone, Copy)]
struct State {
    /// Counts the changes of phase, so that a call which ends late is told from those of today. 14 bits: it comes back after
    /// 16384 changes, and every second one takes a rest.
    era: u16,
    phase: Phase,
}

#[derive(Clone, Copy)]
enum Phase {
    /// Calls go through; so many failed in a row.
    Closed { failures: u16 },
    /// Calls are refused until then, microseconds.
    Open { until: u64 },
    /// Probes that were let through, and those that came back well.
    HalfOpen { given: u8, succeeded: u8 },
}

const ERA: u64 = (1 << 14) - 1;

impl State {
    const CLOSED: Self = Self { era: 0, phase: Phase::Closed { failures: 0 } };

    /// From the low end: two bits of phase, 14 of era, 48 of what the phase holds. As microseconds that is nine years.
    fn pack(self) -> u64 {
        let (phase, held) = match self.phase {
            Phase::Closed { failures } => (0, u64::from(failures)),
            Phase::Open { until } => (1, until),
            Phase::HalfOpen { given, succeeded } => (2, u64::from(given) << 8 | u64::from(succeeded)),
        };
        held << 16 | u64::from(self.era) << 2 | phase
    }

    fn unpack(word: u64) -> Self {
        let held = word >> 16;
        let phase = match word & 3 {
            0 => Phase::Closed { failures: held as u16 },
            1 => Phase::Open { until: held },
            _ => Phase::HalfOpen { given: (held >> 8) as u8, succeeded: held as u8 },
        };
        Self { era: (word >> 2 & ERA) as u16, phase }
    }

    /// In the same era.
    fn with(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// In the next era.
    fn turned(self, phase: Phase) -> Self {
        Self { era: self.era.wrapping_add(1) & ERA as u16, phase }
    }

    fn admitted(self) -> Admitted {
        Admitted { era: self.era, probe: matches!(self.phase, Phase::HalfOpen { .. }) }
    }
}

/// A call that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admitted {
    era: u16,
    /// Whether it tells if the service has recovered.
    pub(super) probe: bool,
}

/// A breaker's state, shared by all who call.
pub(super) struct Machine {
    settings: Settings,
    word: AtomicU64,
}

impl Machine {
    pub(super) fn closed(settings: Settings) -> Self {
        Self { settings, word: AtomicU64::new(State::CLOSED.pack()) }
    }

    /// Lets a call through that starts at `now`, or refuses it. While closed this is one load.
    #[inline]
    pub(super) fn admit(&self, now: u64) -> Option<Admitted> {
        self.change(|state| self.arrival(state, now))
    }

    /// Whether nothing has turned since the call was let through: its end still says something.
    #[inline]
    pub(super) fn is_current(&self, call: Admitted) -> bool {
        State::unpack(self.word.load(Acquire)).era == call.era
    }

    /// The call went well. `before_closing` runs before others can see that the last probe has closed the breaker, perhaps
    /// in vain.
    #[inline]
    pub(super) fn succeeded(&self, call: Admitted, before_closing: impl Fn()) {
        self.change(|state| {
            let next = self.success(state, call);
            if let Some(State { phase: Phase::Closed { .. }, .. }) = next
                && call.probe
            {
                before_closing();
            }
            (next, ())
        });
    }

    /// The call failed, as is known at `now`.
    pub(super) fn failed(&self, call: Admitted, now: u64) {
        self.change(|state| (self.failure(state, call, now), ()));
    }

    /// Opens: the call was one slow one too many, or a slow probe.
    pub(super) fn trip(&self, call: Admitted, now: u64) {
        self.change(|state| ((state.era == call.era).then(|| self.opened(state, now)), ()));
    }

    /// Puts the state in place that `decide` wants after the present one, and returns what it says. `None` leaves it as it
    /// is, without a write.
    #[inline]
    fn change<R>(&self, decide: impl Fn(State) -> (Option<State>, R)) -> R {
        let mut seen = self.word.load(Acquire);
        loop {
            let (next, result) = decide(State::unpack(seen));
            let Some(next) = next else { return result };
            match self.word.compare_exchange_weak(seen, next.pack(), AcqRel, Acquire) {
                Ok(_) => return result,
                Err(now) => seen = now,
            }
        }
    }

    #[inline]
    fn arrival(&self, state: State, now: u64) -> (Option<State>, Option<Admitted>) {
        match state.phase {
            Phase::Closed { .. } => (None, Some(state.admitted())),
            Phase::Open { until } => self.arrival_while_open(state, until, now),
            Phase::HalfOpen { given, .. } if given == self.settings.probes => (None, None),
            Phase::HalfOpen { given, succeeded } => {
                (Some(state.with(Phase::HalfOpen { given: given + 1, succeeded })), Some(state.admitted()))
            }
        }
    }

    #[cold]
    fn arrival_while_open(&self, state: State, until: u64, now: u64) -> (Option<State>, Option<Admitted>) {
        let micros = now / 1_000;
        if micros >= until {
            let first = state.turned(Phase::HalfOpen { given: 1, succeeded: 0 });
            (Some(first), Some(first.admitted()))
        } else if until - micros > 2 * self.settings.rest {
            // The clock was set back, further than callers that read it a moment ago: the rest begins again.
            (Some(state.with(self.rest_from(now))), None)
        } else {
            (None, None)
        }
    }

    #[inline]
    fn success(&self, state: State, call: Admitted) -> Option<State> {
        match state.phase {
            _ if state.era != call.era => None,
            Phase::Closed { failures: 0 } | Phase::Open { .. } => None,
            Phase::Closed { .. } => Some(state.with(Phase::Closed { failures: 0 })),
            Phase::HalfOpen { succeeded, .. } if succeeded + 1 == self.settings.probes => {
                Some(state.turned(Phase::Closed { failures: 0 }))
            }
            Phase::HalfOpen { given, succeeded } => {
                Some(state.with(Phase::HalfOpen { given, succeeded: succeeded + 1 }))
            }
        }
    }

    fn failure(&self, state: State, call: Admitted, now: u64) -> Option<State> {
        match state.phase {
            _ if state.era != call.era => None,
            Phase::Closed { failures } if failures + 1 < self.settings.failures => {
                Some(state.with(Phase::Closed { failures: failures + 1 }))
            }
            Phase::Closed { .. } | Phase::HalfOpen { .. } => Some(self.opened(state, now)),
            Phase::Open { .. } => None,
        }
    }

    #[cold]
    fn opened(&self, state: State, now: u64) -> State {
        state.turned(self.rest_from(now))
    }

    fn rest_from(&self, now: u64) -> Phase {
        Phase::Open { until: (now.div_ceil(1_000) + self.settings.rest).min(u64::MAX >> 16) }
    }

    /// The phase's name.
    #[cfg(test)]
    pub(super) fn phase(&self) -> &'static str {
        match State::unpack(self.word.load(Acquire)).phase {
            Phase::Closed { .. } => "closed",
            Phase::Open { .. } => "open",
            Phase::HalfOpen { .. } => "half-open",
        }
    }
}
