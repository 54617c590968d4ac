//! The system calls that the standard library does not wrap: the first of the room's two files with unsafe code.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use libc::{c_int, cpu_set_t, pid_t, pollfd, rusage};

/// The result of a call that says -1 where it failed.
fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Waits until something happens to one of the descriptors, a signal comes, or the time is over.
pub(super) fn poll(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<()> {
    let time = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the slice is valid for its length; the time, where given, outlives the call; no signal mask is passed.
    let result = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, time, ptr::null()) };
    match checked(result) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            fds.iter_mut().for_each(|fd| fd.revents = 0);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// A descriptor that becomes readable when the process has ended. The caller has not yet reaped its child `pid`.
pub(super) fn pidfd(pid: pid_t) -> io::Result<OwnedFd> {
    // SAFETY: takes two numbers and touches no memory.
    let fd = checked(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as c_int)?;
    // SAFETY: the kernel made this descriptor for us just now.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sends a signal to a process group whose leader, our child `group`, is not yet reaped. A group that is gone is fine.
pub(super) fn kill_group(group: pid_t, signal: c_int) {
    // SAFETY: takes two numbers and touches no memory.
    unsafe { libc::kill(-group, signal) };
}

/// Waits for a child and takes its place in the process table away.
pub(super) fn reap(pid: pid_t) -> io::Result<(c_int, rusage)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<rusage>::zeroed();
    loop {
        // SAFETY: both pointers are valid for writing what the call writes.
        let result = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
        match checked(result) {
            // SAFETY: zeroed is a valid value for the plain struct, and the kernel has filled it in.
            Ok(_) => return Ok((status, unsafe { usage.assume_init() })),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A file in memory that holds at most `limit` bytes; writing past them fails. Closed on `exec`.
pub(super) fn memory_file(name: &CStr, limit: u64) -> io::Result<File> {
    // SAFETY: the name ends with a zero byte.
    let fd = checked(unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) })?;
    // SAFETY: the kernel made this descriptor for us just now.
    let file = unsafe { File::from_raw_fd(fd) };
    // The length is the limit, without memory behind it as long as nothing is written; what was written ends where the
    // shared position stands.
    file.set_len(limit)?;
    // SAFETY: a descriptor that we own, and numbers.
    checked(unsafe { libc::fcntl(fd, libc::F_ADD_SEALS, libc::F_SEAL_GROW) })?;
    Ok(file)
}

/// Makes reads return at once.
pub(super) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: an open descriptor and numbers.
    let flags = checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    // SAFETY: as above.
    checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
    Ok(())
}

/// The CPUs that the calling thread may run on, ascending.
pub(super) fn affinity() -> io::Result<Vec<usize>> {
    let mut set = cpu_set(&[])?;
    // SAFETY: the pointer is valid for the size given.
    checked(unsafe { libc::sched_getaffinity(0, size_of::<cpu_set_t>(), &raw mut set) })?;
    // SAFETY: the number is below the set's size.
    Ok((0..libc::CPU_SETSIZE as usize).filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) }).collect())
}

/// Keeps the calling thread on these CPUs.
pub(super) fn pin(cpus: &[usize]) -> io::Result<()> {
    let set = cpu_set(cpus)?;
    // SAFETY: the pointer is valid for the size given.
    checked(unsafe { libc::sched_setaffinity(0, size_of::<cpu_set_t>(), &raw const set) })?;
    Ok(())
}

/// A set of CPUs as the kernel takes it.
pub(super) fn cpu_set(cpus: &[usize]) -> io::Result<cpu_set_t> {
    // SAFETY: all zeroes is the empty set.
    let mut set: cpu_set_t = unsafe { MaybeUninit::zeroed().assume_init() };
    for cpu in cpus {
        if *cpu >= libc::CPU_SETSIZE as usize {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("there is no CPU {cpu}")));
        }
        // SAFETY: the number is below the set's size.
        unsafe { libc::CPU_SET(*cpu, &mut set) };
    }
    Ok(set)
}

/// The id of this process.
pub(super) fn own_pid() -> pid_t {
    // SAFETY: takes nothing and touches nothing.
    unsafe { libc::getpid() }
}
