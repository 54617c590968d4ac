//! A second of looking on: what the kernel's sums since the machine started can't say about now.

use std::hint;
use std::time::{Duration, Instant};

use super::circumstances::throttled;
use super::files::{Files, Ticks};
use crate::samples::Environment;

/// Time between two readings of the clock that is not the loop's own; a timer interrupt takes less.
const STANDSTILL_NS: u64 = 10_000;

/// Keeps one CPU busy with reading the clock for `window` (a second tells enough), and adds to the circumstances what
/// happened meanwhile: `clock.cost`, `cpu.lost`, `cpu.lost.longest`, `cpu.others`, `cpu.steal.recent`,
/// `cpu.throttled.recent`. A machine that is idle has nothing stolen: somebody has to want the time.
pub fn watch(environment: &mut Environment, window: Duration) {
    let files = Files::real();
    let before = Moment::of(&files);
    let begun = Instant::now();
    let seen = gaps(|| begun.elapsed().as_nanos() as u64, window.as_nanos() as u64);
    let known = seen.facts().into_iter().chain(before.until(Moment::of(&files)));
    environment.circumstances.extend(known.map(|(name, value)| (name.to_owned(), value)));
}

/// What the kernel has counted up to a moment.
#[derive(Clone, Copy)]
struct Moment {
    machine: Option<Ticks>,
    /// Ticks that this process used.
    own: Option<u64>,
    throttled: Option<u64>,
}

impl Moment {
    fn of(files: &Files) -> Self {
        Self { machine: files.ticks(), own: own(files), throttled: throttled(files) }
    }

    fn until(self, later: Self) -> Vec<(&'static str, String)> {
        // Some kernels let a sum go back a little.
        let shares = self.machine.zip(later.machine).filter(|(before, after)| after.all > before.all);
        let steal =
            shares.map(|(before, after)| share(after.stolen.saturating_sub(before.stolen), after.all - before.all));
        let others = shares.zip(self.own.zip(later.own)).map(|((before, after), (own, own_later))| {
            let used = after.busy.saturating_sub(before.busy);
            share(used.saturating_sub(own_later.saturating_sub(own)), after.all - before.all)
        });
        let hot = self.throttled.zip(later.throttled).map(|(before, after)| after.saturating_sub(before));
        let facts = [
            ("cpu.steal.recent", steal.map(percent)),
            ("cpu.others", others.map(percent)),
            ("cpu.throttled.recent", hot.map(|times| format!("{times} times"))),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// User and system time of this process: the 14th and 15th number of its line, whose second, a name, may have spaces in it.
fn own(files: &Files) -> Option<u64> {
    let text = files.text("proc/self/stat")?;
    let (_, numbers) = text.rsplit_once(") ")?;
    let mut times = numbers.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(times.next()?.ok()? + times.next()?.ok()?)
}

/// What a loop that does nothing but read the clock saw of it. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gaps {
    elapsed: u64,
    readings: u64,
    /// Sum of the standstills.
    lost: u64,
    longest: u64,
}

/// Reads the clock `now` (nanoseconds since the loop began) until it says `window`.
fn gaps(mut now: impl FnMut() -> u64, window: u64) -> Gaps {
    let mut seen = Gaps { elapsed: now(), readings: 1, lost: 0, longest: 0 };
    while seen.elapsed < window {
        let time = hint::black_box(now());
        let gap = time - seen.elapsed;
        if gap > STANDSTILL_NS {
            seen.lost += gap;
            seen.longest = seen.longest.max(gap);
        }
        seen.elapsed = time;
        seen.readings += 1;
    }
    seen
}

impl Gaps {
    fn facts(&self) -> [(&'static str, String); 3] {
        let cost = (self.elapsed - self.lost) as f64 / self.readings as f64;
        [
            ("clock.cost", format!("{cost:.0} ns")),
            ("cpu.lost", percent(share(self.lost, self.elapsed.max(1)))),
            ("cpu.lost.longest", format!("{:.2} ms", self.longest as f64 / 1e6)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::machine;
    use super::*;

    #[test]
    fn a_loop_that_stood_still_twice_says_how_long() {
        // Readings of 25 ns, but for two standstills.
        let mut time = 0;
        let mut reading = 0;
        let clock = || {
            reading += 1;
            time += match reading {
                500 => 1_000_000,
                900 => 250_000,
                _ => 25,
            };
            time
        };
        let seen = gaps(clock, 2_500_000);
        assert_eq!((seen.lost, seen.longest), (1_250_000, 1_000_000));
        let facts = seen.facts().map(|(_, value)| value);
        assert_eq!(facts, ["25 ns", "50.00 %", "1.00 ms"]);
    }

    fn moment(stat: &str, own: &str) -> Moment {
        let (_root, files) = machine(&[
            ("proc/stat", stat),
            ("proc/self/stat", own),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "7"),
        ]);
        Moment::of(&files)
    }

    #[test]
    fn what_others_used_is_all_that_was_used_but_the_own_part() {
        let before = moment("cpu  100 0 50 800 0 0 0 50 0 0\n", "7 (a ) b) S 1 1 1 0 0 0 0 0 0 0 20 5 0 0\n");
        let after = moment("cpu  220 0 60 850 0 0 0 70 0 0\n", "7 (a ) b) S 1 1 1 0 0 0 0 0 0 0 110 15 0 0\n");
        let facts = before.until(after);
        let expected =
            [("cpu.steal.recent", "10.00 %"), ("cpu.others", "15.00 %"), ("cpu.throttled.recent", "0 times")];
        assert_eq!(facts, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn a_real_watch_finds_a_clock_that_takes_some_time_to_read() {
        let mut environment = Environment::default();
        watch(&mut environment, Duration::from_millis(50));
        let cost: f64 = environment.circumstances["clock.cost"].trim_end_matches(" ns").parse().unwrap();
        assert!(cost > 0.0, "{cost}");
        assert!(environment.circumstances.contains_key("cpu.others"), "{:?}", environment.circumstances);
    }
}
