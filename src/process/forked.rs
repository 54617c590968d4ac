//! Code that runs in a new process before `exec`, or without one: the second of the room's two files with unsafe code.
//!
//! Such code may call only what is safe in a signal handler (`man 7 signal-safety`): no allocation, no locks, no
//! panics.

use std::ffi::{CString, c_char};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use libc::{c_int, c_void, pid_t, sigset_t};

use super::sys;

/// The stack of a child until it calls `exec`, bytes.
const STACK: usize = 64 * 1024;
/// The highest of the classic signals; real-time ones have no handlers here.
const LAST_SIGNAL: c_int = 31;
/// The number under which a child finds its channel.
pub(super) const CHANNEL: RawFd = 3;

/// A command in the words of the kernel.
pub(super) struct Words {
    /// The file that is executed.
    pub(super) program: CString,
    /// Arguments, the program's name first.
    pub(super) argv: Vec<CString>,
    /// `NAME=value`.
    pub(super) env: Vec<CString>,
    /// The working folder, absolute.
    pub(super) folder: CString,
    pub(super) cpus: Option<libc::cpu_set_t>,
}

/// What becomes of a child's descriptors 0, 1, 2 and [`CHANNEL`]; the last is -1 where it has none.
pub(super) type Descriptors = [RawFd; sys::MOST_FDS];

/// A command laid out in memory, so that a child has nothing to compute, and its answer.
pub(super) struct Request {
    program: *const c_char,
    argv: *const *const c_char,
    env: *const *const c_char,
    folder: *const c_char,
    cpus: Option<libc::cpu_set_t>,
    parent: pid_t,
    /// Just before the child was made, nanoseconds of the monotonic clock.
    begun_ns: AtomicU64,
    /// Which step failed and why; 0 while none has.
    failed: AtomicI32,
    errno: AtomicI32,
}

/// What a child was doing when it failed before its program ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Process group and the tie to the parent's life.
    Tie = 1,
    /// Descriptors.
    Descriptors,
    /// Affinity.
    Pin,
    /// The working folder.
    Folder,
    /// `exec` itself.
    Execute,
}

impl Step {
    /// The step of this number.
    pub(super) fn of(number: c_int) -> Option<Self> {
        let steps = [Self::Tie, Self::Descriptors, Self::Pin, Self::Folder, Self::Execute];
        steps.into_iter().find(|step| *step as c_int == number)
    }
}

/// A child whose program runs, or that is held before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Launched {
    pub(super) pid: pid_t,
    /// Just before it was made, nanoseconds of the monotonic clock.
    pub(super) begun_ns: u64,
}

/// Lays words out one behind the other.
struct Room<'m>(&'m mut [u64]);

impl Room<'_> {
    /// Room for so many bytes; `None` where there is not enough.
    fn take(&mut self, bytes: usize) -> Option<*mut u64> {
        let (taken, rest) = std::mem::take(&mut self.0).split_at_mut_checked(bytes.div_ceil(size_of::<u64>()))?;
        self.0 = rest;
        Some(taken.as_mut_ptr())
    }

    fn string(&mut self, string: &CString) -> Option<*const c_char> {
        let bytes = string.as_bytes_with_nul();
        let place = self.take(bytes.len())?.cast::<c_char>();
        // SAFETY: the place has room for these bytes and is nobody else's.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), place, bytes.len()) };
        Some(place)
    }

    /// Strings, and the array of pointers to them, with a null at its end.
    fn strings(&mut self, strings: &[CString]) -> Option<*const *const c_char> {
        let array = self.take((strings.len() + 1) * size_of::<*const c_char>())?.cast::<*const c_char>();
        for (at, string) in strings.iter().enumerate() {
            let pointer = self.string(string)?;
            // SAFETY: the array has room for one pointer more than there are strings.
            unsafe { array.add(at).write(pointer) };
        }
        // SAFETY: as above.
        unsafe { array.add(strings.len()).write(ptr::null()) };
        Some(array)
    }
}

impl Words {
    /// How many words of memory [`Request::lay_out`] needs for this.
    pub(super) fn size(&self) -> usize {
        let words = |string: &CString| string.as_bytes_with_nul().len().div_ceil(size_of::<u64>());
        let strings = |all: &[CString]| all.iter().map(words).sum::<usize>() + all.len() + 1;
        words(&self.program) + words(&self.folder) + strings(&self.argv) + strings(&self.env)
    }
}

