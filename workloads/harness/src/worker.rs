//! Serving perfplan: wait, blocked, for a command; do it; answer.

use std::any::Any;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use crate::counters::Counters;
use crate::protocol::{Command, Reply, Sample, Size, VERSION};
use crate::suite::{Outcome, Suite, Work, per_iteration};
use crate::{allocator, fence, metrics, sites};

/// A case that stands ready.
struct Standing {
    work: Work,
    /// Operations of an arrival, in a latency case.
    operations: f64,
    counters: Counters,
    handicap: f64,
    /// The part of an extra iteration that is still owed.
    owed: f64,
}

pub(crate) fn serve(suite: &Suite, descriptor: &str) -> ExitCode {
    match connect(descriptor).and_then(|stream| converse(suite, &stream)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // perfplan reads the tail of stderr when a worker breaks off.
            let _ = writeln!(io::stderr(), "{}: worker: {error}", suite.name);
            ExitCode::FAILURE
        }
    }
}

fn connect(descriptor: &str) -> io::Result<UnixStream> {
    let fd: i32 = descriptor.parse().map_err(|_| io::Error::other(format!("not a descriptor: {descriptor:?}")))?;
    // SAFETY: fcntl on a number that may be no open descriptor is harmless: it says so.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: perfplan opened this socket for this process alone, it is open (see above), and nothing else here owns it.
    Ok(unsafe { UnixStream::from_raw_fd(fd) })
}

fn converse(suite: &Suite, stream: &UnixStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    answer(stream, &Reply::Hello(VERSION))?;
    let mut standing = None;
    while let Some(line) = lines.next().transpose()? {
        match line.parse() {
            Ok(Command::End) => return Ok(()),
            Ok(Command::List) => {
                suite.cases.iter().try_for_each(|case| answer(stream, &Reply::Case(case.description.clone())))?;
                answer(stream, &Reply::Done)?;
            }
            Ok(command) => {
                let replies = guarded(|| obey(suite, &mut standing, command));
                let replies = replies.unwrap_or_else(|text| vec![Reply::Error(text)]);
                replies.iter().try_for_each(|reply| answer(stream, reply))?;
            }
            Err(text) => answer(stream, &Reply::Error(text))?,
        }
    }
    Ok(())
}

fn answer(mut stream: &UnixStream, reply: &Reply) -> io::Result<()> {
    stream.write_all(format!("{reply}\n").as_bytes())
}

/// A panic in a case is an answer, not the end of the conversation.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(format!("panicked: {}", panic_text(&*payload))))
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn obey(suite: &Suite, standing: &mut Option<Standing>, command: Command) -> Result<Vec<Reply>, String> {
    match command {
        Command::Setup { case, size, handicap } => {
            *standing = None; // The case before goes first: two must not share the memory.
            let next = set_up(suite, &case, &size, handicap)?;
            let counters = next.counters.status.clone();
            *standing = Some(next);
            Ok(vec![Reply::Ready { counters }])
        }
        Command::Batch(n) => ready(standing).map(|case| vec![Reply::Sample(timed(case, n))]),
        Command::Count(n) => ready(standing).map(|case| counted(case, n)),
        Command::Trace(n) => ready(standing).map(|case| traced(case, n)),
        Command::Sites(n) => ready(standing).and_then(|case| attributed(case, n)),
        Command::List | Command::End => Err("answered before".to_owned()),
    }
}

fn ready(standing: &mut Option<Standing>) -> Result<&mut Standing, String> {
    standing.as_mut().ok_or_else(|| "no case is set up".to_owned())
}

fn set_up(suite: &Suite, name: &str, size: &str, handicap: f64) -> Result<Standing, String> {
    let case = suite.cases.iter().find(|case| case.description.name == name);
    let case = case.ok_or_else(|| format!("{} has no case {name:?}", suite.name))?;
    let size: Size = size.parse()?;
    let arrivals = per_iteration(case.description.rate);
    let operations = case.description.operations as f64 / arrivals as f64;
    Ok(Standing { work: (case.setup)(size), operations, counters: Counters::open(), handicap, owed: 0.0 })
}

fn timed(case: &mut Standing, n: u64) -> Sample {
    case.owed += n as f64 * case.handicap;
    let extra = case.owed.floor();
    case.owed -= extra;
    let before = Usage::now();
    case.counters.start();
    let start = Instant::now();
    let outcome = (case.work)(n, extra as u64);
    let wall = start.elapsed();
    let counts = case.counters.stop();
    let used = Usage::now().since(before);
    sample(&outcome, case.operations, wall.as_nanos() as f64, used, counts)
}

