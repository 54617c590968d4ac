//! A program or library, in memory.

use std::fs::File;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSegment, SegmentFlags, elf};

use crate::profile::sampling::MappedFile;
use crate::profile::unwind::Mapping;

/// The largest file that is copied, bytes. Copies stay as they are where somebody writes into the file or cuts it short.
const MOST_COPIED: u64 = 256 << 20;

/// What makes a file that file: the same again needs no second look.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Device, inode, time of the last change in nanoseconds since 1970, bytes.
    File(u64, u64, i128, u64),
    /// The kernel's code in every process.
    Vdso,
}

impl Identity {
    /// The identity of an open file.
    ///
    /// # Errors
    /// Where the kernel does not tell.
    pub fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        let changed = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
        Ok(Self::File(found.dev(), found.ino(), changed, found.len()))
    }
}

/// A part of a file that is loaded into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins, as the linker stated it.
    pub address: u64,
    /// Where it begins in the file, bytes.
    pub offset: u64,
    /// Bytes in the file.
    pub size: u64,
    /// Whether code in it may run.
    pub executable: bool,
}

/// A program or library.
#[derive(Debug)]
pub struct Image {
    path: PathBuf,
    name: String,
    identity: Identity,
    data: Data,
    segments: Vec<Segment>,
}

/// Where an image's bytes are.
#[derive(Debug)]
enum Data {
    Mapped(MappedFile),
    Copied(Vec<u8>),
}

impl Data {
    fn of(file: &File) -> Result<Self> {
        let mut magic = [0; elf::ELFMAG.len()];
        file.read_exact_at(&mut magic, 0)?;
        ensure!(magic == elf::ELFMAG, "it is no ELF file");
        if file.metadata()?.len() > MOST_COPIED {
            return Ok(Self::Mapped(MappedFile::new(file)?));
        }
        let mut bytes = Vec::new();
        file.take(MOST_COPIED).read_to_end(&mut bytes)?;
        Ok(Self::Copied(bytes))
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(file) => file,
            Self::Copied(bytes) => bytes,
        }
    }
}

impl Image {
    /// Opens a program or library that is known by the path `path`.
    ///
    /// # Errors
    /// Where it can't be read, or is no ELF file.
    pub fn open(file: &File, path: PathBuf) -> Result<Self> {
        let (identity, data) =
            (Identity::of(file)?, Data::of(file).with_context(|| format!("reading {}", path.display()))?);
        Self::new(path, identity, data)
    }

    /// The code that the kernel maps into every process, from this one's memory; `None` where there is none.
    #[must_use]
    pub fn vdso() -> Option<Self> {
        let path = Path::new("[vdso]");
        let own = Mapping::all_of(std::process::id()).ok()?.into_iter().find(|mapping| mapping.path == path)?;
        let mut bytes = vec![0; usize::try_from(own.length).ok()?];
        File::open("/proc/self/mem").ok()?.read_exact_at(&mut bytes, own.start).ok()?;
        Self::new(path.to_owned(), Identity::Vdso, Data::Copied(bytes)).ok()
    }

    fn new(path: PathBuf, identity: Identity, data: Data) -> Result<Self> {
        let object = object::File::parse(&*data).with_context(|| format!("{} is no program", path.display()))?;
        let segments = object.segments().map(|segment| segment_of(&segment)).collect();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { path, name, identity, data, segments })
    }

    /// Where it was opened, or would have been.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name without its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells it from others.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What of it is loaded.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The lowest stated address.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.segments.iter().map(|segment| segment.address).min().unwrap_or(0)
    }

    /// All its bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Its headers; `None` where the file was damaged after it was opened.
    #[must_use]
    pub fn object(&self) -> Option<object::File<'_>> {
        object::File::parse(self.data()).ok()
    }

    /// Whether code is loaded to an address.
    #[must_use]
    pub fn is_code(&self, address: u64) -> bool {
        let holds = |segment: &Segment| segment.executable && address.wrapping_sub(segment.address) < segment.size;
        self.segments.iter().any(holds)
    }

    /// The stated addresses of a section.
    #[must_use]
    pub fn section_range(&self, name: &str) -> Option<Range<u64>> {
        let object = self.object()?;
        let section = object.section_by_name(name)?;
        Some(section.address()..section.address().checked_add(section.size())?)
    }
}

fn segment_of<'data>(segment: &impl ObjectSegment<'data>) -> Segment {
    let (offset, size) = segment.file_range();
    let executable = match segment.flags() {
        SegmentFlags::Elf { p_flags, .. } => p_flags.contains(elf::PF_X),
        _ => false,
    };
    Segment { address: segment.address(), offset, size, executable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_one_identity_and_its_copy_another() {
        let own = std::env::current_exe().unwrap();
        let open = || Image::open(&File::open(&own).unwrap(), own.clone()).unwrap();
        assert_eq!(open().identity(), open().identity());
        let copy = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy(&own, copy.path()).unwrap();
        assert_ne!(&Identity::of(copy.as_file()).unwrap(), open().identity());
    }

    #[test]
    fn code_is_in_executable_segments_only() {
        let own = std::env::current_exe().unwrap();
        let image = Image::open(&File::open(&own).unwrap(), own).unwrap();
        let text = image.section_range(".text").unwrap();
        let data = image.section_range(".data").unwrap();
        assert!(image.is_code(text.start) && image.is_code(text.end - 1));
        assert!(!image.is_code(data.start));
    }

    #[test]
    fn a_file_that_is_cut_short_after_it_was_opened_keeps_its_bytes() {
        let copy = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy("/bin/sh", copy.path()).unwrap();
        let image = Image::open(&File::open(copy.path()).unwrap(), copy.path().to_owned()).unwrap();
        copy.as_file().set_len(100).unwrap();
        assert_eq!(image.data(), std::fs::read("/bin/sh").unwrap());
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), "hello").unwrap();
        assert!(Image::open(text.as_file(), text.path().to_owned()).is_err());
    }
}
