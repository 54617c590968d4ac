//! The registers that unwinding begins with.

use framehop::UnwindRegsNative;

/// The registers that the kernel is to sample, by its numbers for this architecture.
#[cfg(target_arch = "x86_64")]
pub const USER_REGISTERS: u64 = 1 << numbers::FRAME | 1 << numbers::STACK | 1 << numbers::CODE;
/// The registers that the kernel is to sample, by its numbers for this architecture.
#[cfg(target_arch = "aarch64")]
pub const USER_REGISTERS: u64 = 1 << numbers::FRAME | 1 << numbers::LINK | 1 << numbers::STACK | 1 << numbers::CODE;

/// `PERF_REG_X86_*`
#[cfg(target_arch = "x86_64")]
mod numbers {
    pub(super) const FRAME: u64 = 6;
    pub(super) const STACK: u64 = 7;
    pub(super) const CODE: u64 = 8;
}

/// `PERF_REG_ARM64_*`
#[cfg(target_arch = "aarch64")]
mod numbers {
    pub(super) const FRAME: u64 = 29;
    pub(super) const LINK: u64 = 30;
    pub(super) const STACK: u64 = 31;
    pub(super) const CODE: u64 = 32;
}

/// The registers of a thread in user code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// The instruction that was about to run.
    pub code: u64,
    /// The inner end of the stack.
    pub stack: u64,
    /// The frame pointer, or whatever the code uses that register for.
    pub frame: u64,
    /// The return address of a function that calls no other.
    #[cfg(target_arch = "aarch64")]
    pub link: u64,
}

impl Registers {
    /// The registers as the kernel sampled them, by its numbers; `None` where one is missing.
    pub fn sampled(register: impl Fn(u64) -> Option<u64>) -> Option<Self> {
        Some(Self {
            code: register(numbers::CODE)?,
            stack: register(numbers::STACK)?,
            frame: register(numbers::FRAME)?,
            #[cfg(target_arch = "aarch64")]
            link: register(numbers::LINK)?,
        })
    }

    /// In the unwinder's words. `highest` is the last address of code: what is set above it in an address is a signature.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn native(self, _highest: u64) -> UnwindRegsNative {
        UnwindRegsNative::new(self.code, self.stack, self.frame)
    }

    /// In the unwinder's words. `highest` is the last address of code: what is set above it in an address is a signature.
    #[cfg(target_arch = "aarch64")]
    pub(super) fn native(self, highest: u64) -> UnwindRegsNative {
        let mask = framehop::aarch64::PtrAuthMask::from_max_known_address(highest);
        UnwindRegsNative::new_with_ptr_auth_mask(mask, self.link, self.stack, self.frame)
    }
}
