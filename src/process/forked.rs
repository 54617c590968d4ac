//! Code that runs in a new process before `exec`, or without one: the second of the room's two files with unsafe code.
//!
//! Such code may call only what is safe in a signal handler (`man 7 signal-safety`): no allocation, no locks, no panics.

use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

use libc::{c_int, c_void, pid_t, sigset_t};

/// The stack of a child until it calls `exec`, bytes.
const STACK: usize = 64 * 1024;
/// The highest of the classic signals; real-time ones have no handlers here.
const LAST_SIGNAL: c_int = 31;

/// All that a child needs, laid out before it exists.
pub(super) struct Launch<'a> {
    /// The file that is executed.
    pub(super) program: &'a CStr,
    /// Arguments, the program's name first.
    pub(super) argv: &'a Strings,
    /// `NAME=value`.
    pub(super) env: &'a Strings,
    pub(super) folder: Option<&'a CStr>,
    /// What become descriptors 0, 1 and 2; all are above 2.
    pub(super) stdio: [BorrowedFd<'a>; 3],
    /// A worker's channel: it stays open under its own number, and every other descriptor above 2 is closed.
    pub(super) inherit: Option<BorrowedFd<'a>>,
    pub(super) cpus: Option<libc::cpu_set_t>,
}

/// Strings for `exec`: each ends with a zero byte, the array of pointers with a null.
pub(super) struct Strings {
    _owned: Vec<std::ffi::CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    pub(super) fn new(owned: Vec<std::ffi::CString>) -> Self {
        // A CString's bytes are on the heap: moving the vector leaves them where they are.
        let pointers = owned.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Self { _owned: owned, pointers }
    }
}

/// What a child was doing when it failed before its program ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Process group and the tie to the parent's life.
    Tie,
    /// Descriptors.
    Descriptors,
    /// Affinity.
    Pin,
    /// The working folder.
    Folder,
    /// `exec` itself.
    Execute,
}

/// What parent and child share until `exec`.
struct Shared<'a> {
    launch: &'a Launch<'a>,
    parent: pid_t,
    failed: Cell<Option<(Step, c_int)>>,
}

/// Starts a child and returns when its program runs.
///
/// Like glibc's `posix_spawn`, this borrows the address space instead of copying it (`CLONE_VM | CLONE_VFORK`): the cost does
/// not grow with the tool's memory, and no other thread's locks matter to the child.
pub(super) fn launch(launch: &Launch<'_>) -> Result<pid_t, (Step, io::Error)> {
    let execute = |error| (Step::Execute, error);
    let mut stack = Vec::<u8>::new();
    stack.try_reserve_exact(STACK).map_err(|_| execute(io::ErrorKind::OutOfMemory.into()))?;
    let shared = Shared { launch, parent: super::sys::own_pid(), failed: Cell::new(None) };
    let before = block_signals();
    // SAFETY: the stack is ours, large enough for what `child` does, aligned to 16 bytes, and grows downwards from its end.
    // This thread sleeps until the child has called `exec` or ended, so `shared` and the stack outlive their use, and nothing
    // of them is seen by two at once. Signals are blocked, so no handler of the tool's runs in the child.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(STACK);
        let top = top.sub(top as usize % 16).cast::<c_void>();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        libc::clone(child, top, flags, ptr::from_ref(&shared).cast_mut().cast())
    };
    let error = io::Error::last_os_error();
    set_signals(&before);
    if pid < 0 {
        return Err(execute(error));
    }
    match shared.failed.get() {
        None => Ok(pid),
        Some((step, errno)) => {
            // It has ended already; what it used is of no interest.
            let _ = super::sys::reap(pid);
            Err((step, io::Error::from_raw_os_error(errno)))
        }
    }
}

