//! The unwind tables of a file, as framehop takes them.

use std::sync::Arc;

use addr2line::gimli::{BaseAddresses, CieOrFde, DebugFrame, EhFrame, EndianSlice, NativeEndian, UnwindSection};
use framehop::{ExplicitModuleSectionInfo, Module};

use super::Mapping;
use crate::profile::symbols::{Bytes, Image};

/// In the header of `.eh_frame_hdr`: how the table's entries are written, and that there is none.
const TABLE_ENCODING: usize = 3;
const NO_TABLE: u8 = 0xff;
/// Bytes of an address.
const ADDRESS_SIZE: u8 = 8;

/// What framehop knows of a mapping.
pub(super) struct Tables {
    /// By `.eh_frame`, which nearly all code has.
    pub(super) usual: Module<Bytes>,
    /// By `.debug_frame`, which compilers write for code that can't unwind: and the addresses that only it covers.
    pub(super) other: Option<(Module<Bytes>, Ranges)>,
}

impl Tables {
    /// The tables of a file that is mapped with a bias.
    pub(super) fn new(image: &Arc<Image>, mapping: &Mapping, bias: u64) -> Self {
        let usual = module(
            image,
            mapping,
            bias,
            ExplicitModuleSectionInfo {
                eh_frame_hdr: image.section(".eh_frame_hdr").filter(has_table),
                eh_frame_hdr_svma: image.section_range(".eh_frame_hdr"),
                eh_frame: image.section(".eh_frame"),
                eh_frame_svma: image.section_range(".eh_frame"),
                ..sections(image)
            },
        );
        let other = image.section(".debug_frame").and_then(|debug_frame| {
            let only = Ranges::of_debug_frame(&debug_frame).without(&Ranges::of_eh_frame(image));
            let sections = ExplicitModuleSectionInfo { debug_frame: Some(debug_frame), ..sections(image) };
            (!only.0.is_empty()).then(|| (module(image, mapping, bias, sections), only))
        });
        Self { usual, other }
    }
}

/// Whether an `.eh_frame_hdr` has the table that makes it worth having. Without one, framehop makes its own index.
fn has_table(header: &Bytes) -> bool {
    header.get(TABLE_ENCODING).is_some_and(|encoding| *encoding != NO_TABLE)
}

/// What both kinds of tables refer to.
fn sections(image: &Image) -> ExplicitModuleSectionInfo<Bytes> {
    ExplicitModuleSectionInfo {
        base_svma: image.base(),
        text_svma: image.section_range(".text"),
        got_svma: image.section_range(".got"),
        ..ExplicitModuleSectionInfo::default()
    }
}

fn module(image: &Image, mapping: &Mapping, bias: u64, sections: ExplicitModuleSectionInfo<Bytes>) -> Module<Bytes> {
    let base = bias.wrapping_add(image.base());
    Module::new(image.name().to_owned(), mapping.start..mapping.end(), base, sections)
}

/// Ranges of stated addresses, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    pub(super) fn contain(&self, address: u64) -> bool {
        let behind = self.0.partition_point(|(start, _)| *start <= address);
        behind.checked_sub(1).is_some_and(|at| address < self.0[at].1)
    }

    /// These, without those that begin within one of the others: both tell of whole functions.
    fn without(mut self, others: &Self) -> Self {
        self.0.retain(|(start, _)| !others.contain(*start));
        self
    }

    fn of_debug_frame(bytes: &[u8]) -> Self {
        let mut section = DebugFrame::from(EndianSlice::new(bytes, NativeEndian));
        section.set_address_size(ADDRESS_SIZE);
        Self::of(&section, &BaseAddresses::default())
    }

    fn of_eh_frame(image: &Arc<Image>) -> Self {
        let start = |name| image.section_range(name).map_or(0, |range| range.start);
        let bases =
            BaseAddresses::default().set_eh_frame(start(".eh_frame")).set_text(start(".text")).set_got(start(".got"));
        let Some(bytes) = image.section(".eh_frame") else { return Self::default() };
        let mut section = EhFrame::from(EndianSlice::new(&bytes, NativeEndian));
        section.set_address_size(ADDRESS_SIZE);
        Self::of(&section, &bases)
    }

    /// What a section's entries cover; a damaged rest is left out.
    fn of<'b, S: UnwindSection<EndianSlice<'b, NativeEndian>>>(section: &S, bases: &BaseAddresses) -> Self {
        let mut ranges = Vec::new();
        let mut entries = section.entries(bases);
        while let Ok(Some(entry)) = entries.next() {
            let CieOrFde::Fde(partial) = entry else { continue };
            if let Ok(fde) = partial.parse(S::cie_from_offset) {
                ranges.push((fde.initial_address(), fde.end_address()));
            }
        }
        ranges.sort_unstable();
        Self(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_start_and_not_its_end() {
        let ranges = Ranges(vec![(0x10, 0x20), (0x40, 0x50)]);
        let held: Vec<u64> = (0..0x60).step_by(8).filter(|address| ranges.contain(*address)).collect();
        assert_eq!(held, [0x10, 0x18, 0x40, 0x48]);
    }

    #[test]
    fn what_both_tables_cover_is_left_to_the_usual_one() {
        let (debug, usual) = (Ranges(vec![(0x10, 0x20), (0x40, 0x50)]), Ranges(vec![(0x40, 0x50)]));
        assert_eq!(debug.without(&usual), Ranges(vec![(0x10, 0x20)]));
    }
}
