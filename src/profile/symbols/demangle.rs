//! Names as people wrote them.

use std::fmt::{self, Write};

use cpp_demangle::DemangleOptions;

/// The longest name that is written out, bytes. Symbols that refer to their own parts can stand for megabytes.
const LONGEST: usize = 64 << 10;

/// A symbol in the words of the source: Rust's without their hashes, C++'s without parameters. `;`, which separates the
/// frames of folded stacks, becomes `:`, and what would break a line a space. What would be too long stays as it is.
pub fn demangled(raw: &str) -> String {
    let name = match rustc_demangle::try_demangle(raw) {
        Ok(name) => written(|short| write!(short, "{name:#}")),
        Err(_) => cpp(raw),
    };
    folded(name.as_deref().unwrap_or(raw))
}

/// A name that refuses to become too long.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// `None` where it became too long.
fn written(write: impl FnOnce(&mut Short) -> fmt::Result) -> Option<String> {
    let mut short = Short(String::new());
    write(&mut short).ok().map(|()| short.0)
}

/// Whether a symbol says in which modules its function is: Rust's and C++'s do.
pub(super) fn is_mangled(raw: &str) -> bool {
    raw.starts_with("_R") || raw.starts_with("_Z")
}

/// A name as it may stand in a folded stack.
pub fn folded(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c == ';' {
                ':'
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}

fn cpp(raw: &str) -> Option<String> {
    if !raw.starts_with("_Z") {
        return None;
    }
    let options = DemangleOptions::new().no_params().no_return_type();
    let symbol = cpp_demangle::Symbol::new(raw).ok()?;
    written(|short| symbol.structured_demangle(short, &options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_loses_its_hashes_in_both_manglings() {
        assert_eq!(demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"), "core::fmt::Formatter::pad");
        assert_eq!(demangled("_RNvNtCs1234_4shop3foo3bar"), "shop::foo::bar");
        assert_eq!(demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.123"), "core::fmt::Formatter::pad");
    }

    #[test]
    fn cpp_loses_its_parameters() {
        assert_eq!(demangled("_ZN3foo3barEiPKc"), "foo::bar");
        assert_eq!(demangled("_ZNSt6vectorIiSaIiEE9push_backEOi"), "std::vector<int, std::allocator<int> >::push_back");
    }

    #[test]
    fn a_name_that_doubles_again_and_again_stays_raw() {
        // S0_ is P; S1_ is P<int, int>; each one behind it is made of the one before, twice.
        let symbol = |last| {
            let digits = (1..=last).filter_map(|digit| char::from_digit(digit, 36));
            let pairs: String = digits.map(|n| n.to_ascii_uppercase()).map(|n| format!("S0_IS{n}_S{n}_E")).collect();
            format!("_Z1fI1PIiiE{pairs}Evv")
        };
        let (short, long) = (symbol(1), symbol(24));
        assert_eq!(demangled(&short), "f<P<int, int>, P<P<int, int>, P<int, int> > >");
        assert_eq!(demangled(&long), long);
    }

    #[test]
    fn c_stays_as_it_is() {
        assert_eq!(demangled("__memmove_avx_unaligned_erms"), "__memmove_avx_unaligned_erms");
        assert_eq!(demangled("_Zebra"), "_Zebra");
    }

    #[test]
    fn no_name_breaks_a_folded_line() {
        assert_eq!(folded("<[u8; 4] as\nX>"), "<[u8: 4] as X>");
    }
}
