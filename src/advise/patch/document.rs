//! A manifest being edited: values are replaced, keys added and evidence noted at their bytes, everything else stays.

use std::collections::BTreeMap;

use toml_edit::{Document, Item, Value};

use super::list::{append, line_start, newline, splice};
use super::place::{self, Misfit, Place};
use super::{Edit, File, PatchError, in_a_knob};

/// What our comments begin with.
const MARK: &str = "# perfplan: ";

/// What they end with.
const SIGNED: &str = ", by `cargo perfplan tune`";

/// What some editors put before a text. It is no part of a line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The files under edit, by path.
#[derive(Debug, Default)]
pub(super) struct Drafts(BTreeMap<String, Draft>);

impl Drafts {
    /// Opens a file, once.
    pub(super) fn open(&mut self, file: &File) -> Result<(), PatchError> {
        let text = file.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&file.text).to_owned();
        let draft = Draft { path: file.path.clone(), old: Some(file.text.clone()), text };
        draft.document()?;
        self.0.entry(file.path.clone()).or_insert(draft);
        Ok(())
    }

    /// A file that is not there yet.
    pub(super) fn create(&mut self, path: &str) {
        self.at(path);
    }

    /// A file that was opened; an empty new one where none was.
    pub(super) fn at(&mut self, path: &str) -> &mut Draft {
        let new = || Draft { path: path.to_owned(), old: None, text: String::new() };
        self.0.entry(path.to_owned()).or_insert_with(new)
    }

    /// What has changed.
    pub(super) fn edits(self) -> Vec<Edit> {
        let edits = self.0.into_values().map(|Draft { path, old, text }| {
            let marked = old.as_ref().is_some_and(|old| old.starts_with(BYTE_ORDER_MARK));
            Edit { path, old, new: if marked { format!("{BYTE_ORDER_MARK}{text}") } else { text } }
        });
        edits.filter(|edit| edit.old.as_deref().unwrap_or("") != edit.new).collect()
    }
}

/// A file under edit.
#[derive(Debug)]
pub(super) struct Draft {
    path: String,
    old: Option<String>,
    /// Without a byte order mark.
    text: String,
}

impl Draft {
    /// The text so far, read. Every edit reads it anew: manifests are small, and places move.
    pub(super) fn document(&self) -> Result<Document<&str>, PatchError> {
        read(&self.path, &self.text)
    }

    /// The value of a key, where it has one.
    pub(super) fn value(&self, path: &[&str]) -> Result<Option<Value>, PatchError> {
        let document = self.document()?;
        match place::find(&document, path).map_err(|misfit| self.refuse(misfit))? {
            Place::There { .. } => Ok(item(document.as_item(), path).and_then(Item::as_value).cloned()),
            _ => Ok(None),
        }
    }

    /// Writes `value`, which is TOML, in place of the key's own or as a new key.
    pub(super) fn set(&mut self, path: &[&str], value: &str) -> Result<(), PatchError> {
        let place = place::find(&self.document()?, path).map_err(|misfit| self.refuse(misfit))?;
        let pair = |names: usize| format!("{} = {value}", dotted(&path[names..]));
        self.text = match place {
            Place::There { value: span, .. } => splice(&self.text, span, value),
            Place::Inline { table, last, names } => append(&self.text, table, last, &pair(names)),
            Place::Line { after, names } => self.with_line(after, &pair(names)),
            Place::Table { after } => {
                let (key, table) = path.split_last().map_or(("", path), |(key, table)| (*key, table));
                self.with_table(after, &dotted(table), &format!("{} = {value}", name(key)))
            }
        };
        Ok(())
    }

    /// Replaces the entry `at` of the array at `path`.
    pub(super) fn replace(&mut self, path: &[&str], at: usize, value: &str) -> Result<(), PatchError> {
        let span = self.value(path)?.and_then(|list| list.as_array()?.get(at)?.span());
        if let Some(span) = span {
            self.text = splice(&self.text, span, value);
        }
        Ok(())
    }

    /// Adds an entry to the array at `path`, or makes an array of it.
    pub(super) fn push(&mut self, path: &[&str], value: &str) -> Result<(), PatchError> {
        let list = self.value(path)?;
        let Some(list) = list.as_ref().and_then(Value::as_array) else {
            return self.set(path, &format!("[{value}]"));
        };
        let last = list.iter().filter_map(Value::span).last();
        self.text = append(&self.text, list.span().unwrap_or_default(), last, value);
        Ok(())
    }

