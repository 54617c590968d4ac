//! On which pages memory lies, as the kernel tells.

use std::fs;

/// The kind of page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// Of the smallest size.
    Ordinary,
    /// Huge ones that the kernel made, and may split again.
    Transparent,
    /// Huge ones that the administrator set aside.
    Reserved,
}

impl Pages {
    /// As a metric: 0 for ordinary, 0.5 for transparent, 1 for reserved.
    pub(super) fn as_metric(self) -> f64 {
        match self {
            Self::Ordinary => 0.0,
            Self::Transparent => 0.5,
            Self::Reserved => 1.0,
        }
    }

    /// What the kernel gave for the mapping at `address`, which is touched already and was to be transparent. A permission
    /// tells nothing: where memory is short or the system's switch is off, the advice is taken and nothing happens.
    pub(super) fn at(address: usize) -> Self {
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        match huge_kilobytes(&smaps, address) {
            None | Some(0) => Self::Ordinary,
            Some(_) => Self::Transparent,
        }
    }
}

/// `AnonHugePages` of the mapping that holds `address`.
///
/// ```text
/// 7f0a00000000-7f0a01400000 rw-p 00000000 00:00 0
/// Size:              20480 kB
/// AnonHugePages:      2048 kB
/// ```
fn huge_kilobytes(smaps: &str, address: usize) -> Option<u64> {
    let mut lines = smaps.lines().skip_while(|line| !mapping(line).is_some_and(|mapping| mapping.contains(&address)));
    lines.next()?;
    let mut fields = lines.take_while(|line| mapping(line).is_none());
    let huge = fields.find_map(|line| line.strip_prefix("AnonHugePages:"))?;
    huge.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The addresses of a mapping, where the line begins one.
fn mapping(line: &str) -> Option<std::ops::Range<usize>> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
7f0a00000000-7f0a01400000 rw-p 00000000 00:00 0
Size:              20480 kB
AnonHugePages:      2048 kB
VmFlags: rd wr mr mw me ac hg
7f0a01400000-7f0a01401000 rw-p 00000000 00:00 0                          [heap]
Size:                  4 kB
VmFlags: rd wr
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0                          [vdso]
AnonHugePages:         0 kB
";

    #[test]
    fn the_mapping_that_holds_the_address_is_asked_and_no_other() {
        assert_eq!(huge_kilobytes(SMAPS, 0x7f0a_0000_0000), Some(2_048));
        assert_eq!(huge_kilobytes(SMAPS, 0x7f0a_013f_ffff), Some(2_048));
        assert_eq!(
            huge_kilobytes(SMAPS, 0x7f0a_0140_0000),
            None,
            "says nothing, and its neighbours' words are not its own"
        );
        assert_eq!(huge_kilobytes(SMAPS, 0x7ffc_0000_0000), Some(0));
        assert_eq!(huge_kilobytes(SMAPS, 0x1000), None);
        assert_eq!(huge_kilobytes("", 0), None);
    }

    #[test]
    fn an_address_that_is_not_mapped_lies_on_no_huge_page() {
        assert_eq!(Pages::at(1), Pages::Ordinary);
    }
}
