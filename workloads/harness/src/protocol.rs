//! The words that perfplan and a worker exchange: one line each, over a socket that the worker inherits.
//!
//! ```text
//! perfplan                        worker
//!                                 hello 1
//! list                            case NAME THREADS[xOPERATIONS] RATE ABOUT , one for each, then done
//! setup CASE SIZE HANDICAP        ready counters=ok            (or: error TEXT)
//! batch N                         sample CHECKSUM wall=NS cpu=NS ...
//! count N                         observed NAME V V ... , any number of them, then
//!                                 sample CHECKSUM alloc.count=... alloc.bytes=... NAME=...
//! trace N                         sample CHECKSUM
//! sites N                         site CALLS BYTES ADDRESS ADDRESS ... , any number of them, then sample CHECKSUM
//! end                             (the worker exits)
//! ```
//! The worker blocks while it waits; it never spins. A worker that can't do what it was asked says `error TEXT`, and so does
//! one from before a command was added: then it lacks what the command asks for.
//!
//! `trace` does its iterations between two *fences*, so that somebody who watches the process tells the work from what is
//! around it. A fence is a system call of no effect, [`FENCE`], for whoever follows system calls; and for callgrind, where the
//! program runs under it, a client request: the first fence sets all costs to zero, the second dumps them.

use std::fmt;
use std::num::NonZeroU64;

/// The environment variable that holds the number of the inherited socket. Unset: the program is run by hand.
pub const CONTROL: &str = "PERFPLAN_CONTROL";

/// The version of these words. A worker with another one is refused.
pub const VERSION: u32 = 1;

/// The first argument of the `prctl` that is a fence. The second is 1 where the work begins and 0 where it ends. The kernel
/// knows no such option, says `EINVAL` and does nothing.
pub const FENCE: i32 = 0x7046_4e43;

/// What perfplan asks of a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Name all cases.
    List,
    /// Set a case up, outside timing.
    Setup {
        /// The case's name without the workload.
        case: String,
        /// The word for a [`Size`].
        size: String,
        /// Extra iterations as a share: 0.01 does 1 % more than is asked and reported.
        handicap: f64,
    },
    /// Run that many iterations, timed.
    Batch(u64),
    /// Run that many iterations with allocations counted and the case's own metrics recorded, untimed.
    Count(u64),
    /// Run that many iterations between two fences, untimed.
    Trace(u64),
    /// Run that many iterations with every allocation attributed to its call stack, untimed.
    Sites(u64),
    /// Exit.
    End,
}

/// How large a case is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A batch finishes in milliseconds, set-up at once: for trying out and for CI's smoke test.
    Quick,
    /// What reports show.
    Default,
    /// The size of the real thing.
    Full,
}

impl Size {
    /// All of them, the smallest first.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Default, Self::Full];

    /// The word for it, in plans and for workers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Default => "default",
            Self::Full => "full",
        }
    }

    /// The value that belongs to this size.
    #[must_use]
    pub fn pick<T>(self, quick: T, default: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Default => default,
            Self::Full => full,
        }
    }
}

/// A hardware event that a sample carries where the machine counts it. The words are perf's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardwareEvent {
    /// Retired instructions.
    Instructions,
    /// Cycles of the processor, at whatever frequency it runs.
    Cycles,
    /// Retired branch instructions.
    Branches,
    /// Branches that were predicted wrongly.
    BranchMisses,
    /// Accesses to the cache, mostly the last level's.
    CacheReferences,
    /// Accesses that it could not serve.
    CacheMisses,
}

impl HardwareEvent {
    /// All of them. The first is the one that a machine with hardware counters is sure to have.
    pub const ALL: [Self; 6] = [
        Self::Instructions,
        Self::Cycles,
        Self::Branches,
        Self::BranchMisses,
        Self::CacheReferences,
        Self::CacheMisses,
    ];

    /// The name of the metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Cycles => "cycles",
            Self::Branches => "branches",
            Self::BranchMisses => "branch-misses",
            Self::CacheReferences => "cache-references",
            Self::CacheMisses => "cache-misses",
        }
    }

    /// What the kernel calls it.
    #[cfg(feature = "counters")]
    #[must_use]
    pub const fn kind(self) -> perf_event::events::Hardware {
        use perf_event::events::Hardware;
        match self {
            Self::Instructions => Hardware::INSTRUCTIONS,
            Self::Cycles => Hardware::CPU_CYCLES,
            Self::Branches => Hardware::BRANCH_INSTRUCTIONS,
            Self::BranchMisses => Hardware::BRANCH_MISSES,
            Self::CacheReferences => Hardware::CACHE_REFERENCES,
            Self::CacheMisses => Hardware::CACHE_MISSES,
        }
    }
}

