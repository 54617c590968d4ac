//! Names for addresses, each looked up once.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::damaged::careful;
use super::debug::{self, Debug, Function};
use super::demangle::{demangled, folded, is_mangled};
use super::kernel::Kernel;
use super::separate::debug_file;
use super::table::Table;
use super::{Identity, Image};

/// The functions at an address, outermost first; at least one.
type Names = Arc<[Arc<str>]>;

/// Names for addresses. What was looked up once is remembered, over rounds and for as long as the file is the same.
#[derive(Debug, Default)]
pub struct Symbols {
    files: HashMap<Identity, Known>,
    kernel: Option<Kernel>,
}

/// What is known of a file.
#[derive(Debug, Default)]
struct Known {
    names: HashMap<u64, Names>,
    /// Whether inlined functions were found of which only the last part of their names is known.
    lacks_paths: bool,
}

impl Symbols {
    /// Knows no name yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks up the names of stated addresses in a file, as far as they are not known.
    pub fn look_up(&mut self, image: &Arc<Image>, addresses: impl IntoIterator<Item = u64>) {
        let known = self.files.entry(image.identity().clone()).or_default();
        let mut unknown: Vec<u64> =
            addresses.into_iter().filter(|address| !known.names.contains_key(address)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            // Names that were found before the damage stay.
            let _ = careful(|| known.look_up(image, &unknown));
        }
    }

    /// Whether inlined functions of a file are known without their modules. Rust's `debug = "line-tables-only"` leaves that
    /// out; `debug = "limited"` has it.
    #[must_use]
    pub fn lacks_paths(&self, image: &Image) -> bool {
        self.files.get(image.identity()).is_some_and(|known| known.lacks_paths)
    }

    /// The functions at an address, outermost first: the one that was compiled, and those that were inlined into it. The
    /// file in brackets where nothing is known, or was not looked up.
    #[must_use]
    pub fn names(&self, image: &Image, address: u64) -> Names {
        let known = self.files.get(image.identity()).and_then(|known| known.names.get(&address));
        known.map_or_else(|| unnamed(image), Arc::clone)
    }

    /// The kernel's function at an address, with the ending `_[k]`.
    pub fn kernel(&mut self, address: u64) -> Arc<str> {
        self.kernel.get_or_insert_with(Kernel::running).name(address)
    }

    /// Whether the kernel shows its functions to this process.
    pub fn knows_kernel(&mut self) -> bool {
        self.kernel.get_or_insert_with(Kernel::running).is_known()
    }
}

/// `[libc.so.6]`
fn unnamed(image: &Image) -> Names {
    let name = folded(image.name());
    // The kernel's own are in brackets already: `[vdso]`.
    let name = if name.starts_with('[') { name } else { format!("[{name}]") };
    [name.into()].into()
}

impl Known {
    /// Adds names for ascending addresses. The file's tables are read for this and let go of again: they are larger than the
    /// names.
    fn look_up(&mut self, image: &Arc<Image>, addresses: &[u64]) {
        let Some(own) = image.object() else { return };
        let own_sections = debug::sections(&own);
        let separate = if own_sections.is_none() { debug_file(image) } else { None };
        let separate = separate.as_ref().and_then(Image::object);
        let sections = own_sections.or_else(|| debug::sections(separate.as_ref()?));
        let debug = sections.as_ref().and_then(|sections| careful(|| Debug::new(sections))?);
        let objects: Vec<_> = [Some(&own), separate.as_ref()].into_iter().flatten().collect();
        // Large, and of no use where debug information says everything.
        let table = LazyCell::new(|| Table::new(image, &objects));
        // Others are wrong turns of the unwinder, and addr2line counts on addresses that can be.
        for address in addresses.iter().filter(|address| image.is_code(**address)) {
            let functions = debug.as_ref().and_then(|debug| careful(|| debug.functions(*address))).unwrap_or_default();
            let is_whole = !functions.is_empty() && functions.iter().all(|function| function.is_whole);
            let symbol = if is_whole { None } else { table.name(*address) };
            if let Some(names) = self.combined(functions, symbol) {
                self.names.insert(*address, names);
            }
        }
    }

