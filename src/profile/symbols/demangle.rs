//! Names as people wrote them.

use cpp_demangle::DemangleOptions;

/// A symbol in the words of the source: Rust's without their hashes, C++'s without parameters. `;`, which separates the
/// frames of folded stacks, becomes `:`, and what would break a line a space.
pub fn demangled(raw: &str) -> String {
    let name = match rustc_demangle::try_demangle(raw) {
        Ok(name) => format!("{name:#}"),
        Err(_) => cpp(raw).unwrap_or_else(|| raw.to_owned()),
    };
    folded(&name)
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
    cpp_demangle::Symbol::new(raw).ok()?.demangle_with_options(&options).ok()
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
    fn c_stays_as_it_is() {
        assert_eq!(demangled("__memmove_avx_unaligned_erms"), "__memmove_avx_unaligned_erms");
        assert_eq!(demangled("_Zebra"), "_Zebra");
    }

    #[test]
    fn no_name_breaks_a_folded_line() {
        assert_eq!(folded("<[u8; 4] as\nX>"), "<[u8: 4] as X>");
    }
}