fn sample(outcome: &Outcome, operations: f64, wall: f64, used: Usage, counts: Vec<(String, f64)>) -> Sample {
    let mut values = vec![
        ("switches.involuntary".to_owned(), used.preempted as f64),
        ("context-switches".to_owned(), (used.preempted + used.waited) as f64),
        ("page-faults".to_owned(), used.faults as f64),
    ];
    if let Some(latencies) = &outcome.latency {
        // An open loop fills the time whatever the work costs: its wall and CPU time say nothing.
        values.extend(latencies.percentiles().into_iter().map(|(name, ns)| (name.to_owned(), ns)));
        values.push(("throughput".to_owned(), latencies.achieved() * operations));
        values.push(("batch".to_owned(), wall));
        values.push(("batch.cpu".to_owned(), used.cpu_ns as f64));
    } else {
        values.push(("wall".to_owned(), wall));
        values.push(("cpu".to_owned(), used.cpu_ns as f64));
    }
    values.extend(counts);
    Sample { checksum: outcome.checksum, values }
}

/// Allocations, and the case's own metrics.
fn counted(case: &mut Standing, n: u64) -> Vec<Reply> {
    let ((outcome, counted), notes) = metrics::record(n, || allocator::count(|| (case.work)(n, 0)));
    let mut values = counted.map_or_else(Vec::new, |counted| {
        let per_iteration = |count: u64| count as f64 / n.max(1) as f64;
        vec![
            ("alloc.count".to_owned(), per_iteration(counted.calls)),
            ("alloc.bytes".to_owned(), per_iteration(counted.bytes)),
            ("alloc.peak".to_owned(), counted.peak as f64),
        ]
    });
    values.extend(notes.values);
    let mut replies = notes.observed;
    replies.push(Reply::Sample(Sample { checksum: outcome.checksum, values }));
    replies
}

/// Nothing is counted here: somebody watches from outside.
fn traced(case: &mut Standing, n: u64) -> Vec<Reply> {
    let outcome = fence::fenced(|| (case.work)(n, 0));
    vec![Reply::Sample(Sample { checksum: outcome.checksum, values: Vec::new() })]
}

/// Where memory was asked for.
fn attributed(case: &mut Standing, n: u64) -> Result<Vec<Reply>, String> {
    let (outcome, sites) = sites::record(|| (case.work)(n, 0))?;
    let sample = Reply::Sample(Sample { checksum: outcome.checksum, values: Vec::new() });
    Ok(sites.into_iter().map(Reply::Site).chain([sample]).collect())
}

/// What this process has used so far, all threads together.
#[derive(Clone, Copy)]
struct Usage {
    cpu_ns: u64,
    /// Times that the CPU was taken away.
    preempted: i64,
    /// Times that it was given up, to wait for something.
    waited: i64,
    /// Page faults, with and without reading from disk.
    faults: i64,
}

impl Usage {
    fn now() -> Self {
        // SAFETY: both structures are plain numbers that the kernel fills; zeroed is a valid value of each.
        unsafe {
            let mut time: libc::timespec = std::mem::zeroed();
            libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time);
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
            Self {
                cpu_ns: time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64,
                preempted: usage.ru_nivcsw,
                waited: usage.ru_nvcsw,
                faults: usage.ru_minflt + usage.ru_majflt,
            }
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns - before.cpu_ns,
            preempted: self.preempted - before.preempted,
            waited: self.waited - before.waited,
            faults: self.faults - before.faults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::allocator!();

    fn suite() -> Suite {
        let mut suite = Suite::new("test");
        suite.case("boxes", |_| |index: u64| vec![index; 4]);
        suite.case("notes", |_| {
            |index: u64| {
                crate::gauge("hit-rate", if index.is_multiple_of(4) { 0.0 } else { 1.0 });
                crate::add("rows", index);
                std::thread::scope(|scope| scope.spawn(move || crate::observe("value", index as f64)).join().unwrap());
            }
        });
        suite.case("confuses", |_| {
            |_: u64| {
                crate::add("rows", 1);
                crate::gauge("rows", 1.0);
            }
        });
        suite.load("served", 100_000.0, |_| {
            |load: &crate::Load| load.arrivals().for_each(|request| load.done(request, request.due, &request.index))
        });
        suite.load("refused", 100_000.0, |_| {
            |load: &crate::Load| load.arrivals().for_each(|request| load.failed(request, request.due, "no service"))
        });
        suite.case("breaks", |_| |index: u64| assert!(index < 2, "index {index} is too large"));
        suite
    }

    /// Talks to a worker over a socket pair, as perfplan does.
    fn talk(lines: &str) -> Vec<Reply> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(lines.as_bytes()).unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        converse(&suite(), &theirs).unwrap();
        drop(theirs);
        BufReader::new(ours).lines().map(|line| line.unwrap().parse().unwrap()).collect()
    }

    fn sample_of(reply: &Reply) -> &Sample {
        match reply {
            Reply::Sample(sample) => sample,
            other => panic!("not a sample: {other}"),
        }
    }

    #[test]
    fn equal_batches_have_equal_checksums_and_a_handicap_does_not_change_them() {
        let replies = talk("setup boxes quick 0\nbatch 100\nbatch 100\nsetup boxes quick 0.5\nbatch 100\n");
        let sums: Vec<u64> = [2, 3, 5].map(|at| sample_of(&replies[at]).checksum).to_vec();
        assert_eq!(sums[0], sums[1]);
        assert_eq!(sums[0], sums[2]);
    }

