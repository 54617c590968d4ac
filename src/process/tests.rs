//! Tests with real children. Some need a process of their own for the tool's part: they run this very test program
//! again, with [`ROLE`] set, and only the test of that name.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// Set in a process that plays the tool.
const ROLE: &str = "PERFPLAN_TEST_ROLE";
/// Tells such a process where to report to.
const REPORT: &str = "PERFPLAN_TEST_REPORT";
/// A child with a child of its own, whose id it tells.
const FAMILY: &str = "sleep 100 & echo $!; wait";

fn sh(script: &str) -> Spec {
    Spec::new("/bin/sh").args(["-c", script])
}

/// This test program, to play the tool in the test `name`.
fn tool(name: &str) -> Spec {
    let test = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let arguments = ["--exact", &test, "--test-threads=1", "--nocapture"].map(str::to_owned);
    Spec::new(env::current_exe().unwrap()).args(arguments).env(ROLE, name)
}

fn plays(name: &str) -> bool {
    env::var(ROLE).is_ok_and(|role| role == name)
}

/// Where a process that plays the tool reports to.
fn report() -> UnixStream {
    let fd = env::var(REPORT).unwrap().parse().unwrap();
    // SAFETY: `spawn_worker` left this descriptor open for this process alone.
    UnixStream::from(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Starts a process that plays the tool, and the lines that it reports.
fn play(name: &str) -> (Child, BufReader<UnixStream>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (spawn_worker(&tool(name), theirs.into(), REPORT).unwrap(), BufReader::new(ours))
}

fn line(lines: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Whether a process runs: one that ended and waits to be reaped does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

#[track_caller]
fn assert_ends(pid: &str) {
    assert!(pid.parse::<u32>().is_ok(), "not a process id: {pid:?}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while runs(pid) {
        assert!(Instant::now() < deadline, "process {pid} lives on");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs [`FAMILY`] or the like to its end; the error, the grandchild's id, and how long it took.
fn grandchild_of(spec: &Spec) -> (anyhow::Error, String, Duration) {
    let (begun, mut grandchild) = (Instant::now(), String::new());
    let error = run_lines(spec, &mut |line| grandchild = line.to_owned()).unwrap_err();
    (error, grandchild, begun.elapsed())
}

#[test]
fn a_child_that_takes_too_long_is_ended_with_its_children() {
    let spec = sh(&format!("echo last words >&2; {FAMILY}")).timeout(Duration::from_millis(200));
    let (error, grandchild, elapsed) = grandchild_of(&spec);
    assert!(elapsed < Duration::from_secs(2), "it was asked to end and waited for until {elapsed:?}");
    let error = error.downcast_ref::<TimedOut>().unwrap();
    assert_eq!(error.stderr_tail, "last words\n");
    assert!(
        error.to_string().starts_with("it took longer than 0.2 s and was ended\ncommand: /bin/sh -c 'echo"),
        "{error}"
    );
    assert_ends(&grandchild);
}

#[test]
fn a_child_that_does_not_want_to_end_is_made_to() {
    let spec = sh(&format!("trap '' TERM; {FAMILY}")).timeout(Duration::from_millis(100));
    let (error, grandchild, elapsed) = grandchild_of(&spec);
    assert!(error.is::<TimedOut>());
    assert!((Duration::from_secs(2)..Duration::from_secs(6)).contains(&elapsed), "{elapsed:?}");
    assert_ends(&grandchild);
}

#[test]
fn what_a_child_leaves_running_ends_with_it_and_is_not_waited_for() {
    let begun = Instant::now();
    let output = run(&sh("sleep 100 & echo $!")).unwrap().check("sh").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_ends(String::from_utf8_lossy(&output.stdout).trim());
}

#[test]
fn output_is_collected_whole_and_of_the_errors_the_end_is_kept() {
    let output = run(&sh("seq 1 100000; seq 1 100000 >&2; exit 3")).unwrap();
    let whole: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
    assert!(output.stdout == whole.as_bytes(), "{} bytes", output.stdout.len());
    assert!(whole.ends_with(&output.stderr_tail) && output.stderr_tail.len() > 8000, "{}", output.stderr_tail.len());
    assert_eq!((output.code, output.signal, output.success()), (Some(3), None, false));
}

#[test]
fn a_failure_says_what_how_with_which_command_and_the_last_words() {
    let error =
        run(&sh("echo 'no such thing' >&2; exit 7").env("A", "b c")).unwrap().check("asking the shell").unwrap_err();
    let expected = "asking the shell failed: exit code 7\n\
        command: A='b c' /bin/sh -c 'echo '\\''no such thing'\\'' >&2; exit 7'\nno such thing";
    assert_eq!(error.to_string(), expected);
    let killed = run(&sh("kill -SEGV $$")).unwrap();
    assert_eq!((killed.code, killed.signal), (None, Some(libc::SIGSEGV)));
    assert!(killed.check("crashing").unwrap_err().to_string().starts_with("crashing failed: ended by SIGSEGV\n"));
}

#[test]
fn lines_of_the_standard_error_come_while_the_child_runs() {
    let mut seen = Vec::new();
    let begun = Instant::now();
    run_with(&sh("echo one >&2; sleep 0.3; printf two >&2"), &mut |line| seen.push((line.to_owned(), begun.elapsed())))
        .unwrap();
    let lines: Vec<&str> = seen.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(lines, ["one", "two"]);
    assert!(seen[1].1 - seen[0].1 > Duration::from_millis(200), "{seen:?}");
}

#[test]
fn a_child_reads_what_it_is_given_and_else_nothing() {
    let read = |spec: Spec| run(&spec).unwrap().check("cat").unwrap().stdout;
    assert_eq!(read(Spec::new("cat")), b"");
    let large = vec![b'x'; 1 << 20];
    assert!(read(Spec::new("cat").stdin(large.clone())) == large);
}

#[test]
fn signals_that_the_tool_ignores_or_handles_reach_children_as_usual() {
    // Rust ignores SIGPIPE; a child that inherited that would go on writing into a closed pipe.
    let output = run(&sh("trap; kill -PIPE $$; echo survived")).unwrap();
    assert_eq!((output.signal, &*output.stdout), (Some(libc::SIGPIPE), &b""[..]));
}

#[test]
fn a_child_runs_on_the_cpus_that_it_was_given() {
    let allowed = |spec: Spec| String::from_utf8(run(&spec).unwrap().check("grep").unwrap().stdout).unwrap();
    let list = || Spec::new("grep").args(["Cpus_allowed_list", "/proc/self/status"]);
    for cpu in Machine::this().unwrap().cpus {
        assert_eq!(allowed(list().cpus(&[cpu])), format!("Cpus_allowed_list:\t{cpu}\n"));
    }
}

#[test]
fn a_tool_that_keeps_to_one_cpu_leaves_its_children_all() {
    let machine = Machine::this().unwrap();
    let allowed = || run(&Spec::new("nproc")).unwrap().check("nproc").unwrap().stdout;
    let before = allowed();
    // Affinity belongs to a thread; this one ends with the test.
    let after = thread::spawn(move || {
        machine.pin_controller().unwrap();
        assert_eq!(sys::affinity().unwrap(), [machine.controller]);
        allowed()
    });
    assert_eq!(after.join().unwrap(), before);
}

#[test]
fn usage_is_that_of_the_one_child() {
    const HELD: usize = 50 << 20;
    if plays("usage_is_that_of_the_one_child") {
        let held = std::hint::black_box(vec![1_u8; HELD]);
        // However busy the machine is: for a time, and on a CPU for a part of it.
        let on_cpu = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
        };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(100) || on_cpu() < Duration::from_millis(30) {
            std::hint::black_box(held.iter().step_by(4096).map(|byte| u64::from(*byte)).sum::<u64>());
        }
        return;
    }
    let usage = run(&tool("usage_is_that_of_the_one_child")).unwrap().check("the child").unwrap().usage;
    // Beside what it holds there is the program at most, and what any process has.
    let program = std::env::current_exe().unwrap().metadata().unwrap().len() + (50 << 20);
    assert!((HELD as u64..HELD as u64 + program).contains(&usage.max_rss_bytes), "{usage:?}");
    assert!(usage.minor_faults > 1000, "{usage:?}");
    assert!(usage.user_ns + usage.system_ns > 20_000_000, "{usage:?}");
    assert!((100_000_000..10_000_000_000).contains(&usage.elapsed_ns), "{usage:?}");
    let small = run(&sh("sleep 0.05")).unwrap().usage;
    assert!(small.user_ns + small.system_ns < 50_000_000 && small.elapsed_ns >= 50_000_000, "{small:?}");
}

#[test]
fn with_a_guardian_a_small_child_of_a_large_tool_is_small_and_all_else_is_as_without() {
    const NAME: &str = "with_a_guardian_a_small_child_of_a_large_tool_is_small_and_all_else_is_as_without";
    if plays(NAME) {
        Guardian::fork().unwrap();
        let large = std::hint::black_box(vec![1_u8; 100 << 20]);
        let output =
            run(&sh("cat; pwd; ls /proc/self/fd | wc -l; echo $PPID >&2").stdin("in\n").current_dir("/usr")).unwrap();
        drop(large);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "in\n/usr\n4\n");
        assert_eq!(output.stderr_tail, format!("{}\n", std::process::id()));
        assert!(output.usage.max_rss_bytes < 20 << 20, "{:?}", output.usage);
        for test in [
            a_child_that_takes_too_long_is_ended_with_its_children,
            a_child_runs_on_the_cpus_that_it_was_given,
            a_tool_that_keeps_to_one_cpu_leaves_its_children_all,
            a_worker_is_spoken_with_and_says_how_it_ended,
            a_worker_ends_with_its_children_when_it_is_killed_or_dropped,
            children_started_by_many_threads_at_once_do_not_disturb_each_other,
            signals_that_the_tool_ignores_or_handles_reach_children_as_usual,
            failing_to_start_is_told_as_without_a_guardian,
        ] {
            test();
        }
        return;
    }
    run(&tool(NAME)).unwrap().check("the tool").unwrap();
}

#[test]
fn failing_to_start_is_told_as_without_a_guardian() {
    let says = |spec: Spec| format!("{:#}", run(&spec).unwrap_err());
    let executing = says(Spec::new("/etc/passwd"));
    assert!(executing.ends_with("executing /etc/passwd: Permission denied (os error 13)"), "{executing}");
    let long = says(Spec::new("true").arg("x".repeat(5 << 20)));
    assert!(long.ends_with("executing true: Argument list too long (os error 7)"), "{}", &long[long.len() - 100..]);
}

#[test]
fn without_a_guardian_that_was_killed_children_run_on() {
    if plays("without_a_guardian_that_was_killed_children_run_on") {
        Guardian::fork().unwrap();
        let children = fs::read_to_string(format!("/proc/self/task/{}/children", thread_id())).unwrap();
        // Not before the guardian has said that it made this child.
        run(&sh("sleep 0.2; kill -9 $0").arg(children.trim())).unwrap().check("kill").unwrap();
        assert_ends(children.trim());
        assert_eq!(run(&sh("echo on")).unwrap().check("sh").unwrap().stdout, b"on\n");
        return;
    }
    run(&tool("without_a_guardian_that_was_killed_children_run_on")).unwrap().check("the tool").unwrap();
}

/// The kernel's number of this thread.
fn thread_id() -> String {
    let link = fs::read_link("/proc/thread-self").unwrap();
    link.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_worker_is_spoken_with_and_says_how_it_ended() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let script = "read line <&$CHANNEL; echo \"got $line\" >&$CHANNEL; echo unheard; \
        echo words >&2; ls /proc/self/fd | wc -l >&2; exit 4";
    let mut child = spawn_worker(&sh(script), theirs.into(), "CHANNEL").unwrap();
    let mut lines = BufReader::new(ours);
    lines.get_mut().write_all(b"hello\n").unwrap();
    assert_eq!(line(&mut lines), "got hello");
    assert_eq!(line(&mut lines), "", "no other process holds the worker's end");
    let (status, usage) = child.wait().unwrap();
    assert_eq!(status, Status::Code(4));
    assert!(usage.elapsed_ns > 0);
    // Five: the three usual ones, the channel, and the folder that `ls` reads.
    assert_eq!(child.stderr_tail(), "words\n5\n");
    assert_eq!(child.wait().unwrap(), (status, usage));
}

#[test]
fn a_worker_ends_with_its_children_when_it_is_killed_or_dropped() {
    for kill in [true, false] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let script = "sleep 100 & echo $! >&$CHANNEL; echo up >&2; wait";
        let mut child = spawn_worker(&sh(script), theirs.into(), "CHANNEL").unwrap();
        let grandchild = line(&mut BufReader::new(ours));
        let pid = child.pid().to_string();
        if kill {
            child.kill();
            assert_eq!(child.wait().unwrap().0, Status::Signal(libc::SIGKILL));
            child.kill();
        } else {
            drop(child);
        }
        assert_ends(&pid);
        assert_ends(&grandchild);
    }
}

#[test]
fn a_worker_that_does_not_end_in_time_is_ended() {
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let spec = sh("echo busy >&2; sleep 100").timeout(Duration::from_millis(200));
    let mut child = spawn_worker(&spec, theirs.into(), "CHANNEL").unwrap();
    let error = child.wait().unwrap_err();
    assert_eq!(error.downcast_ref::<TimedOut>().unwrap().stderr_tail, "busy\n");
    assert_eq!(child.wait().unwrap().0, Status::Signal(libc::SIGTERM));
}

#[test]
fn a_worker_can_write_more_errors_than_are_kept_but_not_fill_the_memory() {
    let (_ours, theirs) = UnixStream::pair().unwrap();
    let script = "head -c 100000000 /dev/zero | tr '\\0' x >&2; exit 0";
    let mut child = spawn_worker(&sh(script), theirs.into(), "CHANNEL").unwrap();
    child.wait().unwrap();
    assert_eq!(child.stderr_tail(), "x".repeat(8 * 1024));
}

#[test]
fn a_tool_that_is_killed_leaves_nothing_running() {
    if plays("a_tool_that_is_killed_leaves_nothing_running") {
        Guardian::fork().unwrap();
        let mut report = report();
        // One that has ended before: its number is not to be killed later.
        run(&sh("true")).unwrap().check("true").unwrap();
        let _ = run_lines(&sh(&format!("echo $$; {FAMILY}")), &mut |line| writeln!(report, "{line}").unwrap());
        return;
    }
    let (mut child, mut lines) = play("a_tool_that_is_killed_leaves_nothing_running");
    let (direct, grandchild) = (line(&mut lines), line(&mut lines));
    assert!(runs(&direct) && runs(&grandchild), "{}", child.stderr_tail());
    child.kill();
    assert_ends(&direct);
    assert_ends(&grandchild);
    assert_eq!(line(&mut lines), "", "the guardian holds nothing of the tool's open");
}

#[test]
fn a_guardian_is_started_before_any_thread() {
    let (_stop, stopped) = std::sync::mpsc::channel::<()>();
    let _thread = thread::spawn(move || stopped.recv());
    let error = Guardian::start().unwrap_err().to_string();
    assert!(error.starts_with("the guardian is started before any thread; there are "), "{error}");
}

#[test]
fn an_interrupted_run_ends_its_children_and_no_other_begins() {
    if plays("an_interrupted_run_ends_its_children_and_no_other_begins") {
        interrupt::install().unwrap();
        interrupt::install().unwrap();
        // Another thread gets the signal, and yet the waiting one wakes up.
        let from_elsewhere = |signal| move || signal_hook::low_level::raise(signal).unwrap();
        let mut signaller = None;
        let mut grandchild = String::new();
        let error = run_lines(&sh(FAMILY), &mut |line| {
            grandchild = line.to_owned();
            signaller = Some(thread::spawn(from_elsewhere(libc::SIGTERM)));
        });
        assert!(error.unwrap_err().is::<Interrupted>());
        assert_ends(&grandchild);
        assert!(interrupt::requested());
        assert!(run(&sh("true")).unwrap_err().is::<Interrupted>());
        signaller.unwrap().join().unwrap();
        return;
    }
    let begun = Instant::now();
    run(&tool("an_interrupted_run_ends_its_children_and_no_other_begins")).unwrap().check("the tool").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_worker_that_is_waited_for_ends_on_an_interrupt() {
    if plays("a_worker_that_is_waited_for_ends_on_an_interrupt") {
        interrupt::install().unwrap();
        let (_ours, theirs) = UnixStream::pair().unwrap();
        let mut worker = spawn_worker(&sh("sleep 100"), theirs.into(), "CHANNEL").unwrap();
        let pid = worker.pid().to_string();
        signal_hook::low_level::raise(libc::SIGINT).unwrap();
        assert!(worker.wait().unwrap_err().is::<Interrupted>());
        assert_ends(&pid);
        return;
    }
    run(&tool("a_worker_that_is_waited_for_ends_on_an_interrupt")).unwrap().check("the tool").unwrap();
}

#[test]
fn a_second_interrupt_ends_the_tool() {
    if plays("a_second_interrupt_ends_the_tool") {
        interrupt::install().unwrap();
        signal_hook::low_level::raise(libc::SIGINT).unwrap();
        signal_hook::low_level::raise(libc::SIGINT).unwrap();
        return;
    }
    assert_eq!(run(&tool("a_second_interrupt_ends_the_tool")).unwrap().signal, Some(libc::SIGINT));
}

#[test]
fn children_started_by_many_threads_at_once_do_not_disturb_each_other() {
    let one = |number: usize| {
        let output =
            run(&sh(&format!("cat; echo {number} >&2; exit {}", number % 100)).stdin(number.to_string())).unwrap();
        assert_eq!(output.stdout, number.to_string().as_bytes());
        assert_eq!(output.stderr_tail, format!("{number}\n"));
        assert_eq!(output.code, Some((number % 100) as i32));
    };
    thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || (0..25).for_each(|at| one(thread * 25 + at)));
        }
    });
}
