//! Memory straight from the kernel.

use std::io;
use std::ptr::{self, NonNull};

/// Private, zeroed, readable and writable memory. Untouched pages cost nothing, and appear near the CPU that touches them.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping owns its memory, which no other handle frees; its bytes are reached through pointers only, and whoever
// follows one answers for exclusive access. So moving it to a thread and sharing `&Mapping` between threads is sound.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// A new mapping; `flags` are those of `mmap(2)` besides private and anonymous. The interpreter Miri knows no pages: there
    /// none is huge, and none has to be made present.
    ///
    /// # Errors
    /// Where the kernel has no such memory, and where `bytes` is 0.
    pub(crate) fn new(bytes: usize, flags: libc::c_int) -> io::Result<Self> {
        if cfg!(miri) && flags & libc::MAP_HUGETLB != 0 {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        }
        let flags = if cfg!(miri) { 0 } else { flags };
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flags);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no memory that is in use.
        let address = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
        match NonNull::new(address.cast()) {
            Some(start) if address != libc::MAP_FAILED => Ok(Self { start, bytes }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Where it begins: readable, writable, initialised, and there as long as the mapping is.
    #[inline]
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// How long it is.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many of its pages are in memory.
    #[cfg(test)]
    pub(crate) fn present(&self) -> usize {
        let mut pages = vec![0_u8; self.bytes.div_ceil(4_096)];
        // SAFETY: our own mapping, and a byte for each of its pages.
        let answer = unsafe { libc::mincore(self.start.as_ptr().cast(), self.bytes, pages.as_mut_ptr()) };
        assert_eq!(answer, 0);
        pages.iter().filter(|&&page| page & 1 == 1).count()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the range that was mapped, once; whoever used its bytes kept the mapping.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri gives up where a kernel refuses")]
    fn nothing_and_more_than_the_address_space_are_errors() {
        assert!(Mapping::new(0, 0).is_err());
        assert!(Mapping::new(usize::MAX / 2, 0).is_err());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri knows no pages")]
    fn a_mapping_that_is_dropped_is_unmapped() {
        let unmapped = || {
            let mapping = Mapping::new(16 * 4_096, 0).unwrap();
            let start = mapping.start();
            drop(mapping);
            let mut pages = [0_u8; 16];
            // SAFETY: a byte for each page; where the range is not mapped the call is refused.
            unsafe { libc::mincore(start.as_ptr().cast(), 16 * 4_096, pages.as_mut_ptr()) != 0 }
        };
        // Other tests may map something at the same place in between, though not every time.
        assert!((0..20).any(|_| unmapped()));
    }
}
