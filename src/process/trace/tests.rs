//! Real processes, followed. Counts are held against `strace` and against counts by hand.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::*;
use crate::process::{self, Child, TimedOut, find_program, interrupt, spawn_worker};

/// Set in a process that plays the tool.
const ROLE: &str = "PERFPLAN_TRACE_ROLE";

/// Files, threads and children. Everything that would depend on who is faster is avoided: threads run one after the other.
const BUSY: &str = r#"
use std::{fs, io::Write, process::Command, thread};
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    for n in 0..3 {
        let folder = folder.clone();
        thread::spawn(move || {
            let path = format!("{folder}/{n}");
            let mut file = fs::File::create(&path).unwrap();
            for _ in 0..10 * (n + 1) { file.write_all(b"line\n").unwrap(); }
            file.sync_all().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap().len(), 50 * (n + 1));
            fs::remove_file(path).unwrap();
        }).join().unwrap();
    }
    for _ in 0..2 { assert!(Command::new("/bin/sh").args(["-c", "/bin/cat /dev/null; :"]).status().unwrap().success()); }
}
"#;

/// Reads lines from descriptor 3 and does as they say, between fences or not; two more threads wait for work.
const WORKER: &str = r#"
use std::{fs::File, io::{BufRead, BufReader, Write}, os::fd::FromRawFd, sync::mpsc, thread};
unsafe extern "C" { fn prctl(option: i32, ...) -> i32; fn getppid() -> i32; }
fn fence(begins: u64) { unsafe { prctl(FENCE, begins); } }
fn calls(n: u64) { for _ in 0..n { unsafe { getppid(); } } }
fn main() {
    let (done, dones) = mpsc::channel();
    let threads: Vec<_> = (0..2).map(|_| {
        let (order, orders) = mpsc::channel::<u64>();
        let done = done.clone();
        thread::spawn(move || for n in orders { calls(n); done.send(()).unwrap(); });
        order
    }).collect();
    let channel = unsafe { File::from_raw_fd(3) };
    let mut answers = channel.try_clone().unwrap();
    for line in BufReader::new(channel).lines() {
        match line.unwrap().as_str() {
            "fenced" => { fence(1); calls(100); fence(0); }
            "threads" => {
                fence(1);
                calls(1);
                threads.iter().for_each(|thread| thread.send(50).unwrap());
                threads.iter().for_each(|_| dones.recv().unwrap());
                thread::spawn(|| calls(5)).join().unwrap();
                fence(0);
            }
            "child" => { fence(1); std::process::Command::new("/bin/true").status().unwrap(); fence(0); }
            "unfenced" => calls(100),
            "half" => { fence(1); calls(1); }
            other => panic!("{other}"),
        }
        answers.write_all(b"done\n").unwrap();
    }
}
"#;

fn sh(script: &str) -> Spec {
    Spec::new("/bin/sh").args(["-c", script])
}

/// A program of this source; it lies in the folder.
fn program(folder: &Path, source: &str) -> PathBuf {
    let (text, program) = (folder.join("program.rs"), folder.join("program"));
    fs::write(&text, source.replace("FENCE", &perfplan_harness::protocol::FENCE.to_string())).unwrap();
    let rustc = Spec::new("rustc").args(["--edition=2024", "-o"]).arg(&program).arg(&text);
    process::run(&rustc).unwrap().check("compiling").unwrap();
    program
}

/// A program that is told what to do.
struct Worker {
    child: Child,
    lines: BufReader<UnixStream>,
    _folder: tempfile::TempDir,
}

impl Worker {
    fn start() -> Self {
        let mut worker = Self::of(WORKER);
        // The threads have begun now, and soon sleep.
        worker.does("threads");
        thread::sleep(Duration::from_millis(20));
        worker
    }

    fn of(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let child = spawn_worker(&Spec::new(program(folder.path(), source)), theirs.into(), "CHANNEL").unwrap();
        Self { child, lines: BufReader::new(ours), _folder: folder }
    }

    fn does(&mut self, order: &str) {
        writeln!(self.lines.get_mut(), "{order}").unwrap();
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    }

