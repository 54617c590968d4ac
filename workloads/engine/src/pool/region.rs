//! Memory straight from the kernel, on huge pages where it gives them.

use std::io;
use std::ptr::NonNull;

use super::pages::Pages;
use crate::mapping::Mapping;

/// The bytes of a huge page on x86-64 and, with 4 KB base pages, on AArch64.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// Zeroed memory of one mapping.
pub(super) struct Region {
    /// Frees it all.
    _mapping: Mapping,
    /// Where the usable bytes begin, and how many there are.
    start: NonNull<u8>,
    bytes: usize,
    pages: Pages,
}

// SAFETY: a region owns its mapping, and `start` points into it; its bytes are reached only through the pointers
// of `bytes`, and whoever follows one answers for exclusive access. So moving it to a thread and sharing `&Region`
// between threads is sound.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// `bytes` with every page present already, so that first use faults nowhere.
    ///
    /// # Errors
    /// Where the kernel has no memory.
    pub(super) fn present(bytes: usize) -> io::Result<Self> {
        Ok(Self::whole(Mapping::new(bytes, libc::MAP_POPULATE)?, Pages::Ordinary))
    }

    /// `pages` of 2 MB, aligned to their size: reserved huge pages where the administrator set enough aside and this process
    /// may have them, else transparent ones where the system gives them, else ordinary memory: [`Region::pages`] says which.
    ///
    /// # Errors
    /// Where the kernel has no memory.
    pub(super) fn huge(pages: usize) -> io::Result<Self> {
        let bytes = pages * HUGE_PAGE;
        if let Ok(mapping) = Mapping::new(bytes, libc::MAP_HUGETLB | libc::MAP_HUGE_2MB).and_then(populated) {
            return Ok(Self::whole(mapping, Pages::Reserved));
        }
        // One page more than needed, so that an aligned start lies inside.
        let mapping = Mapping::new(bytes + HUGE_PAGE, 0)?;
        // SAFETY: an aligned address is less than one huge page away, and there is one more than `bytes` need.
        let start = unsafe { mapping.start().add(mapping.start().align_offset(HUGE_PAGE)) };
        Ok(Self { _mapping: mapping, start, bytes, pages: transparent(start, bytes) })
    }

    fn whole(mapping: Mapping, pages: Pages) -> Self {
        Self { start: mapping.start(), bytes: mapping.bytes(), _mapping: mapping, pages }
    }

    /// The pages that it lies on; of transparent ones the first, which is the only one that is there from the start.
    pub(super) fn pages(&self) -> Pages {
        self.pages
    }

    /// Where `size` bytes from `offset` on lie: readable, writable, initialised (the kernel zeroes them), and there as long as
    /// the region is.
    ///
    /// # Panics
    /// Where the range is not inside the region.
    #[inline]
    pub(super) fn bytes(&self, offset: usize, size: usize) -> NonNull<[u8]> {
        assert!(offset <= self.bytes && size <= self.bytes - offset, "{size} bytes at {offset} of {}", self.bytes);
        // SAFETY: the range is inside the mapping, as just asserted.
        NonNull::slice_from_raw_parts(unsafe { self.start.add(offset) }, size)
    }
}

/// A mapping whose pages are all present and writable now; else it is gone. A container may map more reserved pages than it may
/// have (the `hugetlb` controller of its group), and would be killed (`SIGBUS`) by the first touch of one that it may not.
fn populated(mapping: Mapping) -> io::Result<Mapping> {
    // SAFETY: the range is our own mapping; pages that appear hold zeroes, and those that are there already stay.
    let answer = unsafe { libc::madvise(mapping.start().as_ptr().cast(), mapping.bytes(), libc::MADV_POPULATE_WRITE) };
    if answer == 0 { Ok(mapping) } else { Err(io::Error::last_os_error()) }
}

/// Asks for transparent huge pages in a range of a mapping of ours, and touches the first to see what comes.
fn transparent(start: NonNull<u8>, bytes: usize) -> Pages {
    if cfg!(miri) {
        return Pages::Ordinary;
    }
    // SAFETY: the range lies inside our own mapping. The call is advice, so a refusal is no error.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
    // SAFETY: the range is writable, nobody else knows of it yet, and it holds zeroes already.
    unsafe { start.write_volatile(0) };
    Pages::at(start.addr().get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_writable_to_its_end_and_huge_pages_are_aligned() {
        for region in [Region::present(4_096).unwrap(), Region::huge(2).unwrap()] {
            // SAFETY: the only reference.
            let bytes = unsafe { region.bytes(0, region.bytes).as_mut() };
            // Miri takes minutes for all of them.
            let step = if cfg!(miri) { 4_096 } else { 1 };
            assert!(bytes.iter().step_by(step).all(|&byte| byte == 0));
            bytes.fill(0xff);
        }
        assert_eq!(Region::huge(1).unwrap().start.addr().get() % HUGE_PAGE, 0);
    }

    #[test]
    fn the_pages_are_those_that_the_kernel_says_after_all_is_touched() {
        let region = Region::huge(1).unwrap();
        // SAFETY: the only reference.
        unsafe { region.bytes(0, HUGE_PAGE).as_mut() }.fill(1);
        if region.pages() != Pages::Reserved && !cfg!(miri) {
            assert_eq!(region.pages(), Pages::at(region.start.addr().get()));
        }
        assert_eq!(Region::present(4_096).unwrap().pages(), Pages::Ordinary);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri knows no pages")]
    fn a_mapping_is_populated_to_its_end() {
        let mapping = Mapping::new(16 * 4_096, 0).unwrap();
        assert_eq!(mapping.present(), 0);
        assert_eq!(populated(mapping).unwrap().present(), 16);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri knows no pages")]
    fn a_mapping_that_can_not_be_populated_is_an_error() {
        let mapping = Mapping::new(16 * 4_096, 0).unwrap();
        // SAFETY: our own mapping. Pages that may not be written stand for those that there are not.
        unsafe { libc::mprotect(mapping.start().as_ptr().cast(), 16 * 4_096, libc::PROT_READ) };
        assert!(populated(mapping).is_err());
    }

    #[test]
    #[should_panic(expected = "97 bytes at 4000 of 4096")]
    fn bytes_beyond_the_end_are_refused() {
        Region::present(4_096).unwrap().bytes(4_000, 97);
    }
}