extern "C" fn child(shared: *mut c_void) -> c_int {
    // SAFETY: `launch` passes a pointer to a `Shared` that outlives this process' use of it.
    let shared = unsafe { &*shared.cast::<Shared<'_>>() };
    if let Err(step) = prepare_and_execute(shared) {
        // SAFETY: errno is always there.
        shared.failed.set(Some((step, unsafe { *libc::__errno_location() })));
    }
    // SAFETY: ends this process without running the tool's exit handlers.
    unsafe { libc::_exit(127) }
}

/// Returns only where a step failed; `errno` says why.
fn prepare_and_execute(shared: &Shared<'_>) -> Result<(), Step> {
    let launch = shared.launch;
    // SAFETY: system calls that take numbers and pointers into `launch`, which was laid out whole by the parent.
    unsafe {
        succeeded(libc::setpgid(0, 0), Step::Tie)?;
        succeeded(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), Step::Tie)?;
        if libc::getppid() != shared.parent {
            libc::_exit(127); // The tool ended before the tie was there.
        }
        for (fd, number) in launch.stdio.iter().zip(0..) {
            succeeded(libc::dup2(fd.as_raw_fd(), number), Step::Descriptors)?;
        }
        if let Some(fd) = launch.inherit {
            // Old kernels don't know the call; then the worker has more descriptors open than it needs.
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            succeeded(libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, 0), Step::Descriptors)?;
        }
        if let Some(cpus) = &launch.cpus {
            succeeded(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), cpus), Step::Pin)?;
        }
        if let Some(folder) = launch.folder {
            succeeded(libc::chdir(folder.as_ptr()), Step::Folder)?;
        }
        default_signals();
        libc::execve(launch.program.as_ptr(), launch.argv.pointers.as_ptr(), launch.env.pointers.as_ptr());
    }
    Err(Step::Execute)
}

fn succeeded(result: c_int, step: Step) -> Result<(), Step> {
    if result < 0 { Err(step) } else { Ok(()) }
}

/// Takes the tool's handlers away, and SIGPIPE from being ignored as Rust does; then lets signals in.
fn default_signals() {
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: plain structs for which zeroes are valid (SIG_DFL, no flags), and valid pointers to them.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            libc::sigaction(signal, ptr::null(), &raw mut action);
            let ignored = action.sa_sigaction == libc::SIG_IGN && signal != libc::SIGPIPE;
            if action.sa_sigaction != libc::SIG_DFL && !ignored {
                action = MaybeUninit::zeroed().assume_init();
                libc::sigaction(signal, &raw const action, ptr::null_mut());
            }
        }
    }
    // SAFETY: an empty set, filled in by the call before it is read.
    unsafe {
        let mut none = MaybeUninit::<sigset_t>::zeroed();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

/// Blocks all signals in this thread; returns what was blocked before.
fn block_signals() -> sigset_t {
    let (mut all, mut before) = (MaybeUninit::<sigset_t>::zeroed(), MaybeUninit::<sigset_t>::zeroed());
    // SAFETY: valid pointers; the first call fills `all` in, the second `before`.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}

fn set_signals(mask: &sigset_t) {
    // SAFETY: a valid pointer to a mask that the kernel gave us.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

/// How many process groups the watcher remembers; of more, only the leaders end with the tool.
const MOST_GROUPS: usize = 4096;

/// Forks the watcher. In the tool, returns at once; the watcher never returns.
///
/// # Safety
/// The process has one thread.
pub(super) unsafe fn fork_watcher(orders: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the caller vouches for there being one thread, so the new process finds no lock held.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => watch(orders.as_raw_fd()),
        _ => Ok(()),
    }
}

/// The watcher's life: it reads which groups live, and ends them when the tool is gone.
fn watch(orders: RawFd) -> ! {
    // SAFETY: numbers only. Nothing of the tool's stays open but the end of the pipe that is read.
    unsafe {
        libc::setsid();
        libc::syscall(libc::SYS_close_range, 0, orders - 1, 0);
        libc::syscall(libc::SYS_close_range, orders + 1, libc::c_uint::MAX, 0);
        libc::chdir(c"/".as_ptr());
        libc::prctl(libc::PR_SET_NAME, c"perfplan-guard".as_ptr());
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGPIPE] {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
    let mut groups = [0; MOST_GROUPS];
    while let Some(order) = next_order(orders) {
        let (wanted, put) = if order > 0 { (0, order) } else { (-order, 0) };
        if let Some(place) = groups.iter_mut().find(|group| **group == wanted) {
            *place = put;
        }
    }
    for group in groups.into_iter().filter(|group| *group > 0) {
        // SAFETY: numbers only.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    // SAFETY: ends the watcher without running the tool's exit handlers.
    unsafe { libc::_exit(0) }
}

/// A group's number where it began, its negative where it ended; `None` when the tool is gone. Orders are written whole.
fn next_order(orders: RawFd) -> Option<pid_t> {
    let mut order: pid_t = 0;
    loop {
        // SAFETY: the pointer is valid for the size given.
        let read = unsafe { libc::read(orders, (&raw mut order).cast(), size_of::<pid_t>()) };
        // SAFETY: errno is always there.
        if read >= 0 || unsafe { *libc::__errno_location() } != libc::EINTR {
            return (read == size_of::<pid_t>() as isize).then_some(order);
        }
    }
}
