//! Why a process can't be traced, and what to do.

use std::fs;
use std::io;

use anyhow::anyhow;
use libc::pid_t;

/// What may stand in the way.
#[derive(Clone, Copy, Debug, Default)]
struct Circumstances {
    /// The thread that traces it already.
    tracer: Option<pid_t>,
    /// `kernel.yama.ptrace_scope`, where the kernel has it.
    yama: Option<u32>,
    /// Whether a filter decides which system calls the tool may make.
    filtered: bool,
}

/// The thread that traces this one.
pub(super) fn tracer_of(pid: pid_t) -> Option<pid_t> {
    field(&format!("/proc/{pid}/status"), "TracerPid:").filter(|tracer| *tracer != 0)
}

/// The letter of a thread's state: `S` sleeps, `R` runs, `Z` has ended.
pub(super) fn state_of(pid: pid_t) -> Option<char> {
    field(&format!("/proc/{pid}/status"), "State:").and_then(|state: String| state.chars().next())
}

/// The error with what forbids it, as far as the system tells.
pub(super) fn explain(pid: pid_t, error: &io::Error) -> anyhow::Error {
    let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok();
    let circumstances = Circumstances {
        tracer: tracer_of(pid),
        yama: yama.and_then(|scope| scope.trim().parse().ok()),
        filtered: field::<u32>("/proc/self/status", "Seccomp:").is_some_and(|mode| mode != 0),
    };
    anyhow!("can't trace process {pid}: {}", reason(error, circumstances))
}

fn field<T: std::str::FromStr>(file: &str, name: &str) -> Option<T> {
    let status = fs::read_to_string(file).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).and_then(|value| value.trim().parse().ok())
}

fn reason(error: &io::Error, circumstances: Circumstances) -> String {
    let code = error.raw_os_error();
    if code == Some(libc::ESRCH) || error.kind() == io::ErrorKind::NotFound {
        return "it has ended".to_owned();
    }
    if code == Some(libc::ENOSYS) {
        return "this system has no ptrace (a sandbox?): system calls can't be counted here".to_owned();
    }
    if !matches!(code, Some(libc::EPERM | libc::EACCES)) {
        return error.to_string();
    }
    match circumstances {
        Circumstances { tracer: Some(tracer), .. } => {
            format!("process {tracer} traces it already; end that first (a debugger, strace)")
        }
        Circumstances { filtered: true, .. } => {
            "a seccomp filter or a missing capability forbids it, as in many containers: \
             `docker run --cap-add=SYS_PTRACE`, or `--security-opt seccomp=unconfined`"
                .to_owned()
        }
        Circumstances { yama: Some(3..), .. } => {
            "kernel.yama.ptrace_scope forbids it to everybody until the machine starts anew: set it lower there"
                .to_owned()
        }
        // 1 lets everybody trace what he has started, which is all that the tool traces.
        Circumstances { yama: Some(scope @ 2), .. } => {
            format!("kernel.yama.ptrace_scope is {scope}: `sysctl kernel.yama.ptrace_scope=1`, or run as root")
        }
        _ => "it belongs to another user, or has more rights than the tool: run the tool as that user".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(code: i32, circumstances: Circumstances) -> String {
        reason(&io::Error::from_raw_os_error(code), circumstances)
    }

    #[test]
    fn what_forbids_tracing_is_named_with_the_fix() {
        let none = Circumstances::default();
        let other = Circumstances { tracer: Some(42), yama: Some(1), filtered: true };
        assert!(says(libc::EPERM, other).contains("process 42 traces it already"));
        let yama = |scope| says(libc::EPERM, Circumstances { yama: Some(scope), ..none });
        assert!(yama(2).contains("sysctl kernel.yama.ptrace_scope=1"));
        assert!(yama(3).contains("until the machine starts anew"));
        assert!(yama(0).contains("another user") && yama(1).contains("another user"));
        let container = Circumstances { yama: Some(2), filtered: true, ..none };
        assert!(says(libc::EPERM, container).contains("--cap-add=SYS_PTRACE"), "whoever filters decides first");
        assert!(says(libc::EPERM, Circumstances { filtered: true, ..none }).contains("--cap-add=SYS_PTRACE"));
        assert!(says(libc::ENOSYS, none).contains("no ptrace"));
        assert_eq!(says(libc::ESRCH, none), "it has ended");
        assert!(says(libc::EIO, none).contains("os error 5"));
    }

    #[test]
    fn nobody_traces_this_test_which_runs_in_this_process() {
        let own = std::process::id() as pid_t;
        assert_eq!(tracer_of(own), None);
        assert!(matches!(state_of(own), Some('S' | 'R')), "{:?}", state_of(own));
        assert_eq!(state_of(-1), None);
    }
}
