//! Names of functions as callgrind writes them.

use std::borrow::Cow;

use crate::profile::symbols::demangled;

/// A function's name without the level of recursion that callgrind tells apart (`f'2` is f called by itself), and the level,
/// 1 for the outermost.
pub(super) fn level(name: &str) -> (&str, u32) {
    let split = name.rsplit_once('\'').filter(|(function, _)| !function.is_empty());
    split.and_then(|(function, level)| Some((function, level.parse().ok()?))).unwrap_or((name, 1))
}

/// The name in the words of the source; for code without a name, the file that it is in.
pub(super) fn readable<'n>(name: &'n str, object: &str) -> Cow<'n, str> {
    if let Some(address) = name.strip_prefix("0x")
        && address.chars().all(|c| c.is_ascii_hexdigit())
    {
        let file = object.rsplit('/').next().unwrap_or_default();
        return if file.is_empty() { "[unknown]".into() } else { format!("[{file}]").into() };
    }
    demangled(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recursion_is_told_from_the_name() {
        assert_eq!(level("even'2"), ("even", 2));
        assert_eq!(level("even"), ("even", 1));
        assert_eq!(level("odd'name"), ("odd'name", 1));
        assert_eq!(level("'2"), ("'2", 1));
    }

    #[test]
    fn names_are_those_of_the_source_or_of_the_file() {
        assert_eq!(readable("_ZN5small4even17h7c6105234be42f0eE", ""), "small::even");
        assert_eq!(readable("_RNvNtCs1234_5mylib3foo3bar", ""), "mylib::foo::bar");
        assert_eq!(readable("_ZN3foo3barEiPKc", ""), "foo::bar");
        assert_eq!(readable("(below main)", "x"), "(below main)");
        assert_eq!(readable("0x0000000000014c40", "/usr/lib/libgcc_s.so.1"), "[libgcc_s.so.1]");
        assert_eq!(readable("0x14c40", ""), "[unknown]");
    }
}
