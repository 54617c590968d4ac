//! A suite of cases, and the way in: worked by perfplan, or run by hand.

use std::hint::black_box;
use std::process::ExitCode;

use crate::latency::{Latencies, OpenLoop};
use crate::protocol::{CONTROL, Description, Size};
use crate::{Checksum, Digest, Load, by_hand, worker};

/// What a timed part of a batch did.
pub(crate) struct Outcome {
    pub(crate) checksum: u64,
    /// From a latency case.
    pub(crate) latency: Option<Latencies>,
}

/// A case that is set up: runs `iterations`, of which `extra` more are done and not reported.
pub(crate) type Work = Box<dyn FnMut(u64, u64) -> Outcome>;

/// One named piece of work.
pub struct Case {
    pub(crate) description: Description,
    pub(crate) setup: Box<dyn Fn(Size) -> Work>,
}

impl Case {
    /// Says what one iteration does, in a sentence.
    pub fn about(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.description.about);
        self
    }

    /// Says that one iteration does `n` operations: claims on `throughput` and `wall.operation` are about one of them. In a latency
    /// case, so many are done for each arrival.
    ///
    /// # Panics
    /// Where `n` is 0.
    pub fn operations(&mut self, n: u64) -> &mut Self {
        assert!(n > 0, "case {}: an iteration does one operation at least", self.description.name);
        self.description.operations = n * per_iteration(self.description.rate);
        self
    }

    /// Says that the work uses `n` threads of its own: perfplan then gives it up to `n` CPUs instead of one.
    pub fn threads(&mut self, n: usize) -> &mut Self {
        self.description.threads = n;
        self
    }
}

/// The cases of one program.
pub struct Suite {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

impl Suite {
    /// An empty suite; `name` is shown to people.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), cases: Vec::new() }
    }