    /// Notes the evidence for a knob above the key at `path`: where its last note stands, else right above the key.
    pub(super) fn note(&mut self, path: &[&str], knob: &str, line: &str) -> Result<(), PatchError> {
        let Some(key_line) = self.line_of(path)? else { return Ok(()) };
        let indent: String = self.text[key_line..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        let comment = format!("{indent}{MARK}{line}{SIGNED}{}", newline(&self.text));
        let old = self.notes_above(key_line, knob);
        let at = old.first().map_or(key_line, |first| first.0);
        for (start, end) in old.into_iter().rev() {
            self.text.replace_range(start..end, "");
        }
        self.text.insert_str(at, &comment);
        Ok(())
    }

    /// Whether evidence for a knob stands above the key at `path`.
    pub(super) fn noted(&self, path: &[&str], knob: &str) -> Result<bool, PatchError> {
        Ok(self.line_of(path)?.is_some_and(|line| !self.notes_above(line, knob).is_empty()))
    }

    /// The error of a value that is not what cargo takes there.
    pub(super) fn unfit(&self, path: &[&str], expected: &str) -> PatchError {
        let place = self.document().ok().and_then(|document| place::find(&document, path).ok());
        let span = place.and_then(|place| if let Place::There { value, .. } = place { Some(value) } else { None });
        self.refuse(Misfit { span, problem: format!("`{}`: expected {expected}", path.join(".")) })
    }

    fn refuse(&self, misfit: Misfit) -> PatchError {
        PatchError::at(&self.path, &self.text, misfit.span, &misfit.problem)
    }

    /// Where the line begins that holds the key at `path`.
    fn line_of(&self, path: &[&str]) -> Result<Option<usize>, PatchError> {
        match place::find(&self.document()?, path).map_err(|misfit| self.refuse(misfit))? {
            Place::There { key, .. } => Ok(Some(line_start(&self.text, key.start))),
            _ => Ok(None),
        }
    }

    /// The lines with evidence for a knob in the block of comments that ends above `line`, each from start to end.
    fn notes_above(&self, line: usize, knob: &str) -> Vec<(usize, usize)> {
        let (mut found, mut end) = (Vec::new(), line);
        while end > 0 {
            let start = line_start(&self.text, end - 1);
            let comment = self.text[start..end].trim();
            if !comment.starts_with('#') {
                break;
            }
            let ours = comment.strip_prefix(MARK).and_then(|told| told.strip_prefix(knob));
            if ours.is_some_and(|rest| !rest.starts_with(in_a_knob)) {
                found.insert(0, (start, end));
            }
            end = start;
        }
        found
    }

    /// The text with a line behind the one that holds the byte `after`, indented like it.
    fn with_line(&self, after: usize, line: &str) -> String {
        let start = line_start(&self.text, after);
        let indent: String = self.text[start..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
        let newline = newline(&self.text);
        match self.text[after..].find('\n') {
            Some(end) => splice(&self.text, after + end + 1..after + end + 1, &format!("{indent}{line}{newline}")),
            None => format!("{}{newline}{indent}{line}{newline}", self.text),
        }
    }

    /// The text with a new table behind the line that holds the byte `after`, else at the end.
    fn with_table(&self, after: Option<usize>, header: &str, line: &str) -> String {
        let newline = newline(&self.text);
        let line_end = after.and_then(|after| Some(after + self.text[after..].find('\n')? + 1));
        let at = line_end.map_or(self.text.len(), |end| end + own_comments(&self.text[end..]));
        let (before, behind) = self.text.split_at(at);
        let gap = match before {
            "" => String::new(),
            text if text.ends_with(&newline.repeat(2)) => String::new(),
            text if text.ends_with('\n') => newline.to_owned(),
            _ => newline.repeat(2),
        };
        let below = if behind.is_empty() || behind.trim_start_matches('\r').starts_with('\n') { "" } else { newline };
        format!("{before}{gap}[{header}]{newline}{line}{newline}{below}{behind}")
    }
}

/// Reads a text as TOML.
pub(super) fn read<'t>(path: &str, text: &'t str) -> Result<Document<&'t str>, PatchError> {
    Document::parse(text).map_err(|error| PatchError::at(path, text, error.span(), error.message()))
}

/// What a path leads to.
pub(super) fn item<'d>(root: &'d Item, path: &[&str]) -> Option<&'d Item> {
    path.iter().try_fold(root, |item, name| item.get(name))
}

/// A string as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// How many bytes of comments at the start of `rest` still belong to what stands before: those that a blank line or the
/// end follows. Others belong to the next header.
fn own_comments(rest: &str) -> usize {
    let lines = rest.split_inclusive('\n');
    let block: usize = lines.take_while(|line| line.trim_start().starts_with('#')).map(str::len).sum();
    let next = rest[block..].lines().next().unwrap_or("");
    if next.trim().is_empty() { block } else { 0 }
}

/// Names as a dotted key.
fn dotted(names: &[&str]) -> String {
    names.iter().map(|one| name(one)).collect::<Vec<_>>().join(".")
}

/// A name as a key: bare where TOML allows it.
fn name(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { quoted(name) }
}
