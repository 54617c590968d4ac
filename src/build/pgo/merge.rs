//! Merging what a training run counted into one profile.
//!
//! A program that is killed leaves a damaged file; a file that LLVM can read only in part has given its first functions to
//! the merge already when the damage is found. So `--failure-mode=all` is not enough: here a damaged file is left out as a
//! whole, the rest is merged again, and every omission is told of, for a profile that shrinks in silence is how bad
//! releases were made (electron/electron#53065).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};

use super::coverage::{Coverage, Summary, summary};
use super::tool::Profdata;
use crate::build::content_of;
use crate::process::{self, Output, Spec};

/// No counter of a real training run gets there; LLVM's own limit, above which it warns of corruption.
const PLAUSIBLE: u64 = 1 << 56;
/// How many functions may be dropped for implausible counters: with more, the profile is not worth having.
const MOST_DROPPED: usize = 100;

/// A profile made of a training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The profile's file, whose name is its content address: rustc and cargo don't notice when a file of the same name
    /// changes (rust-lang/rust#100397).
    pub profile: PathBuf,
    /// What it covers.
    pub coverage: Coverage,
    /// The number of files that are in it.
    pub used: usize,
    /// The files that are not.
    pub left_out: Vec<LeftOut>,
    /// Functions that were taken out, because counters of theirs are corrupt: one such counter would make everything else
    /// look cold.
    pub dropped: BTreeSet<String>,
}

/// A file of a training run that is not in the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub file: PathBuf,
    /// Why, in LLVM's words where it has any.
    pub reason: String,
}

impl Merged {
    /// A sentence for each file and function that is not in the profile.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let files =
            self.left_out.iter().map(|out| format!("left out of the profile: {}: {}", out.file.display(), out.reason));
        let functions =
            self.dropped.iter().map(|name| format!("dropped from the profile for a corrupt counter: {name}"));
        files.chain(functions).collect()
    }
}

/// Merges all `.profraw` files in the folder `training` into a profile in the folder `into`.
///
/// Functions that did not run stay in it (no `--sparse`): that they are cold is half of what a profile tells.
///
/// # Errors
/// Where the folders can't be used, no file can be read, nothing was counted, or the counters are not those of
/// `-Cprofile-generate`.
pub fn merge(tool: &Profdata, training: &Path, into: &Path) -> Result<Merged> {
    let found = raw_files(training)?;
    let (mut usable, empty): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, length)| *length > 0);
    let mut left_out: Vec<LeftOut> =
        empty.into_iter().map(|(file, _)| LeftOut { file, reason: "it is empty".to_owned() }).collect();
    let attempt = Attempt::new(tool, into)?;
    loop {
        ensure!(!usable.is_empty(), nothing_usable(training, &left_out));
        let files: Vec<&Path> = usable.iter().map(|(file, _)| file.as_path()).collect();
        let refused = attempt.merge(&files)?;
        if refused.is_empty() {
            let dropped = attempt.drop_corrupt(&files)?;
            let coverage = attempt.judged(training)?;
            return Ok(Merged { profile: attempt.keep(into)?, coverage, used: files.len(), left_out, dropped });
        }
        usable.retain(|(file, _)| refused.iter().all(|out| out.file != *file));
        left_out.extend(refused);
    }
}

/// The files of a training run with their lengths in bytes, in the order of their names.
fn raw_files(training: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let list = || -> std::io::Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(training)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "profraw") {
                let length = fs::metadata(&path)?.len();
                files.push((path, length));
            }
        }
        files.sort();
        Ok(files)
    };
    list().with_context(|| format!("reading what the training run left in {}", training.display()))
}

fn nothing_usable(training: &Path, left_out: &[LeftOut]) -> String {
    if left_out.is_empty() {
        return format!(
            "the training run left no .profraw file in {}: its program was not built with -Cprofile-generate, was ended \
             by a signal, or had LLVM_PROFILE_FILE set to another place",
            training.display()
        );
    }
    let lines: Vec<String> = left_out.iter().map(|out| format!("{}: {}", out.file.display(), out.reason)).collect();
    format!("no .profraw file of the training run can be used:\n{}", lines.join("\n"))
}

/// A merge under way, in a folder of its own beside where the profile goes. The folder stays where the merge fails, so
/// that the command in the error can be run again.
struct Attempt<'a> {
    tool: &'a Profdata,
    folder: PathBuf,
}

impl<'a> Attempt<'a> {
    fn new(tool: &'a Profdata, into: &Path) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = into.join(format!(".merge.{}.{number}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { tool, folder })
    }

    fn merged(&self) -> PathBuf {
        self.folder.join("merged.profdata")
    }

    /// Merges the files; returns those that must be left out, after which the merge is to be done again.
    fn merge(&self, files: &[&Path]) -> Result<Vec<LeftOut>> {
        let mut refused = Vec::new();
        let output = self.run(files, None, &mut |line| refused.extend(complaint(line, files)))?;
        if output.signal.is_some() {
            return self.crashing(files, output);
        }
        output.check("merging the profiles of a training run")?;
        Ok(refused)
    }

    /// The files that the tool crashes on. Damaged ones can make it (llvm/llvm-project#212150).
    fn crashing(&self, files: &[&Path], together: Output) -> Result<Vec<LeftOut>> {
        let mut refused = Vec::new();
        for file in files {
            let alone = self.run(&[file], None, &mut |_| ())?;
            if alone.signal.is_some() {
                let reason = format!("llvm-profdata crashed on it ({})", alone.status());
                refused.push(LeftOut { file: file.to_path_buf(), reason });
            }
        }
        if refused.is_empty() {
            together.check("merging the profiles of a training run")?;
        }
        Ok(refused)
    }