/// What a case says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The case's name without the workload, without spaces.
    pub name: String,
    /// How many threads its work uses.
    pub threads: usize,
    /// How many operations one iteration does; 1 where the case does not say.
    pub operations: u64,
    /// Arrivals per second of an open-loop latency case; `None` for a case of batches.
    pub rate: Option<f64>,
    /// What one iteration does, for people.
    pub about: String,
}

/// What a worker answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The first line: the version of the protocol.
    Hello(u32),
    /// One case, in answer to [`Command::List`].
    Case(Description),
    /// The end of the list.
    Done,
    /// The case is set up. `counters` is `ok`, or why hardware counters are absent.
    Ready {
        /// `ok`, or the reason.
        counters: String,
    },
    /// Draws of a distribution that the case observed, in answer to [`Command::Count`].
    Observed {
        /// The name that the case gave it.
        name: String,
        /// Some twenty thousand of the values at most, drawn at random where there were more; in no particular order.
        values: Vec<f64>,
    },
    /// Allocations from one place, in answer to [`Command::Sites`].
    Site(Site),
    /// What a batch yielded.
    Sample(Sample),
    /// What went wrong.
    Error(String),
}

/// Allocations that were made through one call stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Calls of the allocator that ask for memory, over all iterations.
    pub calls: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// Addresses in the worker's memory, the innermost first, those of the recording itself among them. Each lies within the
    /// calling instruction, not behind it, so that looking it up finds the line of the call.
    pub stack: Vec<u64>,
}

/// What one batch yields: the digest of its results, and one value per metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Digest of all results of the batch.
    pub checksum: u64,
    /// Metric and value. Times are in nanoseconds for the whole batch.
    pub values: Vec<(String, f64)>,
}

impl Sample {
    /// The value of a metric, if the batch yielded it.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.values.iter().find(|(name, _)| name == metric).map(|(_, value)| *value)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => write!(f, "list"),
            Self::Setup { case, size, handicap } => write!(f, "setup {case} {size} {handicap}"),
            Self::Batch(n) => write!(f, "batch {n}"),
            Self::Count(n) => write!(f, "count {n}"),
            Self::Trace(n) => write!(f, "trace {n}"),
            Self::Sites(n) => write!(f, "sites {n}"),
            Self::End => write!(f, "end"),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(version) => write!(f, "hello {version}"),
            Self::Case(case) => {
                let rate = case.rate.unwrap_or(0.0);
                let several = if case.operations == 1 { String::new() } else { format!("x{}", case.operations) };
                write!(f, "case {} {}{several} {rate} {}", case.name, case.threads, one_line(&case.about))
            }
            Self::Done => write!(f, "done"),
            Self::Ready { counters } => write!(f, "ready {}", one_line(counters)),
            Self::Observed { name, values } => {
                write!(f, "observed {name}")?;
                values.iter().try_for_each(|value| write!(f, " {value}"))
            }
            Self::Site(site) => {
                write!(f, "site {} {}", site.calls, site.bytes)?;
                site.stack.iter().try_for_each(|address| write!(f, " {address:x}"))
            }
            Self::Sample(sample) => {
                write!(f, "sample {:016x}", sample.checksum)?;
                sample.values.iter().try_for_each(|(metric, value)| write!(f, " {metric}={value}"))
            }
            Self::Error(text) => write!(f, "error {}", one_line(text)),
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|size| size.as_str() == word);
        known.ok_or_else(|| format!("unknown size {word:?}: choose from {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

impl std::str::FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["list"] => Ok(Self::List),
            ["setup", case, size, handicap] => {
                Ok(Self::Setup { case: (*case).to_owned(), size: (*size).to_owned(), handicap: number(handicap)? })
            }
            ["batch", n] => number(n).map(Self::Batch),
            ["count", n] => number(n).map(Self::Count),
            ["trace", n] => number(n).map(Self::Trace),
            ["sites", n] => number(n).map(Self::Sites),
            ["end"] => Ok(Self::End),
            _ => Err(format!("not a command of this protocol: {line:?}")),
        }
    }
}

impl std::str::FromStr for Reply {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let line = line.trim_end();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "hello" => number(rest).map(Self::Hello),
            "case" => parse_case(rest).map(Self::Case),
            "done" => Ok(Self::Done),
            "ready" => Ok(Self::Ready { counters: rest.to_owned() }),
            "observed" => parse_observed(rest),
            "site" => parse_site(rest).map(Self::Site),
            "sample" => parse_sample(rest).map(Self::Sample),
            "error" => Ok(Self::Error(rest.to_owned())),
            _ => Err(format!("not an answer of this protocol: {line:?}")),
        }
    }
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("not a number: {word:?}"))
}

