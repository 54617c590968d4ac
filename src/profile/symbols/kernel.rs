//! Names of the kernel's functions.

use std::fs;
use std::ops::Range;
use std::sync::Arc;

use super::demangle::folded;

/// What inferno, and flame graphs in general, know the kernel's functions by.
const SUFFIX: &str = "_[k]";

/// The kernel's functions.
#[derive(Debug)]
pub(super) struct Kernel {
    /// Lines of `address kind name [module]`.
    text: String,
    /// Where functions begin and where in the text their names stand, ascending by address.
    functions: Vec<(u64, Range<usize>)>,
}

impl Kernel {
    /// The kernel that runs. Empty where it does not show its addresses to this process: they are all 0 then.
    pub(super) fn running() -> Self {
        Self::parse(fs::read_to_string("/proc/kallsyms").unwrap_or_default())
    }

    fn parse(text: String) -> Self {
        let mut functions = Vec::new();
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            functions.extend(function(line).map(|(address, name)| (address, begin + name.start..begin + name.end)));
            begin += line.len();
        }
        functions.sort_by_key(|(address, _)| *address);
        Self { text, functions }
    }

    /// Whether there are names at all.
    pub(super) fn is_known(&self) -> bool {
        !self.functions.is_empty()
    }

    /// The function that an address lies in.
    pub(super) fn name(&self, address: u64) -> Arc<str> {
        let behind = self.functions.partition_point(|(start, _)| *start <= address);
        let name = behind.checked_sub(1).map_or("[kernel]", |at| &self.text[self.functions[at].1.clone()]);
        format!("{}{SUFFIX}", folded(name)).into()
    }
}

/// The address of a function, and where in the line its name stands.
fn function(line: &str) -> Option<(u64, Range<usize>)> {
    let (address, rest) = line.split_once(' ')?;
    let (kind, rest) = rest.split_once(' ')?;
    let address = u64::from_str_radix(address, 16).ok().filter(|address| *address != 0)?;
    let begin = line.len() - rest.len();
    let length = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
    matches!(kind, "t" | "T" | "w" | "W").then_some((address, begin..begin + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_function_is_the_last_that_begins_before_the_address() {
        let text = "ffffffff81000000 T _stext\nffffffff81000100 t do_one\t[mod]\nffffffff81000080 D data\nffffffff81000200 W weak\n";
        let kernel = Kernel::parse(text.to_owned());
        assert_eq!(&*kernel.name(0xffff_ffff_8100_00ff), "_stext_[k]");
        assert_eq!(&*kernel.name(0xffff_ffff_8100_0180), "do_one_[k]");
        assert_eq!(&*kernel.name(0x1000), "[kernel]_[k]");
    }

    #[test]
    fn hidden_addresses_are_no_names() {
        let kernel = Kernel::parse("0000000000000000 T _stext\n0000000000000000 T do_one\n".to_owned());
        assert!(!kernel.is_known());
        assert_eq!(&*kernel.name(0xffff_ffff_8100_0180), "[kernel]_[k]");
    }
}