    fn counts(&mut self, order: &str) -> Counts {
        let tracer = Tracer::attach(self.child.pid()).unwrap();
        self.does(order);
        tracer.finish().unwrap()
    }
}

/// Its second thread becomes another program.
const EXECUTES: &str = r#"
use std::{os::unix::process::CommandExt, process::Command, thread};
fn main() {
    thread::spawn(|| panic!("{}", Command::new("/bin/sh").args(["-c", "echo other; exit 3"]).exec())).join().unwrap();
}
"#;

/// Waits for a child that never becomes a program.
const WAITS: &str = r#"
unsafe extern "C" { fn vfork() -> i32; fn pause() -> i32; fn write(file: i32, bytes: *const u8, count: usize) -> isize; }
fn main() {
    if unsafe { vfork() } == 0 {
        unsafe { write(3, b"done\n".as_ptr(), 5) };
        loop { unsafe { pause() }; }
    }
}
"#;

/// Its first thread ends alone; the second answers to lines, between fences.
const LEADERLESS: &str = r#"
use std::{fs::File, io::{BufRead, BufReader, Write}, os::fd::FromRawFd, thread};
unsafe extern "C" { fn prctl(option: i32, ...) -> i32; fn getppid() -> i32; fn syscall(number: i64, ...) -> i64; }
fn main() {
    thread::spawn(|| {
        let channel = unsafe { File::from_raw_fd(3) };
        let mut answers = channel.try_clone().unwrap();
        for _ in BufReader::new(channel).lines() {
            unsafe { prctl(FENCE, 1_u64); getppid(); prctl(FENCE, 0_u64); }
            answers.write_all(b"done\n").unwrap();
        }
    });
    unsafe { syscall(EXIT, 0); }
}
"#;

/// The letter of a process' state, and its tracer.
fn state(pid: u32) -> (String, String) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    (field("State:"), field("TracerPid:"))
}

/// What `strace -c` counts.
fn by_strace(folder: &Path, program: &Path) -> Counts {
    let table = folder.join("table");
    let strace = Spec::new("strace").args(["-f", "-c", "-o"]).arg(&table).arg(program).arg(folder);
    process::run(&strace.env("MALLOC_ARENA_MAX", "1")).unwrap().check("strace").unwrap();
    let rows = fs::read_to_string(table).unwrap();
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let calls = words.get(3)?.parse().ok()?;
        words.last().filter(|name| **name != "total").map(|name| ((*name).to_owned(), calls))
    };
    rows.lines().filter_map(row).collect()
}

#[test]
fn a_commands_calls_are_those_that_strace_counts() {
    if find_program("strace").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path(), BUSY);
    // How many calls it takes to make another arena depends on addresses, which are drawn.
    let command = Spec::new(&program).arg(folder.path()).env("MALLOC_ARENA_MAX", "1");
    let (output, mut counts) = run(&command).unwrap();
    output.check("the program").unwrap();
    // These never return, and strace counts what returns. Five processes end, and three threads.
    assert_eq!((counts.remove("exit_group"), counts.remove("exit")), (Some(5), Some(3)), "{counts:?}");
    let mut expected = by_strace(folder.path(), &program);
    // Whether a thread that is waited for has ended already is a matter of luck.
    for lucky in ["futex", "rt_sigreturn"] {
        counts.remove(lucky);
        expected.remove(lucky);
    }
    assert_eq!(counts, expected);
    assert!(counts["write"] == 60 && counts["execve"] == 5 && counts["fsync"] == 3, "{counts:?}");
}

#[test]
fn a_workers_calls_between_fences_count_and_no_others() {
    let mut worker = Worker::start();
    let hundred = Counts::from([("getppid".to_owned(), 100)]);
    assert_eq!(worker.counts("fenced"), hundred);
    thread::sleep(Duration::from_millis(20)); // Threads that were let go of fall asleep again.
    assert_eq!(worker.counts("fenced"), hundred, "again, by another tracer");
    let tracer = Tracer::attach(worker.child.pid()).unwrap();
    ["unfenced", "fenced", "unfenced", "fenced"].into_iter().for_each(|order| worker.does(order));
    assert_eq!(tracer.finish().unwrap()["getppid"], 200, "several pairs of fences add up");
}

