//! Hardware counters of a batch, in one group, through `perf_event_open`; or the reason why there are none.

use std::io;

use perf_event::{Builder, Counter, Group};

use crate::protocol::HardwareEvent;

/// The lowest layer: something that can be started, stopped and read. Faked in tests.
pub(crate) trait Source {
    fn start(&mut self) -> io::Result<()>;
    fn stop(&mut self) -> io::Result<Reading>;
}

/// The counts since the start, and for how much of the time the group was really on the hardware.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) counts: Vec<(&'static str, u64)>,
    pub(crate) enabled_ns: u64,
    pub(crate) running_ns: u64,
}

/// A group of counters on this thread.
struct PerfGroup {
    group: Group,
    counters: Vec<(&'static str, Counter)>,
}

impl PerfGroup {
    /// As many of the events as the machine has, the first one at least.
    fn open() -> io::Result<Self> {
        let mut group = Group::new()?;
        let mut counters = Vec::new();
        for (index, event) in HardwareEvent::ALL.into_iter().enumerate() {
            match Builder::new().group(&mut group).kind(event.kind()).build() {
                Ok(counter) => counters.push((event.as_str(), counter)),
                Err(error) if index == 0 => return Err(error),
                // A machine without this one event still has the others.
                Err(_) => {}
            }
        }
        Ok(Self { group, counters })
    }
}

impl Source for PerfGroup {
    fn start(&mut self) -> io::Result<()> {
        self.group.reset()?;
        self.group.enable()
    }

    fn stop(&mut self) -> io::Result<Reading> {
        self.group.disable()?;
        let counts = self.group.read()?;
        let (enabled_ns, running_ns) = match self.counters.first_mut() {
            Some((_, counter)) => counter.read_count_and_time().map(|c| (c.time_enabled, c.time_running))?,
            None => (0, 0),
        };
        let counts = self.counters.iter().map(|(name, counter)| (*name, counts[counter])).collect();
        Ok(Reading { counts, enabled_ns, running_ns })
    }
}

/// The counters of this process, and why hardware ones are absent if they are.
pub(crate) struct Counters {
    sources: Vec<Box<dyn Source>>,
    /// `ok`, or the reason in the operating system's words and the fix.
    pub(crate) status: String,
}

impl Counters {
    /// Opens what the machine has. Software events need no counters: the kernel accounts them to every process anyway, and
    /// a group of them would cost 20 us a batch on some virtual machines.
    pub(crate) fn open() -> Self {
        match PerfGroup::open() {
            Ok(group) => Self { sources: vec![Box::new(group)], status: "ok".to_owned() },
            Err(error) => Self { sources: Vec::new(), status: reason(&error) },
        }
    }

    #[cfg(test)]
    fn over(sources: Vec<Box<dyn Source>>) -> Self {
        Self { sources, status: "ok".to_owned() }
    }

    pub(crate) fn start(&mut self) {
        // A source that can't start yields nothing at `stop`: the metric is absent, never 0.
        self.sources.retain_mut(|source| source.start().is_ok());
    }

    /// The counts since `start`, scaled up where the counters shared the hardware with others.
    pub(crate) fn stop(&mut self) -> Vec<(String, f64)> {
        self.sources.iter_mut().filter_map(|source| source.stop().ok()).flat_map(|reading| scaled(&reading)).collect()
    }
}

fn scaled(reading: &Reading) -> Vec<(String, f64)> {
    if reading.running_ns == 0 {
        // Never scheduled on the hardware: absent.
        return Vec::new();
    }
    let scale = reading.enabled_ns as f64 / reading.running_ns as f64;
    let mut values: Vec<_> = reading.counts.iter().map(|(name, n)| ((*name).to_owned(), *n as f64 * scale)).collect();
    if scale > 1.0 {
        values.push(("counters.multiplexed".to_owned(), 1.0 - 1.0 / scale));
    }
    values
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP) => "this machine offers no hardware counters".to_owned(),
        Some(libc::EACCES | libc::EPERM) => {
            "no permission for hardware counters: sysctl kernel.perf_event_paranoid=2 or lower".to_owned()
        }
        Some(libc::ENOSYS) => "this kernel has no perf_event_open".to_owned(),
        _ => format!("no hardware counters: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(io::Result<Reading>, bool);

    impl Source for Fake {
        fn start(&mut self) -> io::Result<()> {
            if self.1 { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EBUSY)) }
        }

        fn stop(&mut self) -> io::Result<Reading> {
            self.0.as_ref().cloned().map_err(|error| io::Error::from(error.kind()))
        }
    }

    fn reading(enabled_ns: u64, running_ns: u64) -> Reading {
        Reading { counts: vec![("instructions", 1_000), ("cycles", 500)], enabled_ns, running_ns }
    }

    fn counted(fake: Fake) -> Vec<(String, f64)> {
        let mut counters = Counters::over(vec![Box::new(fake)]);
        counters.start();
        counters.stop()
    }

    #[test]
    fn counts_are_passed_on_as_they_are_when_nothing_is_multiplexed() {
        let values = counted(Fake(Ok(reading(10, 10)), true));
        assert_eq!(values, [("instructions".to_owned(), 1_000.0), ("cycles".to_owned(), 500.0)]);
    }

    #[test]
    fn multiplexed_counts_are_scaled_and_it_is_said() {
        let values = counted(Fake(Ok(reading(40, 10)), true));
        assert_eq!(values[0], ("instructions".to_owned(), 4_000.0));
        assert_eq!(values[2], ("counters.multiplexed".to_owned(), 0.75));
    }

    #[test]
    fn what_was_not_counted_is_absent_and_never_zero() {
        assert_eq!(counted(Fake(Ok(reading(10, 0)), true)), []);
        assert_eq!(counted(Fake(Err(io::Error::other("gone")), true)), []);
        assert_eq!(counted(Fake(Ok(reading(10, 10)), false)), []);
    }

    #[test]
    fn the_reason_names_the_fix_where_there_is_one() {
        assert!(reason(&io::Error::from_raw_os_error(libc::EACCES)).contains("perf_event_paranoid"));
        assert!(reason(&io::Error::from_raw_os_error(libc::ENOENT)).contains("no hardware counters"));
    }
}
