//! The files that processes have mapped, each opened once.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Frame, Mapping};
use crate::profile::symbols::{Identity, Image, Symbols};

/// What the kernel adds to the path of a file that is gone.
const DELETED: &str = " (deleted)";

/// The files that processes have mapped, each opened once.
#[derive(Debug, Default)]
pub struct Images {
    all: Vec<Arc<Image>>,
    by_identity: HashMap<Identity, usize>,
}

impl Images {
    /// The number of the file behind a process's mapping; `None` for memory without a file, and for files that can't be
    /// read.
    pub fn of(&mut self, pid: u32, mapping: &Mapping) -> Option<usize> {
        if mapping.path == Path::new("[vdso]") {
            return self.keep(Image::vdso()?);
        }
        candidates(pid, mapping).into_iter().find_map(|path| {
            let file = File::open(&path).ok()?;
            let known = Identity::of(&file).ok().and_then(|identity| self.by_identity.get(&identity).copied());
            known.or_else(|| self.keep(Image::open(&file, named(&mapping.path)).ok()?))
        })
    }

    /// A file by its number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Arc<Image>> {
        self.all.get(number)
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Image>> {
        self.all.iter()
    }

    /// Looks up the names of these places in code, all of a file at once: each look-up reads the file's tables.
    pub fn look_up(&self, frames: impl IntoIterator<Item = Frame>, symbols: &mut Symbols) {
        let mut addresses: HashMap<usize, Vec<u64>> = HashMap::new();
        for frame in frames {
            if let Frame::Code { image, address } = frame {
                addresses.entry(image).or_default().push(address);
            }
        }
        for (number, addresses) in addresses {
            if let Some(image) = self.get(number) {
                symbols.look_up(image, addresses);
            }
        }
    }

    fn keep(&mut self, image: Image) -> Option<usize> {
        let next = self.all.len();
        let number = *self.by_identity.entry(image.identity().clone()).or_insert(next);
        if number == next {
            self.all.push(Arc::new(image));
        }
        Some(number)
    }
}

/// The path without the kernel's remark.
fn named(path: &Path) -> PathBuf {
    path.to_str().and_then(|path| path.strip_suffix(DELETED)).map_or_else(|| path.to_owned(), PathBuf::from)
}

/// Where the file behind a mapping may be opened, the surest first: the mapping's own link, for those who may follow it;
/// the path as the process sees it, and as this process does. What stands at the path of a deleted file is another file.
fn candidates(pid: u32, mapping: &Mapping) -> Vec<PathBuf> {
    if !mapping.path.is_absolute() {
        return Vec::new();
    }
    let mut paths = vec![PathBuf::from(format!("/proc/{pid}/map_files/{:x}-{:x}", mapping.start, mapping.end()))];
    if named(&mapping.path) == mapping.path {
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        paths.extend(mapping.path.strip_prefix("/").map(|path| root.join(path)));
        paths.push(mapping.path.clone());
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(word: &str) -> Mapping {
        let all = Mapping::all_of(std::process::id()).unwrap();
        all.into_iter().find(|mapping| mapping.path.to_string_lossy().contains(word)).unwrap()
    }

    #[test]
    fn a_file_is_opened_once() {
        let mut images = Images::default();
        let libc = own("libc.so");
        let number = images.of(std::process::id(), &libc).unwrap();
        assert_eq!(images.of(std::process::id(), &libc), Some(number));
        assert_eq!(images.get(number).unwrap().name(), "libc.so.6");
    }

    #[test]
    fn the_vdso_is_an_image_like_others() {
        let mut images = Images::default();
        let vdso = own("[vdso]");
        let number = images.of(std::process::id(), &vdso).unwrap();
        assert!(vdso.bias(images.get(number).unwrap().segments()).is_some());
    }

    #[test]
    fn memory_without_a_file_has_no_image() {
        let anonymous = Mapping { start: 0x1000, length: 0x1000, offset: 0, path: "//anon".into() };
        assert_eq!(Images::default().of(std::process::id(), &anonymous), None);
    }

    #[test]
    fn what_stands_at_the_path_of_a_deleted_file_is_not_taken_for_it() {
        let gone = Mapping { start: 0x1000, length: 0x1000, offset: 0, path: "/bin/sh (deleted)".into() };
        assert_eq!(Images::default().of(std::process::id(), &gone), None);
    }
}