    /// The functions by debug information, and the outermost of them in the words of the symbol table where those say more.
    fn combined(&mut self, functions: Vec<Function>, symbol: Option<&str>) -> Option<Names> {
        let mangled = symbol.filter(|symbol| is_mangled(symbol));
        let mut functions = functions.into_iter();
        let outermost = match (functions.next(), mangled) {
            (Some(function), None) => function.name,
            (Some(function), Some(_)) if function.is_whole => function.name,
            (_, Some(mangled)) => demangled(mangled),
            (None, None) => demangled(symbol?),
        };
        let mut names: Vec<Arc<str>> = vec![outermost.into()];
        for inlined in functions {
            self.lacks_paths |= mangled.is_some() && !inlined.is_whole;
            names.push(inlined.name.into());
        }
        Some(names.into())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use object::{Object, ObjectSymbol};

    use super::*;

    fn own_program() -> Arc<Image> {
        let path = std::env::current_exe().unwrap();
        Arc::new(Image::open(&File::open(&path).unwrap(), path).unwrap())
    }

    /// Is looked for by its name.
    #[inline(never)]
    #[unsafe(no_mangle)]
    extern "C" fn perfplan_symbols_test_marker() -> u64 {
        std::hint::black_box(7)
    }

    #[test]
    fn a_function_is_named_by_the_address_that_the_symbol_table_gives_it() {
        assert_eq!(perfplan_symbols_test_marker(), 7);
        let image = own_program();
        let object = image.object().unwrap();
        let marker = object.symbols().find(|symbol| symbol.name() == Ok("perfplan_symbols_test_marker")).unwrap();
        let mut symbols = Symbols::new();
        symbols.look_up(&image, [marker.address()]);
        assert!(symbols.names(&image, marker.address())[0].contains("perfplan_symbols_test_marker"));
    }

    #[test]
    fn what_nothing_is_known_of_bears_the_name_of_its_file() {
        let image = own_program();
        let mut symbols = Symbols::new();
        symbols.look_up(&image, [u64::MAX]);
        assert_eq!(*symbols.names(&image, u64::MAX)[0], *format!("[{}]", image.name()));
    }

    fn combined(functions: &[(&str, bool)], symbol: Option<&str>) -> (Vec<String>, bool) {
        let function = |(name, is_whole): &(&str, bool)| Function { name: (*name).to_owned(), is_whole: *is_whole };
        let mut known = Known::default();
        let names = known.combined(functions.iter().map(function).collect(), symbol);
        (names.iter().flat_map(|names| names.iter()).map(|name| (**name).to_owned()).collect(), known.lacks_paths)
    }

    const SYMBOL: &str = "_ZN4shop3foo17h0123456789abcdefE";

    #[test]
    fn the_symbol_says_more_than_debug_information_without_paths_and_that_is_told() {
        assert_eq!(
            combined(&[("foo", false), ("bar", false)], Some(SYMBOL)),
            (vec!["shop::foo".into(), "bar".into()], true)
        );
        assert_eq!(combined(&[("foo", false)], Some(SYMBOL)), (vec!["shop::foo".into()], false));
    }

    #[test]
    fn whole_names_of_debug_information_stay() {
        let whole = [("a::foo", true), ("a::bar", true)];
        assert_eq!(combined(&whole, Some(SYMBOL)), (vec!["a::foo".into(), "a::bar".into()], false));
    }

    #[test]
    fn functions_of_c_lack_nothing() {
        assert_eq!(
            combined(&[("qsort_r", false), ("cmp", false)], Some("qsort_r")),
            (vec!["qsort_r".into(), "cmp".into()], false)
        );
        assert_eq!(combined(&[], Some("qsort_r")), (vec!["qsort_r".into()], false));
        assert_eq!(combined(&[], None), (vec![], false));
    }

    #[test]
    fn the_vdso_has_names() {
        let image = Arc::new(Image::vdso().unwrap());
        let object = image.object().unwrap();
        let function = object.dynamic_symbols().find(|symbol| symbol.name() == Ok("__vdso_clock_gettime"));
        let Some(function) = function else { return }; // aarch64 calls it otherwise.
        let mut symbols = Symbols::new();
        symbols.look_up(&image, [function.address() + 1]);
        assert!(symbols.names(&image, function.address() + 1)[0].ends_with("clock_gettime"));
    }
}
