//! What is mapped where in a process.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use framehop::{MayAllocateDuringUnwind, Unwinder as _, UnwinderNative};

use super::tables::{Ranges, Tables};
use super::{Images, Mapping};
use crate::profile::symbols::{Bytes, careful};

/// framehop's unwinder for the architecture that this is built for.
pub(super) type Native = UnwinderNative<Bytes, MayAllocateDuringUnwind>;

/// A place in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// In a file: its number among the [`Images`], and the address as the linker stated it.
    Code {
        /// The file's number.
        image: usize,
        /// The stated address of the instruction, or of the last byte of the call.
        address: u64,
    },
    /// In the kernel.
    Kernel(u64),
    /// In memory that no file stands behind: code made at run time, or a wrong turn.
    Unknown,
}

/// What is mapped where in a process, and how to unwind there.
#[derive(Clone, Default)]
pub struct AddressSpace {
    /// By the first address.
    modules: BTreeMap<u64, Placed>,
    pub(super) usual: Native,
    /// For the code that only `.debug_frame` tells of.
    pub(super) other: Native,
}

/// A file's code at its place.
#[derive(Clone)]
struct Placed {
    end: u64,
    image: usize,
    bias: u64,
    /// What `other` is to be asked for.
    other: Arc<Ranges>,
}

impl AddressSpace {
    /// A process as it is now.
    ///
    /// # Errors
    /// Where the process is gone, or its mappings may not be read.
    pub fn of(pid: u32, images: &mut Images) -> io::Result<Self> {
        let mut space = Self::default();
        for mapping in Mapping::all_of(pid)? {
            space.map(pid, &mapping, images);
        }
        Ok(space)
    }

    /// Takes up a mapping that the process `pid` made. What was there is gone, also where the new one can't be read.
    pub fn map(&mut self, pid: u32, mapping: &Mapping, images: &mut Images) {
        let end = mapping.end();
        let covered = |(start, placed): (&u64, &Placed)| (placed.end > mapping.start).then_some(*start);
        let gone: Vec<u64> = self.modules.range(..end).filter_map(covered).collect();
        for start in gone {
            self.modules.remove(&start);
            self.usual.remove_module(start);
            self.other.remove_module(start);
        }
        let Some(number) = images.of(pid, mapping) else { return };
        let Some(image) = images.get(number) else { return };
        let Some(bias) = mapping.bias(image.segments()) else { return };
        let other = careful(|| Tables::new(image, mapping, bias)).and_then(|tables| {
            self.usual.add_module(tables.usual);
            let (module, ranges) = tables.other?;
            self.other.add_module(module);
            Some(ranges)
        });
        let placed = Placed { end, image: number, bias, other: other.unwrap_or_default().into() };
        self.modules.insert(mapping.start, placed);
    }

    /// The place in code of an address of this process.
    #[must_use]
    pub fn locate(&self, address: u64) -> Frame {
        match self.placed(address) {
            Some(placed) => Frame::Code { image: placed.image, address: address.wrapping_sub(placed.bias) },
            None => Frame::Unknown,
        }
    }

    /// The unwinder that knows most of the code at an address.
    pub(super) fn unwinder_at(&self, address: u64) -> &Native {
        let placed = self.placed(address);
        let other = placed.is_some_and(|placed| placed.other.contain(address.wrapping_sub(placed.bias)));
        if other { &self.other } else { &self.usual }
    }

    fn placed(&self, address: u64) -> Option<&Placed> {
        let (_, placed) = self.modules.range(..=address).next_back()?;
        (address < placed.end).then_some(placed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn libc() -> Mapping {
        let all = Mapping::all_of(std::process::id()).unwrap();
        all.into_iter().find(|mapping| mapping.path.to_string_lossy().contains("libc.so")).unwrap()
    }

    #[test]
    fn an_address_is_found_in_the_file_that_is_mapped_there_and_nowhere_else() {
        let mut images = Images::default();
        let space = AddressSpace::of(std::process::id(), &mut images).unwrap();
        let libc = libc();
        let Frame::Code { image, address } = space.locate(libc.start + 0x100) else { panic!("not found") };
        assert_eq!(images.get(image).unwrap().name(), "libc.so.6");
        assert!(images.get(image).unwrap().segments().iter().any(|segment| {
            segment.executable && (segment.address..segment.address + segment.size).contains(&address)
        }));
        assert_eq!(space.locate(8), Frame::Unknown);
    }

    #[test]
    fn what_is_mapped_over_is_gone() {
        let mut images = Images::default();
        let mut space = AddressSpace::of(std::process::id(), &mut images).unwrap();
        let libc = libc();
        let over = Mapping { start: libc.start + 0x1000, length: 0x1000, offset: 0, path: "//anon".into() };
        space.map(std::process::id(), &over, &mut images);
        assert_eq!(space.locate(libc.start + 0x100), Frame::Unknown);
        space.map(std::process::id(), &libc, &mut images);
        assert_ne!(space.locate(libc.start + 0x100), Frame::Unknown);
    }
}
