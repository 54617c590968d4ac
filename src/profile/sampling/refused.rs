//! When nobody lets us sample.

use std::fmt;
use std::fs;

/// Sampling is not permitted to this process, nor to `perf`. What to set is in its text.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What the kernel answered.
    answer: String,
    /// Why the program `perf` did not help.
    perf: String,
    /// `kernel.perf_event_paranoid`
    paranoid: Option<i32>,
}

impl Refused {
    pub(super) fn new(answer: impl fmt::Display, perf: impl fmt::Display) -> Self {
        Self { answer: answer.to_string(), perf: perf.to_string(), paranoid: paranoid() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answer, perf, .. } = self;
        writeln!(f, "call stacks can't be sampled: the kernel does not permit it ({answer}), and perf: {perf}")?;
        match self.paranoid {
            // Up to 2, processes may sample what belongs to the same user; what refuses then is no setting of the kernel's.
            Some(level @ ..=2) => write!(
                f,
                "kernel.perf_event_paranoid is {level}, which lets every user sample programs of their own: is the process \
                 somebody else's, or does a container forbid it? Then run as that user, or let the container have it: \
                 docker run --cap-add PERFMON --security-opt seccomp=unconfined"
            ),
            Some(level) => write!(
                f,
                "kernel.perf_event_paranoid is {level}; sampling one's own programs takes 2, time in the kernel as well \
                 takes 1: sudo sysctl kernel.perf_event_paranoid=1"
            ),
            None => write!(f, "this kernel has no performance events (there is no kernel.perf_event_paranoid)"),
        }
    }
}

impl std::error::Error for Refused {}

/// `kernel.perf_event_paranoid`; `None` where the kernel has no performance events.
pub(super) fn paranoid() -> Option<i32> {
    fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(paranoid: Option<i32>) -> String {
        Refused { answer: "Permission denied".into(), perf: "there is none".into(), paranoid }.to_string()
    }

    #[test]
    fn the_error_says_what_to_set() {
        assert!(refused(Some(4)).contains("sudo sysctl kernel.perf_event_paranoid=1"));
        assert!(refused(Some(2)).contains("--cap-add PERFMON"));
        assert!(!refused(Some(2)).contains("sysctl"));
        assert!(refused(None).contains("no performance events"));
    }
}
