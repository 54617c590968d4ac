//! The system calls that the standard library does not wrap: the first of the room's two files with unsafe code.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::thread::JoinHandleExt;
use std::ptr;
use std::thread::JoinHandle;
use std::time::Duration;

use libc::{c_int, cpu_set_t, iovec, msghdr, pid_t, pollfd, rusage};

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

/// Sends a signal to a process; one that is gone needs none.
pub(super) fn kill(pid: pid_t, signal: c_int) {
    // SAFETY: numbers only.
    unsafe { libc::kill(pid, signal) };
}

/// Makes this process the parent of its descendants whose own parents end.
pub(super) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: numbers only.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }).map(drop)
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

/// Another descriptor of the same, with a number above `least` and closed on `exec`.
pub(super) fn duplicate_above(fd: BorrowedFd<'_>, least: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: an open descriptor and numbers.
    let fd = checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least + 1) })?;
    // SAFETY: the kernel made this descriptor for us just now.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
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

/// The monotonic clock, nanoseconds.
pub(super) fn now_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for writing. This clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    // Neither is ever negative on this clock.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Memory that processes forked from now on share with this one, at the same address, for good. `words` of 8 bytes.
pub(super) fn shared_memory(words: usize) -> io::Result<&'static mut [u64]> {
    let (access, kind) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a new mapping somewhere, of no file.
    let memory = unsafe { libc::mmap(ptr::null_mut(), words * size_of::<u64>(), access, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is of this size, aligned to a page, zeroed, never unmapped, and nobody else's.
    Ok(unsafe { std::slice::from_raw_parts_mut(memory.cast(), words) })
}

/// Two connected sockets that keep packets apart, closed on `exec`.
pub(super) fn packet_sockets() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the array has room for two.
    checked(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()) })?;
    // SAFETY: the kernel made these descriptors for us just now.
    Ok(fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).into())
}

/// The most descriptors that a packet carries.
pub(super) const MOST_FDS: usize = 4;

/// Room for the descriptors of a packet and their header, aligned as the kernel wants it.
type Control = [u64; 8];

/// A packet of one number.
fn packet(iov: &mut iovec, control: &mut Control, length: usize) -> msghdr {
    // SAFETY: zeroes are valid for the plain struct.
    let mut message: msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = iov;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = length as _;
    message
}

/// Sends a number, and copies of at most [`MOST_FDS`] descriptors.
pub(super) fn send(socket: RawFd, number: c_int, fds: &[RawFd]) -> io::Result<()> {
    let mut control = [0; size_of::<Control>() / size_of::<u64>()];
    let mut iov = iovec { iov_base: (&raw const number).cast_mut().cast(), iov_len: size_of::<c_int>() };
    let bytes = size_of_val(&fds[..fds.len().min(MOST_FDS)]) as libc::c_uint;
    // SAFETY: only computes a length.
    let length = if bytes == 0 { 0 } else { unsafe { libc::CMSG_SPACE(bytes) } };
    let message = packet(&mut iov, &mut control, length as usize);
    // SAFETY: `control` has room for a header and MOST_FDS numbers behind it; all pointers outlive the call.
    checked(unsafe {
        if let Some(header) = libc::CMSG_FIRSTHDR(&raw const message).as_mut() {
            header.cmsg_level = libc::SOL_SOCKET;
            header.cmsg_type = libc::SCM_RIGHTS;
            header.cmsg_len = libc::CMSG_LEN(bytes) as _;
            ptr::copy_nonoverlapping(fds.as_ptr().cast(), libc::CMSG_DATA(header), bytes as usize);
        }
        libc::sendmsg(socket, &raw const message, libc::MSG_NOSIGNAL) as c_int
    })?;
    Ok(())
}

/// Receives what [`send`] sent; absent descriptors are -1. `None` when the other end is gone. Safe in a forked process.
pub(super) fn receive(socket: RawFd) -> Option<(c_int, [RawFd; MOST_FDS])> {
    let (mut number, mut fds) = (0, [-1; MOST_FDS]);
    let mut control = [0; size_of::<Control>() / size_of::<u64>()];
    let mut iov = iovec { iov_base: (&raw mut number).cast(), iov_len: size_of::<c_int>() };
    let received = loop {
        let mut message = packet(&mut iov, &mut control, size_of::<Control>());
        // SAFETY: all pointers outlive the call and are valid for the lengths given.
        let count = unsafe { libc::recvmsg(socket, &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        if count >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            break (count == size_of::<c_int>() as isize).then_some(message)?;
        }
    };
    // SAFETY: the kernel has laid the header and the numbers out in `control`, as long as it says.
    unsafe {
        if let Some(header) = libc::CMSG_FIRSTHDR(&raw const received).as_ref() {
            let bytes = header.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
            ptr::copy_nonoverlapping(libc::CMSG_DATA(header), fds.as_mut_ptr().cast(), bytes.min(size_of_val(&fds)));
        }
    }
    Some((number, fds))
}

/// What a traced thread shows its tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is stopped: the signal, and the event above its eighth bit.
    Stopped(pid_t, c_int),
    /// It has ended, and waits to be reaped.
    Ended(pid_t),
}

/// A system call that a traced thread is about to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Whose numbers these are (`AUDIT_ARCH_...` of linux/audit.h).
    pub(super) arch: u32,
    pub(super) number: u64,
    pub(super) arguments: [u64; 2],
}

