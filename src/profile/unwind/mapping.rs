//! Code that a process has mapped.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::profile::symbols::Segment;

/// A range of a process's memory that code runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// Bytes.
    pub length: u64,
    /// Where in the file it begins, bytes.
    pub offset: u64,
    /// The file, or the kernel's word for what is no file: `[vdso]`, `//anon`.
    pub path: PathBuf,
}

impl Mapping {
    /// All executable mappings of a process as it is now.
    ///
    /// # Errors
    /// Where the process is gone, or its mappings may not be read.
    pub fn all_of(pid: u32) -> io::Result<Vec<Self>> {
        Ok(fs::read_to_string(format!("/proc/{pid}/maps"))?.lines().filter_map(Self::executable).collect())
    }

    /// The mapping of a line of `/proc/PID/maps`, `None` where no code runs in it.
    ///
    /// ```text
    /// 55d9c0a3f000-55d9c0a84000 r-xp 00010000 fd:01 1234    /usr/bin/program
    /// ```
    fn executable(line: &str) -> Option<Self> {
        let mut rest = line;
        let mut field = || {
            let (field, behind) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = behind.trim_start();
            field
        };
        let (range, access, offset, _device, _inode) = (field(), field(), field(), field(), field());
        if !access.contains('x') {
            return None;
        }
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let (start, end) = range.split_once('-')?;
        let (start, end) = (hex(start)?, hex(end)?);
        Some(Self { start, length: end.checked_sub(start)?, offset: hex(offset)?, path: unescaped(rest).into() })
    }

    /// The first address behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    /// What is to be taken away from an address in the mapping, modulo 2^64, to get the address that the linker stated.
    /// `None` where none of the file's executable segments lies in it.
    ///
    /// Other segments do not count: lld lets one end and the next begin within a page of the file, and that page is then
    /// mapped with both.
    pub(super) fn bias(&self, segments: &[Segment]) -> Option<u64> {
        let end = self.offset.saturating_add(self.length);
        let shared = |segment: &Segment| {
            let first = segment.offset.max(self.offset);
            segment.offset.saturating_add(segment.size).min(end).saturating_sub(first)
        };
        let executable = segments.iter().filter(|segment| segment.executable && shared(segment) > 0);
        let segment = executable.max_by_key(|segment| shared(segment))?;
        let stated = segment.address.wrapping_add(self.offset).wrapping_sub(segment.offset);
        Some(self.start.wrapping_sub(stated))
    }
}

/// The kernel writes a newline in a path as `\012`.
fn unescaped(path: &str) -> String {
    path.replace("\\012", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(start: u64, length: u64, offset: u64) -> Mapping {
        Mapping { start, length, offset, path: PathBuf::new() }
    }

    fn segment(address: u64, offset: u64, size: u64, executable: bool) -> Segment {
        Segment { address, offset, size, executable }
    }

    #[test]
    fn a_line_of_maps_is_taken_apart() {
        let line = "55d9c0a3f000-55d9c0a84000 r-xp 00010000 fd:01 1234    /tmp/a b (deleted)";
        let mapping = Mapping::executable(line).unwrap();
        assert_eq!((mapping.start, mapping.length, mapping.offset), (0x55d9_c0a3_f000, 0x45000, 0x10000));
        assert_eq!(mapping.path, PathBuf::from("/tmp/a b (deleted)"));
        assert_eq!(Mapping::executable("7f0000000000-7f0000001000 rw-p 00000000 00:00 0 "), None);
        assert_eq!(
            Mapping::executable("7f0000000000-7f0000001000 r-xp 00000000 00:00 0").unwrap().path,
            PathBuf::new()
        );
    }

    #[test]
    fn one_segment_for_all_is_mapped_where_it_lies() {
        let whole = [segment(0, 0, 0x5000, true)];
        assert_eq!(mapping(0x7000_0000, 0x5000, 0).bias(&whole), Some(0x7000_0000));
    }

    /// As lld lays a program out: data that is only read ends within the page of the file in which the code begins, and
    /// addresses run ahead of offsets by a page for each segment.
    #[test]
    fn code_that_begins_within_a_page_of_data_is_found_at_its_own_address() {
        let segments = [segment(0, 0, 0x1540, false), segment(0x2540, 0x1540, 0x3000, true)];
        let code = mapping(0x5555_0000_2000, 0x4000, 0x1000);
        let bias = code.bias(&segments).unwrap();
        assert_eq!(bias, 0x5555_0000_0000);
        // The first instruction: 0x540 bytes into the mapping.
        assert_eq!(code.start + 0x540 - bias, 0x2540);
    }

    #[test]
    fn a_program_with_fixed_addresses_has_no_bias() {
        let segments = [segment(0x40_0000, 0, 0x1000, false), segment(0x40_1000, 0x1000, 0x2000, true)];
        assert_eq!(mapping(0x40_1000, 0x2000, 0x1000).bias(&segments), Some(0));
    }

    #[test]
    fn of_two_executable_segments_the_one_that_fills_the_mapping_counts() {
        let segments = [segment(0x1000, 0x1000, 0x1800, true), segment(0x60_2800, 0x2800, 0x4000, true)];
        let second = mapping(0x7000_0000, 0x5000, 0x2000);
        assert_eq!(second.bias(&segments), Some(0x7000_0000 - 0x60_2000));
    }

    #[test]
    fn a_library_that_was_linked_to_a_high_address_has_a_negative_bias() {
        let segments = [segment(0xffff_0000, 0, 0x1000, true)];
        let bias = mapping(0x1000, 0x1000, 0).bias(&segments).unwrap();
        assert_eq!(0x1010_u64.wrapping_sub(bias), 0xffff_0010);
    }

    #[test]
    fn a_mapping_of_no_code_has_no_bias() {
        assert_eq!(mapping(0x1000, 0x1000, 0x9000).bias(&[segment(0, 0, 0x1000, true)]), None);
        assert_eq!(mapping(0x1000, 0x1000, 0).bias(&[segment(0, 0, 0x1000, false)]), None);
    }
}
