//! Counts against counts by hand. They need a process whose other threads do nothing: this test program starts itself as a
//! worker.

#![cfg(feature = "worker")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use perfplan_harness::protocol::{CONTROL, Reply, Sample, Site};
use perfplan_harness::{Suite, add, gauge, observe};

perfplan_harness::allocator!();

/// 3 boxes of 8 bytes from one line, 1 of 100 from another, and one string that grows from 10 to 40 bytes.
#[inline(never)]
fn allocate(index: u64) -> u64 {
    let boxes: Vec<u64> = (0..3).map(|n| *std::hint::black_box(boxed(n + index))).collect::<VecDeque<_>>().into();
    let bytes = std::hint::black_box(Box::new([index as u8; 100]));
    let mut text = std::hint::black_box(String::with_capacity(10));
    text.reserve_exact(40);
    boxes[2] + u64::from(bytes[99]) + text.len() as u64
}

#[inline(never)]
fn boxed(n: u64) -> Box<u64> {
    Box::new(n)
}

/// Allocates in two threads at once.
fn in_threads(index: u64) {
    std::thread::scope(|scope| {
        let threads =
            [1, 2].map(|n| scope.spawn(move || (0..n).for_each(|n| drop(std::hint::black_box(boxed(n + index))))));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// Notes without allocating: what the notes themselves take must not be counted.
fn note(index: u64) {
    gauge("level", index as f64);
    add("items", 2);
    (0..200).for_each(|n| observe("value", f64::from(n)));
}

/// Forks while another thread allocates and notes. The child does so as well; one that still waits after a second is killed.
fn fork(_index: u64) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                drop(std::hint::black_box(boxed(1)));
                gauge("level", 1.0);
            }
        });
        let statuses: Vec<i32> = (0..30).map(|_| status_of_a_child()).collect();
        done.store(true, Relaxed);
        assert!(statuses.iter().all(|status| *status == 0), "{statuses:?}");
    });
}

fn status_of_a_child() -> i32 {
    let mut status = -1;
    // SAFETY: the system's allocator works in a child of several threads, and nothing else here needs a lock.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::alarm(1);
            drop(std::hint::black_box(boxed(1)));
            gauge("level", 1.0);
            libc::_exit(0);
        }
        libc::waitpid(child, &raw mut status, 0);
    }
    status
}

fn suite() -> Suite {
    let mut suite = Suite::new("counted");
    suite.case("allocates", |_| allocate);
    suite.case("threads", |_| in_threads);
    suite.case("notes", |_| note);
    suite.case("forks", |_| fork);
    suite
}

struct Worker {
    child: Child,
    lines: BufReader<UnixStream>,
}

impl Worker {
    fn with(case: &str) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker", "--test-threads=1"])
            .env(CONTROL, "0")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut worker = Self { child, lines: BufReader::new(ours) };
        assert_eq!(worker.receive(), Reply::Hello(1));
        worker.send(&format!("setup {case} quick 0"));
        assert!(matches!(worker.receive(), Reply::Ready { .. }));
        // What is allocated once only, buffers of the standard library among them, is not the steady state.
        worker.send("batch 3");
        assert!(matches!(worker.receive(), Reply::Sample(_)));
        worker
    }

    fn send(&mut self, line: &str) {
        writeln!(self.lines.get_mut(), "{line}").unwrap();
    }

    fn receive(&mut self) -> Reply {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.parse().unwrap()
    }

    fn count(&mut self, n: u64) -> (Vec<(String, usize)>, Sample) {
        self.send(&format!("count {n}"));
        let mut observed = Vec::new();
        loop {
            match self.receive() {
                Reply::Observed { name, values } => observed.push((name, values.len())),
                Reply::Sample(sample) => return (observed, sample),
                other => panic!("{other}"),
            }
        }
    }

    fn sites(&mut self, n: u64) -> Vec<Site> {
        self.send(&format!("sites {n}"));
        let mut sites = Vec::new();
        loop {
            match self.receive() {
                Reply::Site(site) => sites.push(site),
                Reply::Sample(_) => return sites,
                other => panic!("{other}"),
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.send("end");
        self.child.wait().unwrap();
    }
}

/// The thread that started this test allocates until it waits for its end, which can last on a busy machine.
fn wait_for_the_main_thread() {
    let is_waiting = || {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{}/stat", std::process::id())).unwrap();
        stat.rsplit(") ").next().is_some_and(|state| state.starts_with('S'))
    };
    loop {
        std::thread::sleep(Duration::from_millis(20));
        if is_waiting() {
            return;
        }
    }
}

/// The worker itself, where this program was started as one.
#[test]
fn worker() {
    if std::env::var_os(CONTROL).is_some() {
        wait_for_the_main_thread();
        assert_eq!(format!("{:?}", suite().main()), format!("{:?}", ExitCode::SUCCESS));
    }
}

#[test]
fn allocations_and_their_sites_are_those_of_a_count_by_hand() {
    let mut worker = Worker::with("allocates");
    let (_, sample) = worker.count(10);
    let by_hand = [3.0, 1.0, 1.0, 1.0, 1.0];
    let calls: f64 = by_hand.iter().sum();
    // Boxes of 8, one array of 100, a buffer of three or four words, a string of 10 that is then asked for as one of 40.
    assert_eq!(sample.value("alloc.count"), Some(calls));
    let bytes = sample.value("alloc.bytes").unwrap();
    let sites = worker.sites(10);
    assert_eq!(sites.iter().map(|site| site.calls).sum::<u64>(), 10 * calls as u64, "{sites:?}");
    assert_eq!(sites.iter().map(|site| site.bytes).sum::<u64>(), 10 * bytes as u64);
    let mut places: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    sites.iter().for_each(|site| *places.entry((site.calls, site.bytes)).or_default() += 1);
    for place in [(30, 240), (10, 1_000), (10, 100), (10, 400)] {
        assert_eq!(places.get(&place), Some(&1), "{place:?} of {places:?}");
    }
    assert_eq!(sites.len(), by_hand.len(), "{sites:?}");
    assert!(sites.iter().all(|site| site.stack.len() > 5), "stacks reach outwards: {sites:?}");
    assert_eq!(worker.sites(10), sites, "again the same");
}

#[test]
fn allocations_of_all_threads_are_attributed() {
    let mut worker = Worker::with("threads");
    let sites = worker.sites(5);
    // One box in one thread, two in the other, through the same closure. What starts threads allocates as well.
    let boxes: Vec<&Site> = sites.iter().filter(|site| (site.calls, site.bytes) == (15, 120)).collect();
    assert_eq!(boxes.len(), 1, "{sites:?}");
    let counted = worker.count(5).1.value("alloc.count").unwrap();
    assert_eq!(sites.iter().map(|site| site.calls).sum::<u64>() as f64, counted * 5.0);
}

#[test]
fn what_notes_take_is_not_counted_as_the_cases_own() {
    let mut worker = Worker::with("notes");
    let (observed, sample) = worker.count(100);
    assert_eq!(sample.value("alloc.count"), Some(0.0), "{sample:?}");
    assert_eq!((sample.value("level"), sample.value("items")), (Some(49.5), Some(2.0)));
    assert_eq!(observed, [("value".to_owned(), 20_000)]);
    assert!(worker.sites(10).is_empty());
}

#[test]
fn a_child_that_is_forked_while_others_record_does_not_wait_for_them() {
    let mut worker = Worker::with("forks");
    assert_eq!(worker.count(3).1.value("level"), Some(1.0));
    assert!(!worker.sites(3).is_empty());
}