    #[test]
    fn allocations_are_counted_per_iteration_and_bytes_are_exact() {
        let _turn = TURN.lock();
        let replies = talk("setup boxes quick 0\ncount 1000\n");
        let sample = sample_of(&replies[2]);
        // Other tests of this program may allocate meanwhile, so these are lower bounds with little room above.
        assert!(sample.value("alloc.count").unwrap() >= 1.0);
        assert!(sample.value("alloc.bytes").unwrap() >= 32.0);
        assert!(sample.value("wall").is_none(), "counting rounds yield no times");
    }

    #[test]
    fn a_panic_is_an_answer_and_the_worker_lives_on() {
        let replies = talk("setup breaks quick 0\nbatch 5\nbatch 2\n");
        assert_eq!(replies[2], Reply::Error("panicked: index 2 is too large".into()));
        assert!(matches!(replies[3], Reply::Sample(_)));
    }

    /// What is recorded is the process', so tests that look at it take turns.
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

    #[test]
    fn a_case_has_metrics_of_its_own_in_counting_batches_and_in_no_others() {
        let _turn = TURN.lock();
        let replies = talk("setup notes quick 0\nbatch 8\ncount 8\ncount 4\n");
        assert!(sample_of(&replies[2]).value("hit-rate").is_none());
        let Reply::Observed { name, values } = &replies[3] else { panic!("no observations: {replies:?}") };
        assert_eq!((name.as_str(), values.len(), values.iter().sum::<f64>()), ("value", 8, 28.0));
        let counted = sample_of(&replies[4]);
        assert_eq!((counted.value("hit-rate"), counted.value("rows")), (Some(0.75), Some(28.0 / 8.0)));
        assert_eq!(sample_of(&replies[6]).value("rows"), Some(6.0 / 4.0), "every batch begins anew: {replies:?}");
    }

    #[test]
    fn one_name_for_two_kinds_of_metric_is_an_answer_that_says_so() {
        let _turn = TURN.lock();
        let replies = talk("setup confuses quick 0\nbatch 1\ncount 1\n");
        assert!(matches!(replies[2], Reply::Sample(_)), "only recording looks at names");
        let said = replies[3].to_string();
        assert!(said.starts_with("error panicked: gauge(\"rows\"): the same name has already been used"), "{said}");
    }

    #[test]
    fn counting_tracing_and_attributing_do_the_same_work_as_timing() {
        let _turn = TURN.lock();
        let replies = talk("setup boxes quick 0\nbatch 50\ncount 50\ntrace 50\nsites 50\n");
        let samples: Vec<&Sample> = replies
            .iter()
            .filter_map(|reply| if let Reply::Sample(sample) = reply { Some(sample) } else { None })
            .collect();
        assert_eq!(samples.len(), 4, "{replies:?}");
        assert!(samples.iter().all(|sample| sample.checksum == samples[0].checksum), "{samples:?}");
        assert!(samples[2].values.is_empty() && samples[3].values.is_empty(), "nothing was timed or counted");
    }

    #[test]
    fn a_panic_ends_counting_and_attributing_too() {
        let _turn = TURN.lock();
        let replies = talk("setup breaks quick 0\ncount 5\nsites 5\ntrace 5\nsetup boxes quick 0\nbatch 1\n");
        for reply in &replies[2..5] {
            assert_eq!(reply, &Reply::Error("panicked: index 2 is too large".into()));
        }
        let recorded = allocator::unseen(|| ()).is_some();
        assert!(recorded, "the thread's allocations are seen again");
        assert!(matches!(replies[6], Reply::Sample(_)));
    }

    #[test]
    fn a_load_yields_percentiles_and_its_handicap_does_not_change_its_checksum() {
        let _turn = TURN.lock();
        let replies = talk("setup served quick 0\nbatch 2\ncount 2\nsetup served quick 0.5\nbatch 2\n");
        let [sample, counted, handicapped] = [2, 3, 5].map(|at| sample_of(&replies[at]));
        assert!(sample.value("latency.p99").is_some() && sample.value("batch").is_some(), "{sample:?}");
        assert!(sample.value("wall").is_none(), "an open loop fills the time: {sample:?}");
        assert_eq!((counted.checksum, handicapped.checksum), (sample.checksum, sample.checksum));
    }

    #[test]
    fn a_load_whose_requests_fail_is_an_answer_that_says_how_many_and_why() {
        let replies = talk("setup refused quick 0\nbatch 1\n");
        let said =
            "panicked: 10000 of 10000 requests failed, the first was request 0, 0.0 ms after it was due: no service";
        assert_eq!(replies[2], Reply::Error(said.into()));
    }

    #[test]
    fn an_unknown_case_and_a_batch_before_setup_are_refused() {
        let replies = talk("batch 1\nsetup nope quick 0\nsetup boxes huge 0\nlist\n");
        assert_eq!(replies[1], Reply::Error("no case is set up".into()));
        assert_eq!(replies[2], Reply::Error("test has no case \"nope\"".into()));
        assert!(replies[3].to_string().contains("unknown size"));
        assert_eq!(replies.len(), 11, "six cases and the end of the list: {replies:?}");
    }
}
