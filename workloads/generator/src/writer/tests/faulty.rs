//! A file system in memory, whose n-th step can fail.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::writer::disk::Files;

/// A write takes at most so many bytes, so that a file is written in many steps and can break off at any.
const SHORT: usize = 300;

/// The step that fails, from 0.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// This one alone: a disk that was full for a moment.
    Once(usize),
    /// This one and all behind it.
    From(usize),
}

#[derive(Clone, Default)]
pub(super) struct Faulty(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, Vec<u8>>,
    fault: Option<Fault>,
    steps: usize,
    opened: usize,
}

impl State {
    fn step(&mut self) -> io::Result<()> {
        let step = self.steps;
        self.steps += 1;
        match self.fault {
            Some(Fault::Once(at)) if step == at => Err(ErrorKind::StorageFull.into()),
            Some(Fault::From(at)) if step >= at => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<&mut Vec<u8>> {
        self.files.get_mut(path).ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Faulty {
    pub(super) fn with(fault: Fault) -> Self {
        let faulty = Self::default();
        faulty.state().fault = Some(fault);
        faulty
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.state().files.clone()
    }

    /// Steps that were tried.
    pub(super) fn steps(&self) -> usize {
        self.state().steps
    }

    /// How many times a file was opened.
    pub(super) fn opened(&self) -> usize {
        self.state().opened
    }
}

impl Files for Faulty {
    type File = OpenFile;

    fn check_folder(&self, _: &Path) -> io::Result<()> {
        self.state().step()
    }

    fn create(&self, path: &Path) -> io::Result<OpenFile> {
        let mut state = self.state();
        state.step()?;
        state.files.insert(path.to_owned(), Vec::new());
        state.opened += 1;
        Ok(OpenFile { faulty: self.clone(), path: path.to_owned() })
    }

    fn append(&self, path: &Path) -> io::Result<OpenFile> {
        let mut state = self.state();
        state.step()?;
        state.file(path)?;
        state.opened += 1;
        Ok(OpenFile { faulty: self.clone(), path: path.to_owned() })
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        state.file(path)?.truncate(length as usize);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.step()?;
        let content = state.files.remove(from).ok_or(ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }
}

/// A file open for writing at its end.
pub(super) struct OpenFile {
    faulty: Faulty,
    path: PathBuf,
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.faulty.state();
        state.step()?;
        let taken = &bytes[..bytes.len().min(SHORT)];
        state.file(&self.path)?.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
