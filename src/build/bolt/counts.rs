//! Merging what a training run counted into one profile.
//!
//! Every process leaves a text file, one line per branch that it took or function that it called: where from, where to, how
//! often it was mispredicted, how often it was taken. Merging is adding up, as BOLT's own `merge-fdata` does.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::build::content_of;
use crate::build::pgo::LeftOut;

/// A profile made of a training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The profile's file; its name is its content address.
    pub profile: PathBuf,
    /// The number of files that are in it.
    pub used: usize,
    /// The files that are not.
    pub left_out: Vec<LeftOut>,
}

impl Merged {
    /// A sentence for each file that is not in the profile.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let sentence = |out: &LeftOut| format!("left out of BOLT's profile: {}: {}", out.file.display(), out.reason);
        self.left_out.iter().map(sentence).collect()
    }
}

/// What was counted: by branch, how often it was mispredicted and how often taken.
type Counts = BTreeMap<String, (u64, u64)>;

/// Merges all `.fdata` files in the folder `counts` into a profile in the folder `into`. A file that a killed process left
/// half written is left out as a whole.
///
/// # Errors
/// Where the folders can't be used, no file can be read, or nothing was counted.
pub fn merge(counts: &Path, into: &Path) -> Result<Merged> {
    let (mut sum, mut used, mut left_out) = (Counts::new(), 0, Vec::new());
    for file in files(counts).with_context(|| format!("reading what the training run left in {}", counts.display()))? {
        match fs::read_to_string(&file).map_err(anyhow::Error::from).and_then(|text| parse(&text)) {
            Ok(found) => {
                used += 1;
                add(&mut sum, found);
            }
            Err(error) => left_out.push(LeftOut { file, reason: format!("{error:#}") }),
        }
    }
    ensure!(!sum.is_empty(), nothing_counted(counts, &left_out));
    Ok(Merged { profile: write(&sum, into)?, used, left_out })
}

/// The files of a training run, in the order of their names.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let mut files: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "fdata")).collect();
    files.sort();
    Ok(files)
}

fn parse(text: &str) -> Result<Counts> {
    if !text.ends_with('\n') {
        bail!("its end is missing");
    }
    let mut counts = Counts::new();
    for line in text.lines() {
        let branch = read(line).with_context(|| format!("it has a line that tells of no branch: {line:?}"))?;
        add(&mut counts, [branch]);
    }
    Ok(counts)
}

/// `1 main 3f 1 sort 0 2 17`: kind, function and offset where it started and where it led, mispredicted, taken.
fn read(line: &str) -> Option<(String, (u64, u64))> {
    let mut words = line.rsplitn(3, ' ');
    let (taken, mispredicted, branch) = (words.next()?, words.next()?, words.next()?);
    Some((branch.to_owned(), (mispredicted.parse().ok()?, taken.parse().ok()?)))
}

fn add(sum: &mut Counts, found: impl IntoIterator<Item = (String, (u64, u64))>) {
    for (branch, (mispredicted, taken)) in found {
        let counts = sum.entry(branch).or_default();
        *counts = (counts.0.saturating_add(mispredicted), counts.1.saturating_add(taken));
    }
}

fn nothing_counted(folder: &Path, left_out: &[LeftOut]) -> String {
    let mut text = format!("the training run left no counts for BOLT in {}", folder.display());
    for out in left_out {
        // Writing into a String does not fail.
        let _ = write!(text, "\n{}: {}", out.file.display(), out.reason);
    }
    text
}

/// Writes the profile to its place under its content address. Whoever finds it there finds all of it.
fn write(counts: &Counts, into: &Path) -> Result<PathBuf> {
    let lines = counts.iter().map(|(branch, (mispredicted, taken))| format!("{branch} {mispredicted} {taken}\n"));
    let temporary = into.join(format!(".merged.{}", std::process::id()));
    let keep = || {
        fs::create_dir_all(into)?;
        fs::write(&temporary, lines.collect::<String>())?;
        let profile = into.join(format!("{}.fdata", content_of(&temporary)?));
        fs::rename(&temporary, &profile)?;
        anyhow::Ok(profile)
    };
    keep().with_context(|| format!("writing a profile into {}", into.display()))
}
