//! A service that is well, slow or down by turns, in virtual time, and callers that come on their own schedule.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::breakers::{Breaker, Permit};
use crate::tape::{Random, Tape};

/// How long a call may take, nanoseconds: the plan's 1 ms.
pub(super) const LIMIT: u64 = 1_000_000;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;

/// What the service is like for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    /// Calls take 20 to 60 us, and one in 200 fails.
    Well,
    /// Calls take 5 to 50 ms, the spikes that the plan speaks of, and go well in the end.
    Slow,
    /// Calls fail after as long as they take when all is well.
    Down,
}

/// A stretch of weather, and how long it lasts, nanoseconds.
struct Stretch {
    weather: Weather,
    lasts: u64,
}

/// A caller: when it comes, and how it would fare in each weather. Nanoseconds.
struct Caller {
    /// After the one before.
    gap: u64,
    well: u64,
    slow: u64,
    unlucky: bool,
}

/// What became of the callers of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Went well within [`LIMIT`].
    pub(super) served: u64,
    /// Took longer.
    pub(super) over_threshold: u64,
    pub(super) failed: u64,
    /// Refused at once.
    pub(super) rejected: u64,
    /// Of those, the ones whom the service would have served well.
    pub(super) rejected_while_well: u64,
    /// Who was let in and how long each took, as a digest.
    pub(super) decisions: u64,
}

/// Callers and weather for any number of runs.
pub(super) struct Scene {
    callers: Tape<Caller>,
    weather: Tape<[Stretch; 2]>,
}

impl Scene {
    /// A caller every 250 us on average. The service is well for 40 to 120 ms, then slow for 20 to 100 ms, or, one time in
    /// four, down for 5 to 30 ms.
    pub(super) fn seeded(callers: usize, seed: u64) -> Self {
        let callers = Tape::record(callers, seed, |random| Caller {
            gap: between(random, 1, 500) * MICROSECOND,
            well: between(random, 20_000, 60_000),
            slow: between(random, 5_000, 50_000) * MICROSECOND,
            unlucky: random.below(200) == 0,
        });
        let weather = Tape::record(256, seed + 1, |random| {
            let well = Stretch { weather: Weather::Well, lasts: between(random, 40, 120) * MILLISECOND };
            let trouble = match random.below(4) {
                0 => Stretch { weather: Weather::Down, lasts: between(random, 5, 30) * MILLISECOND },
                _ => Stretch { weather: Weather::Slow, lasts: between(random, 20, 100) * MILLISECOND },
            };
            [well, trouble]
        });
        Self { callers, weather }
    }

    /// The `count` callers of run `index`, before a breaker that knows nothing yet.
    pub(super) fn run<B: Breaker>(&self, index: u64, count: usize) -> Tally {
        let breaker = B::closed();
        let (mut traffic, mut tally) = (Traffic::before(&breaker), Tally::default());
        let mut stretches = self.weather.window(index, usize::MAX).flatten();
        let (mut now, mut ends, mut weather) = (0, 0, Weather::Well);
        for caller in self.callers.window(index, count) {
            now += caller.gap;
            while ends <= now
                && let Some(stretch) = stretches.next()
            {
                weather = stretch.weather;
                ends += stretch.lasts;
            }
            traffic.end_until(now, &mut tally);
            traffic.call(caller, weather, now, &mut tally);
        }
        traffic.end_until(u64::MAX, &mut tally);
        tally
    }
}

fn between(random: &mut Random, low: u32, high: u32) -> u64 {
    u64::from(low + random.below(high - low))
}

/// The calls on their way, the one that ends first on top; of several that end at once, the one that came first.
struct Traffic<'a, B: Breaker> {
    breaker: &'a B,
    calls: BinaryHeap<Reverse<Call<'a, B>>>,
    came: u64,
}

/// A call that has begun, and how it is going to end.
struct Call<'a, B: Breaker> {
    ends: u64,
    /// Breaks ties.
    number: u64,
    since: u64,
    fails: bool,
    permit: Permit<'a, B>,
}

impl<'a, B: Breaker> Traffic<'a, B> {
    fn before(breaker: &'a B) -> Self {
        Self { breaker, calls: BinaryHeap::with_capacity(128), came: 0 }
    }

    /// The caller asks to be let in at `now`, and if so begins its call.
    fn call(&mut self, caller: &Caller, weather: Weather, now: u64, tally: &mut Tally) {
        let (takes, fails) = match weather {
            Weather::Well => (caller.well, caller.unlucky),
            Weather::Slow => (caller.slow, false),
            Weather::Down => (caller.well, true),
        };
        self.came += 1;
        let admitted = self.breaker.admit(now);
        tally.decisions = tally.decisions.rotate_left(1).wrapping_add(if admitted.is_some() { takes } else { 1 });
        match admitted {
            Some(permit) => {
                self.calls.push(Reverse(Call { ends: now + takes, number: self.came, since: now, fails, permit }));
            }
            None => {
                tally.rejected += 1;
                tally.rejected_while_well += u64::from(weather == Weather::Well && !fails);
            }
        }
    }

    /// Ends all calls that end by `now`, each at its time.
    fn end_until(&mut self, now: u64, tally: &mut Tally) {
        while self.calls.peek().is_some_and(|Reverse(call)| call.ends <= now)
            && let Some(Reverse(call)) = self.calls.pop()
        {
            call.end(tally);
        }
    }
}

impl<B: Breaker> Call<'_, B> {
    fn end(self, tally: &mut Tally) {
        if self.fails {
            tally.failed += 1;
            self.permit.fail(self.ends);
        } else {
            let over = u64::from(self.ends - self.since > LIMIT);
            tally.over_threshold += over;
            tally.served += 1 - over;
            self.permit.succeed(self.ends);
        }
    }

    fn rank(&self) -> (u64, u64) {
        (self.ends, self.number)
    }
}

impl<B: Breaker> PartialEq for Call<'_, B> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<B: Breaker> Eq for Call<'_, B> {}

impl<B: Breaker> PartialOrd for Call<'_, B> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<B: Breaker> Ord for Call<'_, B> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}