impl Request {
    /// Lays a command out in `memory`, which has to live as long as the request is used; `None` where it does not fit.
    pub(super) fn lay_out(words: &Words, memory: &mut [u64]) -> Option<Self> {
        let mut room = Room(memory);
        Some(Self {
            program: room.string(&words.program)?,
            argv: room.strings(&words.argv)?,
            env: room.strings(&words.env)?,
            folder: room.string(&words.folder)?,
            cpus: words.cpus,
            parent: sys::own_pid(),
            begun_ns: AtomicU64::new(0),
            failed: AtomicI32::new(0),
            errno: AtomicI32::new(0),
        })
    }

    /// The child that [`start_held`] made and that has not failed so far.
    pub(super) fn held(&self, pid: pid_t) -> Launched {
        Launched { pid, begun_ns: self.begun_ns.load(Ordering::SeqCst) }
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst) != 0
    }

    /// What became of the child that [`start`] made; one that failed is reaped.
    pub(super) fn outcome(&self, pid: pid_t) -> Result<Launched, (Step, io::Error)> {
        match Step::of(self.failed.load(Ordering::SeqCst)) {
            None => Ok(self.held(pid)),
            Some(step) => {
                // It has ended already; what it used is of no interest.
                let _ = sys::reap(pid);
                Err((step, io::Error::from_raw_os_error(self.errno.load(Ordering::SeqCst))))
            }
        }
    }
}

/// Words of memory that a request itself takes.
const HEAD: usize = size_of::<Request>().div_ceil(size_of::<u64>());
const _: () = assert!(align_of::<Request>() <= align_of::<u64>());

/// Where a request is put for the guardian: memory that both see at one address.
pub(super) struct Desk(&'static mut [u64]);

impl Desk {
    /// A desk for requests of at most so many words of 8 bytes.
    pub(super) fn new(words: usize) -> io::Result<Self> {
        sys::shared_memory(HEAD + words).map(Self)
    }

    /// Lays a request out; `None` where it does not fit.
    pub(super) fn put(&mut self, words: &Words) -> Option<&Request> {
        let (head, rest) = self.0.split_at_mut(HEAD);
        let request = Request::lay_out(words, rest)?;
        let place = head.as_mut_ptr().cast::<Request>();
        // SAFETY: the head is large enough and aligned, nobody looks at it now, and a request needs no dropping.
        unsafe {
            place.write(request);
            Some(&*place)
        }
    }
}

/// What a child is made from.
struct Seed<'a> {
    request: &'a Request,
    descriptors: Descriptors,
    /// Whether the maker has only signal handlers that a program expects to find. The guardian does; the tool does not.
    plain_signals: bool,
    /// The line over which the child says that it stands ready and waits to be let go; -1 where it doesn't wait. Higher
    /// than [`CHANNEL`] by more than one, and closed on `exec`.
    line: RawFd,
}

/// Makes a child and returns when its program runs, or a step has failed ([`Request::outcome`]).
///
/// Like glibc's `posix_spawn`, this borrows the address space instead of copying it (`CLONE_VM | CLONE_VFORK`): the
/// cost does not grow with the caller's memory, and no other thread's locks matter to the child.
pub(super) fn start(request: &Request, descriptors: Descriptors) -> io::Result<pid_t> {
    start_with(&Seed { request, descriptors, plain_signals: false, line: -1 }, 0)
}

/// What a held child says: the number of a step that failed, or [`READY`], and the error.
pub(super) type Word = [c_int; 2];
/// The child waits before `exec`.
pub(super) const READY: c_int = 0;

/// Makes a child that prepares itself, says [`READY`] over `line`, and waits for a byte before its program runs. A step that
/// fails is said over the line too; a program that runs closes it. The caller closes its copy of the child's end.
///
/// This one is forked, with a copy of the caller's memory: a child that borrows it would keep the caller asleep.
pub(super) fn start_held(request: &Request, descriptors: Descriptors, line: RawFd) -> io::Result<pid_t> {
    let seed = Seed { request, descriptors, plain_signals: false, line };
    // A handler of the tool's that ran in the child would act on what it shares with the tool.
    let before = block_signals();
    request.begun_ns.store(sys::now_ns(), Ordering::SeqCst);
    // SAFETY: the child makes system calls only, see `child`, so it meets no lock that another thread held.
    let pid = unsafe { libc::fork() };
    let error = io::Error::last_os_error();
    if pid == 0 {
        child(ptr::from_ref(&seed).cast_mut().cast());
    }
    set_signals(&before);
    if pid < 0 { Err(error) } else { Ok(pid) }
}