    /// Adds a case that is timed in batches. `setup` runs once per process, outside timing, and returns the work, which is
    /// called with the index of the iteration, from 0 in every batch.
    ///
    /// # Panics
    /// Where the name is taken, is empty or has white space in it: names go into filters, files and links.
    pub fn case<W, R>(&mut self, name: &str, setup: impl Fn(Size) -> W + 'static) -> &mut Case
    where
        W: FnMut(u64) -> R + 'static,
        R: Digest,
    {
        self.add(name, None, move |size| batches(setup(size)))
    }

    /// Adds a latency case: `rate` iterations arrive per second, whether the one before has ended or not (open loop), and
    /// each one's latency counts from its intended start, so that a stall is seen by all that had to wait for it. One iteration
    /// of a batch is a tenth of a second of them, and [`Load::ARRIVALS`] at least.
    ///
    /// # Panics
    /// As [`Suite::case`], and where the rate is not above 0.
    pub fn latency<W, R>(&mut self, name: &str, rate: f64, setup: impl Fn(Size) -> W + 'static) -> &mut Case
    where
        W: FnMut(u64) -> R + 'static,
        R: Digest,
    {
        self.add(name, Some(rate), move |size| open_loop(rate, setup(size)))
    }

    /// Adds a latency case with many requests in flight, as a service on a socket has them. The work does one batch: it sends
    /// the requests of a [`Load`] when they are due, however it likes, and notes the end and the result of each.
    /// `rate` requests are due per second, and one iteration is a tenth of a second of them, [`Load::ARRIVALS`] at least.
    ///
    /// ```
    /// use std::time::Instant;
    /// use perfplan_harness::{Load, Suite};
    ///
    /// let mut suite = Suite::new("my-service");
    /// suite.load("squares/10k", 10_000.0, |_size| {
    ///     |load: &Load| {
    ///         for request in load.arrivals() {
    ///             std::thread::sleep(request.due.saturating_duration_since(Instant::now()));
    ///             let answer = request.index * request.index; // where a client would write to a socket and read later
    ///             load.done(request, Instant::now(), &answer);
    ///         }
    ///     }
    /// });
    /// ```
    ///
    /// # Panics
    /// As [`Suite::latency`]. A batch panics where a request failed ([`Load::failed`]) or was not noted.
    pub fn load<W>(&mut self, name: &str, rate: f64, setup: impl Fn(Size) -> W + 'static) -> &mut Case
    where
        W: FnMut(&Load) + 'static,
    {
        self.add(name, Some(rate), move |size| open_load(rate, setup(size)))
    }

    fn add(&mut self, name: &str, rate: Option<f64>, setup: impl Fn(Size) -> Work + 'static) -> &mut Case {
        let plain = !name.is_empty() && !name.contains(char::is_whitespace);
        assert!(plain, "a case's name has no white space and is not empty: {name:?}");
        assert!(!self.cases.iter().any(|case| case.description.name == name), "two cases are called {name:?}");
        if let Some(rate) = rate {
            assert!(rate > 0.0, "case {name}: a rate is above 0 per second, not {rate}");
        }
        let at = self.cases.len();
        let operations = per_iteration(rate);
        let description = Description { name: name.to_owned(), threads: 1, operations, rate, about: String::new() };
        self.cases.push(Case { description, setup: Box::new(setup) });
        &mut self.cases[at]
    }

    /// Serves perfplan when it started this program; else does what the arguments say: `list`, `run CASE [SIZE]`.
    #[must_use]
    pub fn main(self) -> ExitCode {
        match std::env::var(CONTROL) {
            Ok(descriptor) => worker::serve(&self, &descriptor),
            Err(_) => by_hand::main(&self, std::env::args().skip(1)),
        }
    }
}

/// Arrivals in one iteration; 1 for a case of batches.
pub(crate) fn per_iteration(rate: Option<f64>) -> u64 {
    rate.map_or(1, |rate| OpenLoop::at(rate).per_iteration())
}

fn batches<R: Digest>(mut work: impl FnMut(u64) -> R + 'static) -> Work {
    Box::new(move |iterations, extra| {
        let checksum = repeated(&mut work, iterations);
        if extra > 0 {
            // Real extra work, in the very same code, whose results are thrown away.
            black_box(repeated(&mut work, extra));
        }
        Outcome { checksum: checksum.value(), latency: None }
    })
}

/// The measured loop. Never inlined, so that the extra iterations of a handicap don't get a copy of their own, with cold
/// caches and another alignment.
#[inline(never)]
fn repeated<R: Digest>(work: &mut impl FnMut(u64) -> R, iterations: u64) -> Checksum {
    let mut checksum = Checksum::default();
    for index in 0..iterations {
        black_box(work(black_box(index))).digest(&mut checksum);
    }
    checksum
}

fn open_loop<R: Digest>(rate: f64, mut work: impl FnMut(u64) -> R + 'static) -> Work {
    let arrivals = OpenLoop::at(rate);
    Box::new(move |iterations, extra| {
        let (mut checksum, mut done_extra) = (Checksum::default(), 0);
        let (count, extra) = (iterations * arrivals.per_iteration(), extra * arrivals.per_iteration());
        let latencies = arrivals.run(count, |index| {
            black_box(work(black_box(index))).digest(&mut checksum);
            // The extra work is spread over the arrivals, so that the handicap slows the service itself.
            while done_extra < extra * (index + 1) / count {
                black_box(work(black_box(index)));
                done_extra += 1;
            }
        });
        Outcome { checksum: checksum.value(), latency: Some(latencies) }
    })
}

fn open_load(rate: f64, mut work: impl FnMut(&Load) + 'static) -> Work {
    let rate = OpenLoop::at(rate);
    Box::new(move |iterations, extra| {
        let load = Load::at(rate, iterations * rate.per_iteration(), extra * rate.per_iteration());
        work(&load);
        let (checksum, latencies) = load.end();
        Outcome { checksum, latency: Some(latencies) }
    })
}
