//! Finding valgrind, the command line, and the files that come of it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::parse::{Dump, parse};
use crate::process;

/// The beginning of the files' names; the process id follows, and for dumps on request a number.
const FILE: &str = "callgrind.out.";

/// Whether what a program starts is counted as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// Only the program itself.
    Left,
    /// All that it starts, each in files of its own.
    Followed,
}

/// Valgrind's callgrind, installed here.
#[derive(Clone, Debug)]
pub struct Callgrind {
    valgrind: PathBuf,
}

impl Callgrind {
    /// Looks for valgrind in the `PATH`.
    ///
    /// # Errors
    /// Where it is not there; the error says how to get it.
    pub fn find() -> Result<Self> {
        let valgrind = process::find_program("valgrind").context(
            "instructions can't be counted here: valgrind is not installed \
             (`apt-get install valgrind`, `dnf install valgrind`, ...)",
        )?;
        Ok(Self { valgrind })
    }

    /// The words to put before a program and its arguments. The files go into `folder`, which has to be there and belongs to
    /// this one run.
    #[must_use]
    pub fn prefix(&self, folder: &Path, children: Children) -> Vec<OsString> {
        let follow = children == Children::Followed;
        let mut file = OsString::from("--callgrind-out-file=");
        file.push(unexpanded(folder));
        file.push(format!("/{FILE}%p"));
        let words = [
            "-q",
            "--tool=callgrind",
            "--dump-instr=no",
            "--dump-line=no",
            "--compress-strings=yes",
            "--compress-pos=yes",
            "--collect-atstart=yes",
            "--separate-threads=no",
            // The first level of each recursion apart from the deeper ones: what it cost includes theirs.
            "--separate-recs=2",
            // The tool has a say in how names are shown.
            "--demangle=no",
            "--vgdb=no",
            if follow { "--trace-children=yes" } else { "--trace-children=no" },
        ];
        let first = self.valgrind.clone().into_os_string();
        std::iter::once(first).chain(words.map(OsString::from)).chain([file]).collect()
    }
}

/// All dumps in the folder, by process and in the order they were made.
///
/// # Errors
/// Where there is none, or a file can't be read or is not sound ([`parse`]).
pub fn read(folder: &Path) -> Result<Vec<Dump>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut dumps = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", folder.display()))?;
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.strip_prefix(FILE)).map(process_of) else {
            continue;
        };
        let path = entry.path();
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        // Callgrind makes the file for a program's end when that begins; one that is killed leaves it empty.
        if !bytes.is_empty() {
            let found = parse(&bytes).with_context(|| path.display().to_string())?;
            dumps.extend(found.into_iter().map(|dump| (process, dump)));
        }
    }
    anyhow::ensure!(!dumps.is_empty(), "callgrind wrote nothing into {}", folder.display());
    dumps.sort_by_key(|(process, dump)| (*process, dump.part));
    Ok(dumps.into_iter().map(|(_, dump)| dump).collect())
}

/// The process id that follows the beginning of a file's name; 0 where it is none.
fn process_of(rest: &str) -> u32 {
    rest.split(['.', '-']).next().and_then(|id| id.parse().ok()).unwrap_or(0)
}

/// A path that valgrind takes as it is: it replaces `%p` and the like.
fn unexpanded(path: &Path) -> OsString {
    let bytes = path.as_os_str().as_bytes();
    let doubled = bytes.iter().flat_map(|byte| if *byte == b'%' { vec![b'%'; 2] } else { vec![*byte] });
    OsString::from_vec(doubled.collect())
}
