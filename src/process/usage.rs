//! What a child used.

/// What the kernel accounts to one child and those of its own children that it waited for (`wait4`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in the program, nanoseconds.
    pub user_ns: u64,
    /// CPU time in the kernel, nanoseconds.
    pub system_ns: u64,
    /// The largest resident set, bytes. The kernel counts in what its maker had when it was made: with a
    /// [`super::Guardian`] at most about a MiB, without one as much as the tool has.
    pub max_rss_bytes: u64,
    /// Page faults that needed no reading from disk.
    pub minor_faults: u64,
    /// Page faults that did.
    pub major_faults: u64,
    /// Times that it gave up its CPU: it waited for something.
    pub voluntary_switches: u64,
    /// Times that its CPU was taken from it.
    pub involuntary_switches: u64,
    /// From just before it was started until its end was seen, nanoseconds of the monotonic clock.
    pub elapsed_ns: u64,
}

impl Usage {
    pub(super) fn new(usage: &libc::rusage, elapsed_ns: u64) -> Self {
        Self {
            user_ns: nanoseconds(usage.ru_utime),
            system_ns: nanoseconds(usage.ru_stime),
            max_rss_bytes: count(usage.ru_maxrss) * 1024,
            minor_faults: count(usage.ru_minflt),
            major_faults: count(usage.ru_majflt),
            voluntary_switches: count(usage.ru_nvcsw),
            involuntary_switches: count(usage.ru_nivcsw),
            elapsed_ns,
        }
    }
}

fn nanoseconds(time: libc::timeval) -> u64 {
    count(time.tv_sec) * 1_000_000_000 + count(time.tv_usec) * 1_000
}

/// The kernel's counts are never negative, only typed so.
fn count(value: libc::c_long) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