#[test]
fn calls_of_threads_and_children_count_old_and_new() {
    let mut worker = Worker::start();
    let counts = worker.counts("threads");
    assert_eq!(counts["getppid"], 1 + 2 * 50 + 5, "{counts:?}");
    assert_eq!(counts["clone3"], 1, "{counts:?}");
    let counts = worker.counts("child");
    assert_eq!((counts["execve"], counts["exit_group"], counts["wait4"]), (1, 1, 1), "{counts:?}");
}

#[test]
fn work_without_two_fences_is_an_error() {
    let mut worker = Worker::start();
    for order in ["unfenced", "half"] {
        let tracer = Tracer::attach(worker.child.pid()).unwrap();
        worker.does(order);
        let error = tracer.finish().unwrap_err().to_string();
        assert!(error.starts_with("no work between two fences was seen"), "{error}");
    }
}

#[test]
fn a_process_that_is_let_go_of_runs_on_untraced_and_unharmed() {
    let mut worker = Worker::start();
    let pid = worker.child.pid();
    let own = fs::read_link("/proc/thread-self").unwrap();
    for finish in [true, false] {
        let tracer = Tracer::attach(pid).unwrap();
        assert_ne!(state(pid).1, "0");
        worker.does("threads");
        if finish {
            tracer.finish().unwrap();
        } else {
            drop(tracer);
        }
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        for thread in threads.map(|thread| thread.unwrap().file_name()) {
            let (letter, tracer) = state(thread.to_str().unwrap().parse().unwrap());
            assert!(letter != "t" && letter != "T" && tracer == "0", "{letter} {tracer}, seen by {own:?}");
        }
        worker.does("fenced");
    }
    worker.lines.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    assert!(worker.child.wait().unwrap().0.success());
}

#[test]
fn a_traced_worker_that_is_killed_says_how_it_ended() {
    let mut worker = Worker::start();
    let tracer = Tracer::attach(worker.child.pid()).unwrap();
    worker.does("half");
    worker.child.kill();
    assert_eq!(worker.child.wait().unwrap().0, process::Status::Signal(libc::SIGKILL));
    assert!(tracer.finish().is_err());
}

#[test]
fn a_process_that_is_traced_already_or_gone_is_told_as_such() {
    let worker = Worker::start();
    let pid = worker.child.pid();
    let first = Tracer::attach(pid).unwrap();
    let error = Tracer::attach(pid).unwrap_err().to_string();
    assert!(error.starts_with(&format!("can't trace process {pid}: process ")), "{error}");
    assert!(error.contains("traces it already"), "{error}");
    drop((first, worker));
    let error = Tracer::attach(pid).unwrap_err().to_string();
    assert_eq!(error, format!("can't trace process {pid}: it has ended"));
}

#[test]
fn signals_reach_a_traced_command_as_they_came() {
    let traps = "trap 'echo usr1' USR1; kill -USR1 $$; trap '' URG; kill -URG $$; kill -PIPE $$; echo survived";
    let (output, _) = run(&sh(traps)).unwrap();
    assert_eq!((output.signal, &*output.stdout), (Some(libc::SIGPIPE), &b"usr1\n"[..]));
    let begun = Instant::now();
    let (output, _) = run(&sh("(sleep 0.3; kill -CONT $$) & kill -STOP $$; echo on; exit 3")).unwrap();
    assert_eq!((output.code, &*output.stdout), (Some(3), &b"on\n"[..]));
    assert!(begun.elapsed() > Duration::from_millis(250), "it was stopped until it was continued");
}