fn parse_case(rest: &str) -> Result<Description, String> {
    let mut words = rest.splitn(4, ' ');
    let mut next = |what: &str| words.next().ok_or_else(|| format!("a case without {what}: {rest:?}"));
    let name = next("a name")?.to_owned();
    // `8`, or `8x200` where an iteration is several operations.
    let threads = next("threads")?;
    let (threads, operations) = threads.split_once('x').unwrap_or((threads, "1"));
    let (threads, operations) = (number(threads)?, number::<NonZeroU64>(operations)?.get());
    let rate: f64 = number(next("a rate")?)?;
    let about = next("a description").unwrap_or_default().to_owned();
    Ok(Description { name, threads, operations, rate: (rate > 0.0).then_some(rate), about })
}

fn parse_observed(rest: &str) -> Result<Reply, String> {
    let mut words = rest.split_ascii_whitespace();
    let name = words.next().ok_or_else(|| "observations without a name".to_owned())?.to_owned();
    let values = words.map(number).collect::<Result<_, _>>()?;
    Ok(Reply::Observed { name, values })
}

fn parse_site(rest: &str) -> Result<Site, String> {
    let mut words = rest.split_ascii_whitespace();
    let mut next = |what: &str| number(words.next().ok_or_else(|| format!("a site without {what}: {rest:?}"))?);
    let (calls, bytes) = (next("calls")?, next("bytes")?);
    let address = |word| u64::from_str_radix(word, 16).map_err(|_| format!("not an address: {word:?}"));
    Ok(Site { calls, bytes, stack: words.map(address).collect::<Result<_, _>>()? })
}

fn parse_sample(rest: &str) -> Result<Sample, String> {
    let mut words = rest.split_ascii_whitespace();
    let checksum = words.next().unwrap_or_default();
    let checksum = u64::from_str_radix(checksum, 16).map_err(|_| format!("not a checksum: {checksum:?}"))?;
    let values = words
        .map(|word| {
            let (metric, value) = word.split_once('=').ok_or_else(|| format!("not a metric: {word:?}"))?;
            Ok((metric.to_owned(), number(value)?))
        })
        .collect::<Result<_, String>>()?;
    Ok(Sample { checksum, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_survives_the_wire() {
        let setup = Command::Setup { case: "a/b".into(), size: "quick".into(), handicap: 0.005 };
        for command in [Command::List, setup, Command::Batch(17), Command::End] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
        for command in [Command::Count(3), Command::Trace(u64::MAX), Command::Sites(1)] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
    }

    #[test]
    fn every_reply_survives_the_wire() {
        let about = "does a thing".into();
        let case = Description { name: "a/b".into(), threads: 8, operations: 200, rate: Some(1e5), about };
        let plain = Description { name: "c".into(), threads: 1, operations: 1, rate: None, about: String::new() };
        let sample = Sample { checksum: u64::MAX, values: vec![("wall".into(), 1e6), ("alloc.count".into(), 0.5)] };
        let replies = [
            Reply::Hello(1),
            Reply::Case(case),
            Reply::Case(plain),
            Reply::Done,
            Reply::Ready { counters: "not supported here".into() },
            Reply::Observed { name: "call.ns".into(), values: vec![1.5, -0.1, 1e300, 0.0] },
            Reply::Observed { name: "never".into(), values: Vec::new() },
            Reply::Site(Site { calls: 3, bytes: 96, stack: vec![0x5555_0000_1234, 1, u64::MAX] }),
            Reply::Site(Site::default()),
            Reply::Sample(sample),
            Reply::Sample(Sample::default()),
            Reply::Error("the case panicked: index out of bounds".into()),
        ];
        for reply in replies {
            assert_eq!(reply.to_string().parse(), Ok(reply));
        }
    }

    #[test]
    fn every_size_survives_the_wire_and_an_unknown_one_is_told_the_choice() {
        for size in Size::ALL {
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        assert_eq!(Size::ALL.map(|size| size.pick(1, 2, 3)), [1, 2, 3]);
        assert_eq!("huge".parse::<Size>(), Err("unknown size \"huge\": choose from quick, default, full".to_owned()));
    }

    #[test]
    fn the_names_of_events_can_stand_in_a_sample() {
        let values = HardwareEvent::ALL.map(|event| (event.as_str().to_owned(), 1.0)).to_vec();
        let sample = Reply::Sample(Sample { checksum: 0, values });
        assert_eq!(sample.to_string().parse(), Ok(sample));
    }

    #[test]
    fn a_line_break_can_not_forge_a_reply() {
        assert_eq!(Reply::Error("a\nsample 0".into()).to_string(), "error a sample 0");
    }

    #[test]
    fn nonsense_is_refused_with_the_line() {
        assert!("frobnicate 1".parse::<Command>().unwrap_err().contains("frobnicate"));
        assert!("sample zz".parse::<Reply>().is_err());
        assert!("batch -1".parse::<Command>().is_err());
        assert!("trace".parse::<Command>().is_err());
        for line in ["site", "site 1", "site 1 x", "site 1 2 0x3", "observed", "observed a b"] {
            assert!(line.parse::<Reply>().is_err(), "{line}");
        }
    }
}
