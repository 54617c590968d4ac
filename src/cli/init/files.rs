//! Files that are to be written: what stands in their places, and writing all of them or none.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::advise::patch::{Edit, diff};
use crate::units;

/// What stands where a file is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing.
    New,
    /// The same text.
    Same,
    /// Another text.
    Differs,
    /// No plain file of text: a folder, a link, other bytes.
    NoFile,
}

/// What stands in a place.
enum Old {
    Nothing,
    Text(String),
    Other,
}

/// A file that is to be written.
pub(super) struct Draft {
    /// From the top of the project, with slashes.
    pub(super) name: String,
    path: PathBuf,
    text: String,
    old: Old,
}

impl Draft {
    /// The file `name` below `top`, with this text.
    ///
    /// # Errors
    /// Where it can't be told what stands there.
    pub(super) fn new(top: &Path, name: &str, text: String) -> Result<Self> {
        let path = top.join(name);
        let old = old(&path).with_context(|| format!("looking at {}", path.display()))?;
        Ok(Self { name: name.to_owned(), path, text, old })
    }

    pub(super) fn state(&self) -> State {
        match &self.old {
            Old::Nothing => State::New,
            Old::Text(old) if *old == self.text => State::Same,
            Old::Text(_) => State::Differs,
            Old::Other => State::NoFile,
        }
    }

    /// The file's name, and what would become of it: its size, or how it differs.
    pub(super) fn shown(&self) -> String {
        let name = &self.name;
        match &self.old {
            Old::Nothing => format!("{name}: new, {}", units::bytes(self.text.len() as f64)),
            Old::Text(old) if *old == self.text => format!("{name}: is there already"),
            Old::Text(old) => {
                let edit = Edit { path: name.clone(), old: Some(old.clone()), new: self.text.clone() };
                format!("{name}: differs\n{}", diff(&edit))
            }
            Old::Other => format!("{name}: is there, and no plain text file"),
        }
    }

    /// Where the text is written before it takes its place.
    fn beside(&self) -> PathBuf {
        self.path.with_extension("perfplan-new")
    }
}

fn old(path: &Path) -> Result<Old> {
    let kind = match path.symlink_metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Old::Nothing),
        Err(error) => return Err(error.into()),
    };
    // What a link leads to is not this project's to write.
    let text = if kind.is_file() { String::from_utf8(fs::read(path)?).ok() } else { None };
    Ok(text.map_or(Old::Other, Old::Text))
}

/// Writes what is not there yet, and says how many files that were. All texts are on the disk before the first takes its place:
/// a full disk or a folder that can't be written to leaves everything as it was.
///
/// # Errors
/// Where a file can't be written.
pub(super) fn write(drafts: &[Draft]) -> Result<usize> {
    let changed: Vec<&Draft> = drafts.iter().filter(|draft| draft.state() != State::Same).collect();
    let ready = changed.iter().try_for_each(|draft| put(&draft.beside(), &draft.text));
    let placed = ready.and_then(|()| changed.iter().try_for_each(|draft| take_place(draft)));
    if placed.is_err() {
        changed.iter().for_each(|draft| drop(fs::remove_file(draft.beside())));
    }
    placed.map(|()| changed.len())
}

fn put(path: &Path, text: &str) -> Result<()> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.with_context(|| format!("writing {}", path.display()))
}

fn take_place(draft: &Draft) -> Result<()> {
    fs::rename(draft.beside(), &draft.path).with_context(|| format!("writing {}", draft.path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(top: &Path, name: &str) -> Draft {
        Draft::new(top, name, "text\n".to_owned()).unwrap()
    }

    #[test]
    fn new_files_are_told_with_their_size_and_others_with_their_difference() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(draft(folder.path(), "a/b.yml").shown(), "a/b.yml: new, 5 B");
        fs::write(folder.path().join("c"), "other\n").unwrap();
        let shown = draft(folder.path(), "c").shown();
        assert!(shown.contains("-other\n") && shown.contains("+text\n"), "{shown}");
        assert_eq!(write(&[draft(folder.path(), "a/b.yml"), draft(folder.path(), "c")]).unwrap(), 2);
        assert_eq!(draft(folder.path(), "c").state(), State::Same);
        assert_eq!(write(&[draft(folder.path(), "c")]).unwrap(), 0);
    }

    #[test]
    fn links_folders_and_bytes_are_no_files_to_replace() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        fs::write(folder.path().join("bytes"), [0xff, 0xfe]).unwrap();
        for name in ["folder", "link", "bytes"] {
            assert_eq!(draft(folder.path(), name).state(), State::NoFile, "{name}");
        }
    }

    #[test]
    fn where_one_file_cannot_be_written_none_is() {
        let folder = tempfile::tempdir().unwrap();
        let drafts = [draft(folder.path(), "good"), draft(folder.path(), "bad/file")];
        // Meanwhile something has taken the place of the folder.
        fs::write(folder.path().join("bad"), "").unwrap();
        assert!(write(&drafts).is_err());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["bad"]);
    }
}
