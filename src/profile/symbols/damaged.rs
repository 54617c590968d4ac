//! Files that were written wrongly, or to do harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a reader makes of a file's tables; `None` where they are damaged in a way that it has not reckoned with, and panics.
/// Whatever the reader changes has to stay usable when that happens half-way.
pub fn careful<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_answer() {
        let numbers = [1, 2, 3];
        let at = |index: usize| careful(|| numbers[index]);
        assert_eq!((at(2), at(3)), (Some(3), None));
    }
}