fn start_with(seed: &Seed<'_>, flags: c_int) -> io::Result<pid_t> {
    let mut stack = MaybeUninit::<[u8; STACK]>::uninit();
    let before = block_signals();
    seed.request.begun_ns.store(sys::now_ns(), Ordering::SeqCst);
    // SAFETY: the stack is large enough for what `child` does, aligned to 16 bytes, and grows downwards from its end.
    // This thread sleeps until the child has called `exec` or ended, so `seed` and the stack outlive their use, and
    // nothing of them is used by two at once. Signals are blocked, so no handler of the tool's runs in the child.
    let pid = unsafe {
        let top = stack.as_mut_ptr().cast::<u8>().add(STACK);
        let top = top.sub(top as usize % 16).cast::<c_void>();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD | flags;
        libc::clone(child, top, flags, ptr::from_ref(seed).cast_mut().cast())
    };
    let error = io::Error::last_os_error();
    set_signals(&before);
    if pid < 0 { Err(error) } else { Ok(pid) }
}

extern "C" fn child(seed: *mut c_void) -> c_int {
    // SAFETY: `start_with` passes a pointer to a `Seed` that outlives this process' use of it.
    let seed = unsafe { &*seed.cast::<Seed<'_>>() };
    if let Err(step) = prepare_and_execute(seed) {
        // SAFETY: errno is always there.
        let errno = unsafe { *libc::__errno_location() };
        seed.request.errno.store(errno, Ordering::SeqCst);
        seed.request.failed.store(step as i32, Ordering::SeqCst);
        say(seed.line, [step as c_int, errno]);
    }
    // SAFETY: ends this process without running the tool's exit handlers.
    unsafe { libc::_exit(127) }
}

/// Returns only where a step failed; `errno` says why.
fn prepare_and_execute(seed: &Seed<'_>) -> Result<(), Step> {
    let (request, [stdin, stdout, stderr, channel]) = (seed.request, seed.descriptors);
    // SAFETY: system calls that take numbers, and pointers into memory that was laid out whole before this process
    // was made.
    unsafe {
        succeeded(libc::setpgid(0, 0), Step::Tie)?;
        succeeded(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), Step::Tie)?;
        if libc::getppid() != request.parent {
            libc::_exit(127); // The tool ended before the tie was there.
        }
        for (fd, number) in [stdin, stdout, stderr].into_iter().zip(0..) {
            succeeded(libc::dup2(fd, number), Step::Descriptors)?;
        }
        if channel >= 0 {
            succeeded(libc::dup2(channel, CHANNEL), Step::Descriptors)?;
            // Where it had this number already, the copying changed nothing.
            succeeded(libc::fcntl(CHANNEL, libc::F_SETFD, 0), Step::Descriptors)?;
            // Old kernels don't know the call; then the worker has more descriptors open than it needs.
            libc::syscall(libc::SYS_close_range, CHANNEL + 1, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        }
        if let Some(cpus) = &request.cpus {
            succeeded(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), cpus), Step::Pin)?;
        }
        succeeded(libc::chdir(request.folder), Step::Folder)?;
        if !seed.plain_signals {
            default_signals();
        }
        allow_signals();
        if seed.line >= 0 {
            wait_to_be_let_go(seed.line);
        }
        libc::execve(request.program, request.argv, request.env);
    }
    Err(Step::Execute)
}

/// Says a word over the line of a held child; nothing where there is none.
fn say(line: RawFd, word: Word) {
    if line >= 0 {
        // SAFETY: the word outlives the call. Whether anybody listens makes no difference to what follows.
        unsafe { libc::write(line, word.as_ptr().cast(), size_of::<Word>()) };
    }
}

