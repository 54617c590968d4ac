//! Names by symbol tables.

use object::{Object, ObjectSymbol, SymbolKind};

use super::Image;

/// A function of a symbol table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'data> {
    address: u64,
    /// Bytes; 0 where the table does not say, as for hand-written assembly.
    size: u64,
    name: &'data str,
}

/// The functions of a file's symbol tables, ascending.
#[derive(Debug)]
pub(super) struct Table<'data>(Vec<Entry<'data>>);

impl<'data> Table<'data> {
    /// The tables of a file, and those of its debug information, which was stripped from it.
    pub(super) fn new(image: &Image, objects: &[&object::File<'data>]) -> Self {
        let symbols = objects.iter().flat_map(|object| object.symbols().chain(object.dynamic_symbols()));
        let entries = symbols.filter_map(|symbol| {
            let function = match symbol.kind() {
                SymbolKind::Text => true,
                SymbolKind::Unknown | SymbolKind::Label => image.is_code(symbol.address()),
                _ => false,
            };
            let name = symbol.name().ok().filter(|name| !name.is_empty() && function && !symbol.is_undefined())?;
            Some(Entry { address: symbol.address(), size: symbol.size(), name })
        });
        Self::of(entries.collect())
    }

    /// Of several names for one address, the one with the largest extent counts, then the plainest.
    fn of(mut entries: Vec<Entry<'data>>) -> Self {
        let underscores = |name: &str| name.len() - name.trim_start_matches('_').len();
        entries.sort_by_key(|entry| {
            (entry.address, std::cmp::Reverse(entry.size), underscores(entry.name), entry.name.len(), entry.name)
        });
        entries.dedup_by_key(|entry| entry.address);
        Self(entries)
    }

    /// The function that an address lies in.
    pub(super) fn name(&self, address: u64) -> Option<&'data str> {
        let behind = self.0.partition_point(|entry| entry.address <= address);
        let entry = self.0[..behind].last()?;
        (entry.size == 0 || address - entry.address < entry.size).then_some(entry.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(address: u64, size: u64, name: &str) -> Entry<'_> {
        Entry { address, size, name }
    }

    #[test]
    fn a_function_ends_where_its_size_says() {
        let table = Table::of(vec![entry(0x20, 0x10, "b"), entry(0x10, 8, "a")]);
        let names = [0xf, 0x10, 0x17, 0x18, 0x20, 0x2f, 0x30].map(|address| table.name(address));
        assert_eq!(names, [None, Some("a"), Some("a"), None, Some("b"), Some("b"), None]);
    }

    #[test]
    fn a_function_without_a_size_reaches_to_the_next() {
        let table = Table::of(vec![entry(0x10, 0, "start"), entry(0x20, 4, "next")]);
        assert_eq!([table.name(0x1f), table.name(0x20)], [Some("start"), Some("next")]);
    }

    #[test]
    fn of_two_names_the_plainer_is_taken() {
        let table = Table::of(vec![entry(0x10, 8, "_IO_puts"), entry(0x10, 8, "puts"), entry(0x10, 0, "a")]);
        assert_eq!(table.name(0x10), Some("puts"));
    }
}
