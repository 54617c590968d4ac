//! Allocations by call stack: who asks for memory, how often, and for how much.
//!
//! Everything here runs inside the program's allocator. It may not allocate through it, so what it keeps lies in the system's
//! ([`store`]), and allocations of the unwinder itself are passed over.

mod store;

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::Site;
use crate::{allocator, forks};
use store::Table;

/// The most callers that are told apart, the innermost. What lies beyond is one place.
const DEEPEST: usize = 256;

/// The most stacks that are told apart in an answer: a program that asks for memory in a million places would send hundreds
/// of megabytes.
const MOST: usize = 20_000;

static TABLE: Mutex<Table> = Mutex::new(Table::new());

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` and says from where memory was asked for, over all threads, most calls first. Of more than [`MOST`] stacks
/// those with the fewest bytes are one site without a stack.
///
/// # Errors
/// Where the program's allocator is not ours, or the system had no memory for what was recorded.
pub(crate) fn record<T>(work: impl FnOnce() -> T) -> Result<(T, Vec<Site>), String> {
    if !allocator::installed() {
        return Err("allocations can't be seen: the program does not declare perfplan_harness::allocator!()".to_owned());
    }
    forks::mind();
    *table() = Table::new();
    let result = allocator::attribute(work);
    let noted = std::mem::replace(&mut *table(), Table::new());
    if noted.lost() > 0 {
        return Err(format!("no memory to record {} allocations: ask for fewer iterations", noted.lost()));
    }
    let mut sites = noted.sites(MOST);
    sites.sort_by(|a, b| (b.calls, b.bytes, &a.stack).cmp(&(a.calls, a.bytes, &b.stack)));
    Ok((result, sites))
}

/// Records one allocation of this thread.
#[inline(never)]
pub(crate) fn note(bytes: usize) {
    // Inside of itself this does nothing: that is an allocation of the unwinder's.
    allocator::unseen(|| {
        let stack = Stack::here();
        table().note(stack.addresses(), bytes as u64);
    });
}

/// Addresses of calls, the innermost first.
struct Stack {
    addresses: [u64; DEEPEST],
    depth: usize,
}

/// What the unwinder knows of a frame.
#[repr(C)]
struct Context {
    _opaque: [u8; 0],
}

// The interface of the C++ ABI for exceptions, level 1. The standard library links its implementation: panics need it.
unsafe extern "C" {
    fn _Unwind_Backtrace(trace: extern "C" fn(*mut Context, *mut c_void) -> c_int, argument: *mut c_void) -> c_int;
    fn _Unwind_GetIPInfo(context: *mut Context, before_instruction: *mut c_int) -> usize;
}

/// The unwinder is to go on.
const NO_REASON: c_int = 0;
/// The unwinder is to stop.
const NORMAL_STOP: c_int = 4;

impl Stack {
    fn here() -> Self {
        let mut stack = Self { addresses: [0; DEEPEST], depth: 0 };
        // SAFETY: `each` gets the pointer to the stack and the unwinder's own contexts, during this call only.
        unsafe { _Unwind_Backtrace(Self::each, ptr::from_mut(&mut stack).cast()) };
        stack
    }

    extern "C" fn each(context: *mut Context, argument: *mut c_void) -> c_int {
        // SAFETY: see `here`.
        let stack = unsafe { &mut *argument.cast::<Self>() };
        let Some(place) = stack.addresses.get_mut(stack.depth) else { return NORMAL_STOP };
        let mut before = 0;
        // SAFETY: the context is the unwinder's, and the pointer is valid for writing.
        let address = unsafe { _Unwind_GetIPInfo(context, &raw mut before) } as u64;
        if address == 0 {
            return NORMAL_STOP;
        }
        // A return address lies behind the call, maybe already on another line.
        *place = if before == 0 { address - 1 } else { address };
        stack.depth += 1;
        NO_REASON
    }

    fn addresses(&self) -> &[u64] {
        &self.addresses[..self.depth]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_begins_here_and_reaches_the_threads_root() {
        let outer = Stack::here();
        let inner = std::thread::spawn(Stack::here).join().unwrap();
        assert!((3..DEEPEST).contains(&outer.depth) && (3..DEEPEST).contains(&inner.depth));
        let here = Stack::here as *const () as u64;
        let near = outer.addresses()[0].abs_diff(here);
        assert!(near < 4096, "the innermost frame is the recorder's own, {near} bytes from its begin");
    }

    #[test]
    fn a_deeper_stack_is_cut_at_its_outer_end() {
        fn down(levels: usize) -> usize {
            std::hint::black_box(if levels == 0 { Stack::here().depth } else { down(levels - 1) })
        }
        assert_eq!(down(2 * DEEPEST), DEEPEST);
    }
}
