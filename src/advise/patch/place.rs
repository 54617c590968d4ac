//! Where in a text a key stands, or where it would go. Tables with a header, dotted keys and inline tables each have their
//! own place for a new key; a key in the wrong one is a second definition of its table, which TOML forbids.

use std::ops::Range;

use toml_edit::{Document, InlineTable, Item, Key, Table, Value};

/// The place of a key, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It stands there.
    There { key: Range<usize>, value: Range<usize> },
    /// Into the braces of `table`, behind its `last` entry; there it has the names from `names` on.
    Inline { table: Range<usize>, last: Option<Range<usize>>, names: usize },
    /// Onto a line behind the one that holds the byte `after`; there it has the names from `names` on.
    Line { after: usize, names: usize },
    /// Into a new table with a header, behind the line that holds the byte `after`, else at the end.
    Table { after: Option<usize> },
}

/// Something on the way to the key, or the key itself, is no table or no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) span: Option<Range<usize>>,
    pub(super) problem: String,
}

/// The tables passed on the way to a key.
struct Way<'d> {
    /// The last one that encloses its keys: by a header, by braces, or as the document.
    base: Holder<'d>,
    /// How many names lead to `base`.
    names: usize,
    /// The last one, which dotted keys may have made.
    here: Holder<'d>,
}

#[derive(Clone, Copy)]
enum Holder<'d> {
    Table(&'d Table),
    Inline(&'d InlineTable),
}

impl<'d> Holder<'d> {
    fn get(self, name: &str) -> Option<(&'d Key, &'d Item)> {
        match self {
            Self::Table(table) => table.get_key_value(name),
            Self::Inline(table) => table.get_key_value(name),
        }
    }
}

/// Finds the place of the key `path`, whose last name is the key's own.
pub(super) fn find(document: &Document<&str>, path: &[&str]) -> Result<Place, Misfit> {
    let root = Holder::Table(document.as_table());
    let mut way = Way { base: root, names: 0, here: root };
    for (at, name) in path.iter().enumerate() {
        let last = at + 1 == path.len();
        match way.here.get(name) {
            None => return Ok(way.free(last)),
            Some((key, Item::Value(value))) if last => {
                let (Some(key), Some(value)) = (key.span(), value.span()) else { break };
                return Ok(Place::There { key, value });
            }
            Some((_, Item::Table(table))) if !last => way.enter(Holder::Table(table), table.is_dotted(), at + 1),
            Some((_, Item::Value(Value::InlineTable(table)))) if !last => {
                way.enter(Holder::Inline(table), table.is_dotted(), at + 1);
            }
            Some((key, _)) => {
                let problem = if last { "expected a value, not a table" } else { "expected a table" };
                return Err(Misfit { span: key.span(), problem: format!("`{name}`: {problem}") });
            }
        }
    }
    Err(Misfit { span: None, problem: format!("`{}`: no place for it", path.join(".")) })
}

impl<'d> Way<'d> {
    fn enter(&mut self, table: Holder<'d>, dotted: bool, names: usize) {
        self.here = table;
        if !dotted {
            (self.base, self.names) = (table, names);
        }
    }

    /// The place of a key that `here` does not have; `last` where only the key's own name is missing.
    fn free(&self, last: bool) -> Place {
        let names = self.names;
        let (base, here) = match (self.base, self.here) {
            (Holder::Inline(table), _) => {
                let last = entries(table).into_iter().max_by_key(|entry| entry.end);
                return Place::Inline { table: table.span().unwrap_or_default(), last, names };
            }
            (Holder::Table(base), Holder::Table(here)) => (base, here),
            (Holder::Table(base), Holder::Inline(_)) => (base, base),
        };
        let headed = names == 0 || !base.is_implicit();
        if here.is_dotted() || (last && headed) {
            Place::Line { after: own_end(here).or(here.span().map(|span| span.end)).unwrap_or(0), names }
        } else {
            Place::Table { after: if names == 0 { None } else { whole_end(base) } }
        }
    }
}

/// The entries of an inline table, each from its last name to the end of its value.
fn entries(table: &InlineTable) -> Vec<Range<usize>> {
    let pairs = table.iter().filter_map(|(name, _)| table.get_key_value(name));
    pairs
        .flat_map(|(key, item)| match item {
            Item::Value(Value::InlineTable(inner)) if inner.is_dotted() => entries(inner),
            item => key.span().zip(item.span()).map(|(key, value)| key.start..value.end).into_iter().collect(),
        })
        .collect()
}

/// Where the last value ends that stands under a table's own header.
fn own_end(table: &Table) -> Option<usize> {
    let ends = table.iter().filter_map(|(_, item)| match item {
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(inner) if inner.is_dotted() => own_end(inner),
        _ => None,
    });
    ends.max()
}

/// Where the last line of a table and of all tables below it ends.
fn whole_end(table: &Table) -> Option<usize> {
    let below = table.iter().filter_map(|(_, item)| match item {
        Item::Table(inner) => whole_end(inner),
        Item::ArrayOfTables(inner) => inner.iter().filter_map(whole_end).max(),
        item => item.span().map(|span| span.end),
    });
    below.chain(table.span().map(|span| span.end)).max()
}
