//! A counting allocator over any inner allocator. While counting is off it costs one load and one predictable branch.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::sites;

/// The allocator behind [`allocator!`](crate::allocator): the first of jemalloc, mimalloc and snmalloc whose feature is on,
/// else the system's.
#[cfg(feature = "jemalloc")]
pub type Inner = tikv_jemallocator::Jemalloc;
/// The value of [`Inner`].
#[cfg(feature = "jemalloc")]
pub const INNER: Inner = tikv_jemallocator::Jemalloc;

/// The allocator behind [`allocator!`](crate::allocator): the first of jemalloc, mimalloc and snmalloc whose feature is on,
/// else the system's.
#[cfg(all(feature = "mimalloc", not(feature = "jemalloc")))]
pub type Inner = mimalloc::MiMalloc;
/// The value of [`Inner`].
#[cfg(all(feature = "mimalloc", not(feature = "jemalloc")))]
pub const INNER: Inner = mimalloc::MiMalloc;

/// The allocator behind [`allocator!`](crate::allocator): the first of jemalloc, mimalloc and snmalloc whose feature is on,
/// else the system's.
#[cfg(all(feature = "snmalloc", not(any(feature = "mimalloc", feature = "jemalloc"))))]
pub type Inner = snmalloc_rs::SnMalloc;
/// The value of [`Inner`].
#[cfg(all(feature = "snmalloc", not(any(feature = "mimalloc", feature = "jemalloc"))))]
pub const INNER: Inner = snmalloc_rs::SnMalloc;

/// The allocator behind [`allocator!`](crate::allocator): the first of jemalloc, mimalloc and snmalloc whose feature is on,
/// else the system's.
#[cfg(not(any(feature = "snmalloc", feature = "mimalloc", feature = "jemalloc")))]
pub type Inner = std::alloc::System;
/// The value of [`Inner`].
#[cfg(not(any(feature = "snmalloc", feature = "mimalloc", feature = "jemalloc")))]
pub const INNER: Inner = std::alloc::System;

/// Declares the program's global allocator: counting, over the one that the features choose or over the one given.
///
/// ```
/// perfplan_harness::allocator!();
/// ```
/// or, over an allocator of your own, `perfplan_harness::allocator!(MyAlloc = MyAlloc::new());`.
#[macro_export]
macro_rules! allocator {
    () => {
        $crate::allocator!($crate::Inner = $crate::INNER);
    };
    ($inner:ty = $value:expr) => {
        #[global_allocator]
        static PERFPLAN_ALLOCATOR: $crate::Counting<$inner> = $crate::Counting::over($value);
    };
}

/// What becomes of a call of the allocator: [`OFF`], [`COUNT`] or [`ATTRIBUTE`].
static MODE: AtomicU8 = AtomicU8::new(OFF);
const OFF: u8 = 0;
/// Calls and bytes are summed up.
const COUNT: u8 = 1;
/// Each is attributed to its call stack ([`sites`]).
const ATTRIBUTE: u8 = 2;

static INSTALLED: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread's allocations are the harness' own: they are not the case's work. Constant and without a
    /// destructor, so that looking at it allocates nothing.
    static UNSEEN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with this thread's allocations left out of all counts. `None`, and nothing is run, inside of itself.
pub(crate) fn unseen<T>(work: impl FnOnce() -> T) -> Option<T> {
    struct Until;
    impl Drop for Until {
        fn drop(&mut self) {
            UNSEEN.set(false);
        }
    }
    if UNSEEN.replace(true) {
        return None;
    }
    let _until = Until;
    Some(work())
}

/// A global allocator that counts calls and bytes while a counting batch runs.
pub struct Counting<A> {
    inner: A,
}

impl<A> Counting<A> {
    /// Counts what `inner` allocates.
    pub const fn over(inner: A) -> Self {
        Self { inner }
    }
}

#[cold]
fn grow(bytes: usize) {
    match MODE.load(Relaxed) {
        ATTRIBUTE => sites::note(bytes),
        _ if UNSEEN.get() => {}
        _ => sum_up(bytes),
    }
}

fn sum_up(bytes: usize) {
    CALLS.fetch_add(1, Relaxed);
    BYTES.fetch_add(bytes as u64, Relaxed);
    let live = LIVE.fetch_add(bytes as u64, Relaxed).wrapping_add(bytes as u64);
    // Blocks from before the count may be freed during it, so `live` can pass below zero: then it is no peak.
    if (live as i64) > 0 {
        PEAK.fetch_max(live, Relaxed);
    }
}

#[cold]
fn shrink(bytes: usize) {
    if !UNSEEN.get() {
        LIVE.fetch_sub(bytes as u64, Relaxed);
    }
}

// SAFETY: every call is handed to the inner allocator unchanged; what counting allocates itself
// it takes from the system's allocator, or is not counted again.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if MODE.load(Relaxed) != OFF {
            grow(layout.size());
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { self.inner.alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        if MODE.load(Relaxed) != OFF {
            shrink(layout.size());
        }
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { self.inner.dealloc(ptr, layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if MODE.load(Relaxed) != OFF {
            grow(layout.size());
        }
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { self.inner.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if MODE.load(Relaxed) != OFF {
            grow(new_size);
            shrink(layout.size());
        }
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { self.inner.realloc(ptr, layout, new_size) }
    }
}

/// What the allocator counted while a piece of work ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allocations {
    /// Calls of `alloc`, `alloc_zeroed` and `realloc`.
    pub(crate) calls: u64,
    /// Bytes asked for by those calls.
    pub(crate) bytes: u64,
    /// The most bytes live at once, beyond those live at the start.
    pub(crate) peak: u64,
}

/// Runs `work` with counting on, over all threads. `None` where the program did not install [`Counting`].
pub(crate) fn count<T>(work: impl FnOnce() -> T) -> (T, Option<Allocations>) {
    let installed = installed();
    let result = during(COUNT, work);
    let counted = installed.then(|| Allocations {
        calls: CALLS.load(Relaxed),
        bytes: BYTES.load(Relaxed),
        peak: PEAK.load(Relaxed),
    });
    (result, counted)
}

/// Runs `work` with every allocation of all threads handed to [`sites::note`].
pub(crate) fn attribute<T>(work: impl FnOnce() -> T) -> T {
    during(ATTRIBUTE, work)
}

/// Whether the program's global allocator is ours, told by a probe. All counts are zero afterwards.
pub(crate) fn installed() -> bool {
    during(COUNT, || {
        CALLS.store(0, Relaxed);
        drop(std::hint::black_box(Box::new(0_u8)));
        INSTALLED.fetch_or(CALLS.load(Relaxed) > 0, Relaxed);
    });
    for counter in [&CALLS, &BYTES, &LIVE, &PEAK] {
        counter.store(0, Relaxed);
    }
    INSTALLED.load(Relaxed)
}

/// Ends counting and attributing in a child that was forked meanwhile.
pub(crate) fn stop() {
    MODE.store(OFF, Relaxed);
}

/// Runs `work` in a mode, which a panic in it ends as well.
fn during<T>(mode: u8, work: impl FnOnce() -> T) -> T {
    struct Until;
    impl Drop for Until {
        fn drop(&mut self) {
            stop();
        }
    }
    let _until = Until;
    MODE.store(mode, Relaxed);
    work()
}