#[test]
fn a_traced_command_that_takes_too_long_is_ended_with_its_children() {
    let spec = sh("sleep 100 & echo $! >&2; wait").timeout(Duration::from_millis(300));
    let error = run(&spec).unwrap_err();
    let grandchild = error.downcast_ref::<TimedOut>().unwrap().stderr_tail.trim().to_owned();
    let deadline = Instant::now() + Duration::from_secs(5);
    // One that ended may still wait to be reaped by whoever adopted it.
    let stat = || fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
    while stat().rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])) {
        assert!(Instant::now() < deadline, "process {grandchild} lives on");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_thread_that_is_not_the_first_becomes_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec::new(program(folder.path(), EXECUTES)).timeout(Duration::from_secs(20));
    let (output, counts) = run(&spec).unwrap();
    assert_eq!((output.code, &*output.stdout), (Some(3), &b"other\n"[..]));
    assert_eq!((counts["execve"], counts["exit_group"]), (2, 1), "{counts:?}");
}

#[test]
fn a_thread_that_does_not_stop_is_an_error_and_not_waited_for_for_ever() {
    let mut worker = Worker::of(WAITS);
    // Its child says so. Before that it may wait in the kernel too, for its program to come from the disk.
    worker.does("wait");
    let pid = worker.child.pid();
    let deadline = Instant::now() + Duration::from_secs(10);
    while state(pid).0 != "D" {
        assert!(Instant::now() < deadline, "{:?}", state(pid));
        thread::sleep(Duration::from_millis(5));
    }
    let error = Tracer::attach(pid).unwrap_err().to_string();
    assert!(error.ends_with(&format!("thread {pid} does not stop (it waits in the kernel)")), "{error}");
}

#[test]
fn a_process_whose_first_thread_has_ended_is_followed() {
    let exit = if cfg!(target_arch = "x86_64") { "60_i64" } else { "93_i64" };
    let mut worker = Worker::of(&LEADERLESS.replace("EXIT", exit));
    let deadline = Instant::now() + Duration::from_secs(10);
    while state(worker.child.pid()).0 != "Z" {
        assert!(Instant::now() < deadline, "its first thread goes on");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(worker.counts("work"), Counts::from([("getppid".to_owned(), 1)]));
}

#[test]
fn a_command_that_can_not_be_executed_is_told_as_without_tracing() {
    let error = format!("{:#}", run(&Spec::new("/etc/passwd")).unwrap_err());
    assert!(error.ends_with("executing /etc/passwd: Permission denied (os error 13)"), "{error}");
}

/// This very test, in a process that plays the tool.
fn tool(name: &str, argument: &str) -> Spec {
    let test = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    Spec::new(env::current_exe().unwrap())
        .args(["--exact", &test, "--test-threads=1", "--nocapture"])
        .env(ROLE, argument)
}

#[test]
fn a_tool_that_is_killed_leaves_nobody_stopped() {
    const NAME: &str = "a_tool_that_is_killed_leaves_nobody_stopped";
    if let Ok(pid) = env::var(ROLE) {
        let _tracer = Tracer::attach(pid.parse().unwrap()).unwrap();
        thread::sleep(Duration::from_secs(100));
    }
    // Not the tool's own child: that would end with it.
    let mut worker = Worker::start();
    let pid = worker.child.pid();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut tool = spawn_worker(&tool(NAME, &pid.to_string()), theirs.into(), "CHANNEL").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while state(pid).1 == "0" {
        assert!(Instant::now() < deadline, "{}", tool.stderr_tail());
        thread::sleep(Duration::from_millis(5));
    }
    worker.does("fenced");
    tool.kill();
    tool.wait().unwrap();
    // Its end of the channel is closed with it.
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
    worker.does("threads");
    assert_eq!(state(pid).1, "0");
}

#[test]
fn an_interrupted_tool_ends_what_it_traces() {
    const NAME: &str = "an_interrupted_tool_ends_what_it_traces";
    if env::var(ROLE).is_ok() {
        interrupt::install().unwrap();
        thread::spawn(|| {
            thread::sleep(Duration::from_millis(200));
            signal_hook::low_level::raise(libc::SIGINT).unwrap();
        });
        let error = run(&sh("while :; do /bin/true; done")).unwrap_err();
        assert!(error.is::<process::Interrupted>(), "{error:#}");
        return;
    }
    let begun = Instant::now();
    process::run(&tool(NAME, "tool")).unwrap().check("the tool").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