/// Waits until a thread that the calling thread traces is stopped or has ended. `None` where nothing is traced (any more).
///
/// One that has ended is left as it is. A stop is taken, and told once: after an `exec` that gave a thread another id, the
/// kernel answers no request before its stop was waited for in earnest (Linux commit dbb5afad100a).
pub(super) fn wait_for_tracee() -> io::Result<Option<Seen>> {
    loop {
        match reported(libc::P_ALL, 0, libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT)? {
            Some(Seen::Stopped(pid, _)) => {
                let taken = reported(libc::P_PID, pid.unsigned_abs(), libc::WSTOPPED | libc::WNOHANG)?;
                // Whatever was killed since is told as ended the next time.
                if taken.is_some() {
                    return Ok(taken);
                }
            }
            other => return Ok(other),
        }
    }
}

/// What the calling thread's tracees report; `None` where there is none, or none that reports.
fn reported(kind: libc::idtype_t, id: libc::id_t, options: c_int) -> io::Result<Option<Seen>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // Other threads' children are theirs to wait for.
    let options = options | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the pointer is valid for writing.
    match checked(unsafe { libc::waitid(kind, id, info.as_mut_ptr(), options) }) {
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
        result => result?,
    };
    // SAFETY: zeroes are valid for the plain struct, and the kernel has filled in what belongs to a child, if to any.
    let (pid, status, code) = unsafe {
        let info = info.assume_init();
        (info.si_pid(), info.si_status(), info.si_code)
    };
    let ended = [libc::CLD_EXITED, libc::CLD_KILLED, libc::CLD_DUMPED].contains(&code);
    Ok((pid != 0).then_some(if ended { Seen::Ended(pid) } else { Seen::Stopped(pid, status) }))
}

/// Takes a traced thread that has ended out of the process table, or hands it on to its parent, who is another process.
pub(super) fn reap_tracee(pid: pid_t) {
    // SAFETY: numbers, and no pointer where none is needed. One that is gone is fine.
    unsafe { libc::waitpid(pid, ptr::null_mut(), libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG) };
}

/// A request that takes numbers only.
fn ptrace(request: libc::c_uint, pid: pid_t, data: c_int) -> io::Result<()> {
    // SAFETY: these requests read and write no memory of ours.
    let result = unsafe { libc::ptrace(request, pid, 0_usize, data as usize) };
    checked(result as c_int).map(drop)
}

/// Makes the calling thread the tracer of a thread, which runs on. New threads and children of it are traced as well.
pub(super) fn seize(pid: pid_t) -> io::Result<()> {
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACEEXEC;
    ptrace(libc::PTRACE_SEIZE, pid, options)
}

/// Stops a traced thread soon.
pub(super) fn interrupt_tracee(pid: pid_t) -> io::Result<()> {
    ptrace(libc::PTRACE_INTERRUPT, pid, 0)
}

/// Lets a stopped thread run, with a signal or 0, until its next system call begins or ends.
pub(super) fn resume(pid: pid_t, signal: c_int) -> io::Result<()> {
    ptrace(libc::PTRACE_SYSCALL, pid, signal)
}

/// Leaves a thread that was stopped for good (SIGSTOP) as it is, until it is continued.
pub(super) fn leave_stopped(pid: pid_t) -> io::Result<()> {
    ptrace(libc::PTRACE_LISTEN, pid, 0)
}

/// Lets go of a stopped thread, with a signal or 0.
pub(super) fn detach(pid: pid_t, signal: c_int) -> io::Result<()> {
    ptrace(libc::PTRACE_DETACH, pid, signal)
}

/// The system call that a stopped thread is about to make; `None` where one ends.
pub(super) fn call(pid: pid_t) -> io::Result<Option<Call>> {
    const ENTRY: u8 = 1; // PTRACE_SYSCALL_INFO_ENTRY
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the pointer is valid for writing so many bytes.
    let result = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) };
    checked(result as c_int)?;
    // SAFETY: zeroes are valid for the plain struct, and the kernel has filled in what belongs to this kind of stop.
    let info = unsafe { info.assume_init() };
    if info.op != ENTRY {
        return Ok(None);
    }
    // SAFETY: this is the kind that has these.
    let entry = unsafe { info.u.entry };
    Ok(Some(Call { arch: info.arch, number: entry.nr, arguments: [entry.args[0], entry.args[1]] }))
}

/// The kernel's number of the calling thread.
pub(super) fn own_thread() -> pid_t {
    // SAFETY: takes nothing and touches nothing.
    unsafe { libc::gettid() }
}

/// What wakes a thread that waits in the kernel. Nobody has a use for it, and it is ignored where nobody listens.
const NUDGE: c_int = libc::SIGURG;

/// From now on, [`nudge`] breaks a system call off that waits.
pub(super) fn heed_nudges() -> io::Result<()> {
    extern "C" fn nothing(_: c_int) {}
    // SAFETY: zeroes are valid for the plain struct: no flags, so calls are not restarted. The handler does nothing.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = nothing as extern "C" fn(c_int) as libc::sighandler_t;
        checked(libc::sigaction(NUDGE, &raw const action, ptr::null_mut())).map(drop)
    }
}

/// Wakes a thread that waits in a system call. It may come too early, so it is done until it has helped.
pub(super) fn nudge<T>(thread: &JoinHandle<T>) {
    // SAFETY: the thread has not been joined, so its handle is valid.
    unsafe { libc::pthread_kill(thread.as_pthread_t(), NUDGE) };
}
