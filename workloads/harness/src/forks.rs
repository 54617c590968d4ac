//! Cases that fork while they are recorded.
//!
//! Another thread may hold a lock of the recording at that moment. The child has a copy of that lock, and no thread that would
//! release it: whoever takes it there waits for ever. So a child records nothing; nobody would read it.

use std::sync::Once;

use crate::{allocator, metrics};

static MINDED: Once = Once::new();

/// Sees to it that children which are forked from now on record nothing. To be called before anything is recorded.
pub(crate) fn mind() {
    MINDED.call_once(|| {
        // Where there is no memory for the handler, a case that does not fork still is recorded well.
        // SAFETY: the handler only stores plain values, which is safe in a child of several threads.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

extern "C" fn in_child() {
    allocator::stop();
    metrics::stop();
}
