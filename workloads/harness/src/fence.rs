//! Fences round a piece of work, for those who watch the process from outside. Where nobody does they cost two system calls
//! and a few rotations.

use crate::protocol::FENCE;

/// Runs `work` between two fences; a panic in it closes the fence as well.
pub(crate) fn fenced<T>(work: impl FnOnce() -> T) -> T {
    struct Until;
    impl Drop for Until {
        fn drop(&mut self) {
            // Callgrind's fences are the inner ones: instructions of the system call are not the work's.
            callgrind::ask(callgrind::DUMP_STATS);
            mark(0);
        }
    }
    mark(1);
    let _until = Until;
    callgrind::ask(callgrind::ZERO_STATS);
    work()
}

/// The system call that one who follows them recognises.
fn mark(begins: libc::c_ulong) {
    // SAFETY: numbers only, for an option that the kernel does not know.
    unsafe { libc::prctl(FENCE, begins) };
}

/// Callgrind's client requests (valgrind.h, callgrind.h): a sequence of instructions without effect that valgrind takes for a
/// call when it translates the program.
mod callgrind {
    /// Requests of the tool that calls itself CT.
    const CT: u64 = ((b'C' as u64) << 24) | ((b'T' as u64) << 16);
    /// Writes all costs out, and sets them to zero.
    pub(super) const DUMP_STATS: u64 = CT;
    /// Sets all costs to zero.
    pub(super) const ZERO_STATS: u64 = CT + 1;

    #[cfg(target_arch = "x86_64")]
    pub(super) fn ask(request: u64) {
        let arguments = [request, 0, 0, 0, 0, 0];
        // SAFETY: RDI is rotated by 128 bits in all, and RBX exchanged with itself. Valgrind reads the arguments, which
        // outlive this, and writes RDX.
        unsafe {
            std::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") arguments.as_ptr(),
                inout("rdx") 0_u64 => _,
                options(nostack),
            );
        }
    }

    #[cfg(target_arch = "aarch64")]
    pub(super) fn ask(request: u64) {
        let arguments = [request, 0, 0, 0, 0, 0];
        // SAFETY: X12 is rotated by 128 bits in all, and X10 combined with itself. Valgrind reads the arguments, which
        // outlive this, and writes X3.
        unsafe {
            std::arch::asm!(
                "ror x12, x12, #3",
                "ror x12, x12, #13",
                "ror x12, x12, #51",
                "ror x12, x12, #61",
                "orr x10, x10, x10",
                inout("x3") 0_u64 => _,
                in("x4") arguments.as_ptr(),
                options(nostack),
            );
        }
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(super) fn ask(_: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_changes_nothing_and_hands_on_the_result() {
        assert_eq!(fenced(|| 7), 7);
        // The kernel refuses it: it has done nothing.
        // SAFETY: as in `mark`.
        assert_eq!(unsafe { libc::prctl(FENCE, 1 as libc::c_ulong) }, -1);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINVAL));
    }

    #[test]
    fn the_requests_are_those_of_the_header() {
        assert_eq!((callgrind::DUMP_STATS, callgrind::ZERO_STATS), (0x4354_0000, 0x4354_0001));
    }
}