/// Returns when the tool says so; a child that is forgotten ends.
fn wait_to_be_let_go(line: RawFd) {
    // Until `exec` this holds copies of all that the tool has open, other children's pipes among them.
    // SAFETY: numbers only. Old kernels don't know the call; then a pipe ends later than it could.
    unsafe {
        libc::syscall(libc::SYS_close_range, CHANNEL + 1, line - 1, 0);
        libc::syscall(libc::SYS_close_range, line + 1, libc::c_uint::MAX, 0);
    }
    say(line, [READY, 0]);
    let mut byte = 0_u8;
    loop {
        // SAFETY: one byte, for which there is room. Errno is always there.
        match unsafe { (libc::read(line, (&raw mut byte).cast(), 1), *libc::__errno_location()) } {
            (1, _) => return,
            (-1, libc::EINTR) => {}
            // SAFETY: ends this process without running the tool's exit handlers.
            _ => unsafe { libc::_exit(127) },
        }
    }
}

fn succeeded(result: c_int, step: Step) -> Result<(), Step> {
    if result < 0 { Err(step) } else { Ok(()) }
}

/// Takes the tool's handlers away, and SIGPIPE from being ignored as Rust does.
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
}

/// Lets all signals in.
fn allow_signals() {
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

/// How many process groups the guardian remembers; of more, only the leaders end with the tool.
const MOST_GROUPS: usize = 4096;
/// Asks the guardian for a child. Other numbers tell of groups: one that began, and negative, one that ended.
pub(super) const START: c_int = 0;

/// Forks the guardian. In the tool, returns at once; the guardian never returns.
pub(super) fn fork_guardian(socket: RawFd, desk: &Desk) -> io::Result<()> {
    // SAFETY: the new process makes system calls only, see `guard`, so it meets no lock that another thread held.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => guard(socket, desk.0.as_ptr().cast()),
        _ => Ok(()),
    }
}

/// The guardian's life: it makes children, remembers which groups live, and ends them when the tool is gone.
fn guard(socket: RawFd, request: *const Request) -> ! {
    settle(socket);
    let mut groups = [0; MOST_GROUPS];
    let mut replace = |old: pid_t, new: pid_t| {
        if let Some(place) = groups.iter_mut().find(|group| **group == old) {
            *place = new;
        }
    };
    while let Some((order, descriptors)) = sys::receive(socket) {
        match order {
            START => {
                // SAFETY: the tool has laid a request out in the memory that both share, and now waits for the answer.
                let request = unsafe { &*request };
                // This flag makes the child the tool's own.
                let made =
                    start_with(&Seed { request, descriptors, plain_signals: true, line: -1 }, libc::CLONE_PARENT);
                for fd in descriptors.into_iter().filter(|fd| *fd >= 0) {
                    // SAFETY: this was received for this one child.
                    unsafe { libc::close(fd) };
                }
                let answer = made.unwrap_or_else(|error| -error.raw_os_error().unwrap_or(libc::EAGAIN));
                if answer > 0 && !request.has_failed() {
                    replace(0, answer);
                }
                // A tool that is gone by now is noticed at the next order.
                let _ = sys::send(socket, answer, &[]);
            }
            began if began > 0 => replace(0, began),
            ended => replace(-ended, 0),
        }
    }
    for group in groups.into_iter().filter(|group| *group > 0) {
        sys::kill_group(group, libc::SIGKILL);
    }
    // SAFETY: ends the guardian without running the tool's exit handlers.
    unsafe { libc::_exit(0) }
}

/// Lets go of all that is the tool's: terminal, descriptors, folder, signals. They are blocked, not ignored, because
/// children would inherit that.
fn settle(socket: RawFd) {
    block_signals();
    default_signals();
    // SAFETY: numbers and constant strings only.
    unsafe {
        libc::setsid();
        libc::chdir(c"/".as_ptr());
        libc::prctl(libc::PR_SET_NAME, c"perfplan-guard".as_ptr());
        // Descriptors that are received must not get the numbers that children's are to have.
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        for fd in (0..=CHANNEL).filter(|fd| *fd != socket) {
            libc::dup3(null, fd, libc::O_CLOEXEC);
        }
        let first = CHANNEL + 1;
        if socket > first {
            libc::syscall(libc::SYS_close_range, first, socket - 1, 0);
        }
        libc::syscall(libc::SYS_close_range, first.max(socket + 1), libc::c_uint::MAX, 0);
    }
}
