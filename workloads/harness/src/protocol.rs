//! The words that perfplan and a worker exchange: one line each, over a socket that the worker inherits.
//!
//! ```text
//! perfplan                        worker
//!                                 hello 1
//! list                            case NAME threads=1 kind=batches ... , then done
//! setup CASE SIZE HANDICAP        ready counters=ok            (or: error TEXT)
//! batch N                         sample CHECKSUM wall=NS cpu=NS ...
//! count N                         sample CHECKSUM alloc.count=... alloc.bytes=...
//! end                             (the worker exits)
//! ```
//! The worker blocks while it waits; it never spins. A worker that can't do what it was asked says `error TEXT`.

use std::fmt;

/// The environment variable that holds the number of the inherited socket. Unset: the program is run by hand.
pub const CONTROL: &str = "PERFPLAN_CONTROL";

/// The version of these words. A worker with another one is refused.
pub const VERSION: u32 = 1;

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
    /// Run that many iterations with allocations counted, untimed.
    Count(u64),
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
    /// What a batch yielded.
    Sample(Sample),
    /// What went wrong.
    Error(String),
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
                write!(f, "case {} {} {rate} {}", case.name, case.threads, one_line(&case.about))
            }
            Self::Done => write!(f, "done"),
            Self::Ready { counters } => write!(f, "ready {}", one_line(counters)),
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
    let threads = number(next("threads")?)?;
    let rate: f64 = number(next("a rate")?)?;
    let about = next("a description").unwrap_or_default().to_owned();
    Ok(Description { name, threads, rate: (rate > 0.0).then_some(rate), about })
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
        for command in [Command::List, setup, Command::Batch(17), Command::Count(3), Command::End] {
            assert_eq!(command.to_string().parse(), Ok(command));
        }
    }

    #[test]
    fn every_reply_survives_the_wire() {
        let case = Description { name: "a/b".into(), threads: 8, rate: Some(1e5), about: "does a thing".into() };
        let plain = Description { name: "c".into(), threads: 1, rate: None, about: String::new() };
        let sample = Sample { checksum: u64::MAX, values: vec![("wall".into(), 1e6), ("alloc.count".into(), 0.5)] };
        let replies = [
            Reply::Hello(1),
            Reply::Case(case),
            Reply::Case(plain),
            Reply::Done,
            Reply::Ready { counters: "not supported here".into() },
            Reply::Sample(sample),
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
    }
}