    /// Takes out the functions with corrupt counters, by merging again without them.
    fn drop_corrupt(&self, files: &[&Path]) -> Result<BTreeSet<String>> {
        let corrupt: BTreeSet<String> = summary(self.tool, &self.merged(), MOST_DROPPED + 1)?
            .largest
            .into_iter()
            .filter_map(|(name, count)| (count > PLAUSIBLE).then_some(name))
            .collect();
        if corrupt.len() > MOST_DROPPED {
            bail!("more than {MOST_DROPPED} functions have corrupt counters: train again");
        }
        if !corrupt.is_empty() {
            let pattern = corrupt.iter().map(|name| literally(name)).collect::<Vec<_>>().join("|");
            self.run(files, Some(&format!("^({pattern})$")), &mut |_| ())?.check("merging without corrupt counters")?;
        }
        Ok(corrupt)
    }

    /// Calls the tool. `--failure-mode=warn`, because the others take a single corrupt counter for a reason to refuse a
    /// file that can be read (Kobzol/cargo-pgo#86).
    fn run(&self, files: &[&Path], without: Option<&str>, on_line: &mut dyn FnMut(&str)) -> Result<Output> {
        let list = self.folder.join("inputs");
        fs::write(&list, input_list(files)?).with_context(|| format!("writing {}", list.display()))?;
        let mut spec = Spec::new(&self.tool.program)
            .args(["merge", "--failure-mode=warn", "--input-files"])
            .arg(&list)
            .arg("--output")
            .arg(self.merged());
        if let Some(pattern) = without {
            spec = spec.arg(format!("--no-function={pattern}"));
        }
        process::run_with(&spec, on_line)
    }

    /// What the merged profile covers, if it is worth using. LLVM merges files without content into a valid profile.
    fn judged(&self, training: &Path) -> Result<Coverage> {
        let Summary { coverage, of_code, .. } = summary(self.tool, &self.merged(), 1)?;
        let training = training.display();
        ensure!(coverage.total_count > 0, "the training run counted nothing: the profiles in {training} are of no use");
        ensure!(of_code, "the profiles in {training} are of -Cinstrument-coverage; build with -Cprofile-generate");
        Ok(coverage)
    }

    /// Gives the profile its place under its content address. Whoever finds it there finds all of it.
    fn keep(self, into: &Path) -> Result<PathBuf> {
        let merged = self.merged();
        let profile = into.join(format!("{}.profdata", content_of(&merged)?));
        fs::rename(&merged, &profile).with_context(|| format!("creating {}", profile.display()))?;
        fs::remove_dir_all(&self.folder).with_context(|| format!("removing {}", self.folder.display()))?;
        Ok(profile)
    }
}

/// One `WEIGHT,FILE` a line: hundreds of files would not fit into a command. Without the weight, a comma in a name would
/// be taken for the end of one.
fn input_list(files: &[&Path]) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    for file in files {
        let name = file.as_os_str().as_bytes();
        if name.contains(&b'\n') {
            bail!("llvm-profdata can't be given a file with a line break in its name: {}", file.display());
        }
        list.extend_from_slice(b"1,");
        list.extend_from_slice(name);
        list.push(b'\n');
    }
    Ok(list)
}

/// What `warning: FILE: REASON` says against a file. A corrupt counter is no reason to leave out the rest of the file.
fn complaint(line: &str, files: &[&Path]) -> Option<LeftOut> {
    let rest = line.strip_prefix("warning: ")?;
    let told =
        |file: &&Path| Some((file.to_path_buf(), rest.strip_prefix(&format!("{}: ", file.display()))?.to_owned()));
    let (file, reason) = files.iter().find_map(told)?;
    (!reason.starts_with("excessively large counter value")).then_some(LeftOut { file, reason })
}

/// A POSIX extended regular expression for this text.
fn literally(text: &str) -> String {
    let escaped = |c: char| if r"()^$|*+?.[]\{}".contains(c) { vec!['\\', c] } else { vec![c] };
    text.chars().flat_map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 3] = ["/t/a.profraw", "/t/a, b.profraw", "/t/c.profraw"];

    /// Of `llvm-profdata merge --failure-mode=warn`, LLVM 22.1.8: a file with one counter overwritten, and two cut short.
    const SAID: &str = "\
warning: /t/a.profraw: excessively large counter value suggests corrupted profile data: 13612635381953553898
warning: /t/a, b.profraw: too much profile data
warning: /t/c.profraw: malformed instrumentation profile data: symbol name is empty
1 of 36 functions in the original profile are filtered.
";

    #[test]
    fn damaged_files_are_refused_and_a_corrupt_counter_is_no_damage_to_the_file() {
        let files = FILES.map(Path::new);
        let refused: Vec<LeftOut> = SAID.lines().filter_map(|line| complaint(line, &files)).collect();
        let out = |file: &str, reason: &str| LeftOut { file: file.into(), reason: reason.to_owned() };
        assert_eq!(
            refused,
            [
                out("/t/a, b.profraw", "too much profile data"),
                out("/t/c.profraw", "malformed instrumentation profile data: symbol name is empty"),
            ]
        );
    }

    #[test]
    fn the_list_of_inputs_takes_commas_and_refuses_line_breaks() {
        let list = input_list(&FILES.map(Path::new)).unwrap();
        assert_eq!(list, b"1,/t/a.profraw\n1,/t/a, b.profraw\n1,/t/c.profraw\n");
        assert!(input_list(&[Path::new("/t/a\nb.profraw")]).is_err());
    }

    #[test]
    fn names_of_functions_are_taken_literally() {
        let name = "a.1-cgu.0;_ZN4Vec$LT$T$GT$4drop17h0E";
        assert_eq!(literally(name), r"a\.1-cgu\.0;_ZN4Vec\$LT\$T\$GT\$4drop17h0E");
    }
}
