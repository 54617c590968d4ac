//! Memory straight from the kernel, of which a node can be asked for before its pages appear.

use std::io;
use std::ptr::{self, NonNull};

use crate::mapping::Mapping;

/// Zeroed memory of one mapping, in equal blocks.
pub(super) struct Region {
    mapping: Mapping,
    block: usize,
}

impl Region {
    /// `blocks` of `block` bytes each.
    ///
    /// # Errors
    /// Where the kernel has no memory, or `blocks` is 0.
    pub(super) fn map(blocks: usize, block: usize) -> io::Result<Self> {
        let bytes = blocks.checked_mul(block).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
        Ok(Self { mapping: Mapping::new(bytes, 0)?, block })
    }

    /// Asks that pages which appear from now on are on a node, as long as it has any free (`mbind(2)`,
    /// `MPOL_PREFERRED`).
    ///
    /// # Errors
    /// Where there is no such node, where the kernel knows no nodes, and where a sandbox refuses the call.
    pub(super) fn prefer(&self, node: usize) -> io::Result<()> {
        let bits = libc::c_ulong::BITS as usize;
        let mut mask: Vec<libc::c_ulong> = vec![0; node / bits + 1];
        mask[node / bits] = 1 << (node % bits);
        let (mode, flags) = (libc::c_long::from(libc::MPOL_PREFERRED), 0 as libc::c_long);
        // The kernel takes one off the number of bits.
        let most = (mask.len() * bits + 1) as libc::c_ulong;
        let (start, bytes) = (self.mapping.start().as_ptr(), self.mapping.bytes());
        // SAFETY: the range is our own mapping, the mask is valid for reads of its bits, and no byte is changed.
        let answer = unsafe { libc::syscall(libc::SYS_mbind, start, bytes, mode, mask.as_ptr(), most, flags) };
        if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Has all pages appear, near the CPU that the calling thread runs on where nothing was asked for.
    pub(super) fn touch(&mut self) {
        // SAFETY: all bytes of our own mapping, which are initialised (the kernel zeroes them), and the only reference
        // to them.
        let bytes = unsafe { NonNull::slice_from_raw_parts(self.mapping.start(), self.mapping.bytes()).as_mut() };
        // Written as volatile, since the compiler may know that they are 0 already.
        bytes.iter_mut().step_by(4_096).for_each(|byte| {
            // SAFETY: an exclusive reference.
            unsafe { ptr::from_mut(byte).write_volatile(0) }
        });
    }

    /// Where a block lies: readable, writable, initialised, and there as long as the region is.
    ///
    /// # Panics
    /// Where there is no such block.
    #[inline]
    pub(super) fn block(&self, number: usize) -> NonNull<[u8]> {
        let blocks = self.mapping.bytes() / self.block;
        assert!(number < blocks, "block {number} of {blocks}");
        // SAFETY: the block is inside the mapping, as just asserted.
        NonNull::slice_from_raw_parts(unsafe { self.mapping.start().add(number * self.block) }, self.block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_appear_when_they_are_touched_and_blocks_are_zeroed_and_writable_to_their_end() {
        let mut region = Region::map(16, 4_096).unwrap();
        assert_eq!(region.mapping.present(), 0);
        region.touch();
        assert_eq!(region.mapping.present(), 16);
        for number in 0..16 {
            // SAFETY: the only reference to the block.
            let block = unsafe { region.block(number).as_mut() };
            assert!(block.iter().all(|&byte| byte == 0));
            block.fill(0xff);
        }
    }

    #[test]
    #[should_panic(expected = "block 2 of 2")]
    fn a_block_beyond_the_end_is_refused() {
        Region::map(2, 4_096).unwrap().block(2);
    }

    #[test]
    fn nothing_and_more_than_the_address_space_are_errors() {
        assert!(Region::map(0, 4_096).is_err());
        assert!(Region::map(usize::MAX / 4_096, 4_096).is_err());
        assert!(Region::map(usize::MAX, 4_096).is_err());
    }

    #[test]
    fn a_node_that_there_is_not_can_not_be_preferred() {
        let region = Region::map(1, 4_096).unwrap();
        let refused = region.prefer(1_000).unwrap_err().raw_os_error();
        assert!([libc::EINVAL, libc::EPERM, libc::ENOSYS].map(Some).contains(&refused), "{refused:?}");
    }
}
