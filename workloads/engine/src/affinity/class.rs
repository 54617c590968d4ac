//! The scheduling class of the calling thread: asked and changed.

use std::io;

/// A scheduling policy and the priority in it, as the kernel numbers them (`sched(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    policy: libc::c_int,
    priority: libc::c_int,
}

impl Class {
    /// Before all ordinary threads, and nobody of the same class takes the CPU away.
    ///
    /// The plan asks for priority 99, the highest. The kernel's own threads that serve interrupts have 50: an engine
    /// above them waits for the very packets whose handling it holds up. Ten is above every ordinary thread and below
    /// those.
    pub(super) const REALTIME: Self = Self { policy: libc::SCHED_FIFO, priority: 10 };

    /// That of the calling thread.
    ///
    /// # Errors
    /// Where a sandbox refuses the call.
    pub(super) fn current() -> io::Result<Self> {
        let mut parameter = libc::sched_param { sched_priority: 0 };
        // SAFETY: numbers, and a structure that is valid for writes.
        let (policy, read) = unsafe { (libc::sched_getscheduler(0), libc::sched_getparam(0, &raw mut parameter)) };
        if policy < 0 || read < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { policy, priority: parameter.sched_priority })
    }

    /// Puts the calling thread into this class.
    ///
    /// # Errors
    /// Where it is not permitted: without `CAP_SYS_NICE`, for a priority above `RLIMIT_RTPRIO`, in a control group
    /// without real-time bandwidth.
    pub(super) fn enter(self) -> io::Result<()> {
        let parameter = libc::sched_param { sched_priority: self.priority };
        // SAFETY: numbers, and a structure that is valid for reads.
        let answer = unsafe { libc::sched_setscheduler(0, self.policy, &raw const parameter) };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::thread;

    use super::*;

    /// Takes from the calling thread, and from no other, what would permit it real time: all its capabilities
    /// (`capset(2)`). Whether it worked.
    pub(in crate::affinity) fn lose_permission() -> bool {
        const VERSION_3: u32 = 0x2008_0522;
        let (header, none) = ([VERSION_3, 0], [0_u32; 6]);
        // SAFETY: a header and two sets of capabilities as version 3 has them, all valid for reads.
        let answer = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: a structure that is valid for writes.
        unsafe { libc::getrlimit(libc::RLIMIT_RTPRIO, &raw mut limit) };
        answer == 0 && limit.rlim_cur == 0
    }

    #[test]
    fn a_thread_without_permission_is_refused_and_stays_what_it_was() {
        let refused = thread::spawn(|| {
            let before = Class::current().unwrap();
            lose_permission().then(|| (Class::REALTIME.enter(), before, Class::current().unwrap()))
        });
        if let Some((answer, before, after)) = refused.join().unwrap() {
            assert_eq!((answer.unwrap_err().raw_os_error(), after), (Some(libc::EPERM), before));
        }
    }

    #[test]
    fn where_it_is_permitted_a_thread_enters_the_class_and_leaves_it() {
        let classes = thread::spawn(|| {
            let before = Class::current().unwrap();
            Class::REALTIME.enter().is_ok().then(|| {
                let there = Class::current().unwrap();
                before.enter().unwrap();
                (before, there, Class::current().unwrap())
            })
        });
        if let Some((before, there, after)) = classes.join().unwrap() {
            assert_eq!((there, after), (Class::REALTIME, before));
        }
        assert_ne!(Class::current().unwrap(), Class::REALTIME, "other threads are not touched");
    }
}
