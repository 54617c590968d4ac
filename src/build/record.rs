//! Recording links: the tool stands in for the linker, links as asked, and keeps what is needed to link again.
//!
//! Cargo is told that the linker is a symbolic link to this very program, called [`WRAPPER`]. Started under that name, the
//! program runs the real linker and then copies the inputs (rustc deletes its object files when the linker returns).

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use git2::{ObjectType, Oid};
use serde::{Deserialize, Serialize};

use super::cache::temporary;

/// The name under which the tool is a linker.
pub const WRAPPER: &str = "perfplan-link";
/// Environment variable: the folder that records go to.
pub(super) const RECORDS: &str = "PERFPLAN_LINKS";
/// Environment variable: the real linker.
pub(super) const LINKER: &str = "PERFPLAN_LINKER";
/// Stands for the output's path in a recorded command.
pub(super) const OUTPUT: &str = "{output}";
/// The file in a record's folder that holds the command.
const COMMAND: &str = "command.json";

/// A link as it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The program that links: `cc`, or what the user's configuration says.
    pub linker: String,
    /// Its arguments; inputs are copies that last, the output is `{output}`.
    pub arguments: Vec<String>,
}

impl Link {
    /// The link that made a file of this content, if it was recorded.
    ///
    /// # Errors
    /// Where a record stands but can't be read.
    pub fn of(records: &Path, content: &str) -> Result<Option<Self>> {
        let path = records.join(content).join(COMMAND);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        serde_json::from_slice(&text).map(Some).with_context(|| format!("{} is damaged: delete it", path.display()))
    }
}

/// The content address of a file: git's blob id.
///
/// # Errors
/// Where the file can't be read.
pub fn content_of(path: &Path) -> Result<String> {
    Ok(Oid::hash_file(ObjectType::Blob, path).with_context(|| format!("reading {}", path.display()))?.to_string())
}

/// The program's whole life when it is called as a linker. Returns the exit code.
pub fn main(arguments: Vec<OsString>) -> u8 {
    let linked = arguments.into_iter().map(into_text).collect::<Result<Vec<_>>>().and_then(|words| link(&words));
    match linked {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{WRAPPER}: {error:#}");
            1
        }
    }
}

fn into_text(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| anyhow::anyhow!("an argument is not UTF-8: {}", word.display()))
}

fn link(arguments: &[String]) -> Result<u8> {
    let linker = std::env::var(LINKER).unwrap_or_else(|_| "cc".to_owned());
    #[expect(
        clippy::disallowed_methods,
        reason = "it belongs to cargo's process group, which ends as a whole, not to one of its own"
    )]
    let status = Command::new(&linker).args(arguments).status().with_context(|| format!("running {linker}"))?;
    if !status.success() {
        return Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
    }
    if let (Ok(records), Some(target)) = (std::env::var(RECORDS), program_of(arguments)) {
        // A link that could not be recorded is a good link all the same: the row will say that layout is not averaged.
        if let Err(error) = record(Path::new(&records), &linker, arguments, &target) {
            writeln!(io::stderr(), "{WRAPPER}: the link of {} is not recorded: {error:#}", target.display())?;
        }
    }
    Ok(0)
}

/// The output, where the link makes a program that can be measured: no library, no build script.
fn program_of(arguments: &[String]) -> Option<PathBuf> {
    let at = arguments.iter().position(|word| word == "-o")?;
    let output = PathBuf::from(arguments.get(at + 1)?);
    let build_script = output.file_name()?.to_str()?.starts_with("build_script_");
    (!build_script && !arguments.iter().any(|word| word == "-shared")).then_some(output)
}

fn record(records: &Path, linker: &str, arguments: &[String], output: &Path) -> Result<()> {
    let folder = records.join(content_of(output)?);
    if folder.join(COMMAND).exists() {
        return Ok(());
    }
    let inputs = folder.join("inputs");
    fs::create_dir_all(&inputs)?;
    let output = output.to_str().context("the output's path is not UTF-8")?;
    let arguments = arguments
        .iter()
        .enumerate()
        .map(|(at, word)| if word == output { Ok(OUTPUT.to_owned()) } else { kept(word, at, &inputs) })
        .collect::<Result<_>>()?;
    let link = Link { linker: linker.to_owned(), arguments };
    // The command comes last and at once: a record with it is whole.
    let temporary = folder.join(temporary("command"));
    fs::write(&temporary, serde_json::to_vec(&link)?)?;
    fs::rename(&temporary, folder.join(COMMAND))?;
    Ok(())
}

/// The argument, with an input file in it replaced by a copy. What belongs to the toolchain stays where it is.
fn kept(word: &str, at: usize, inputs: &Path) -> Result<String> {
    if word.starts_with('@') {
        bail!("the linker was given a response file ({word})");
    }
    let (before, path) = match word.rsplit_once('=') {
        Some((option, path)) if word.starts_with('-') => (format!("{option}="), Path::new(path)),
        _ => (String::new(), Path::new(word)),
    };
    let lasting = path.components().any(|part| part.as_os_str() == "rustlib");
    if !path.is_absolute() || lasting || !path.is_file() {
        return Ok(word.to_owned());
    }
    let name = path.file_name().and_then(|name| name.to_str()).context("an input's name is not UTF-8")?;
    let copy = inputs.join(format!("{at}-{name}"));
    fs::copy(path, &copy).with_context(|| format!("copying {}", path.display()))?;
    Ok(format!("{before}{}", copy.to_str().context("the target folder's path is not UTF-8")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_programs_are_recorded() {
        assert_eq!(program_of(&words("a.o -o /t/deps/app-12")), Some("/t/deps/app-12".into()));
        assert_eq!(program_of(&words("a.o -shared -o /t/deps/libmacro.so")), None);
        assert_eq!(program_of(&words("a.o -o /t/build/x/build_script_build-12")), None);
        assert_eq!(program_of(&words("--version")), None);
    }

    #[test]
    fn inputs_are_copied_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (object, script) = (folder.path().join("a.rcgu.o"), folder.path().join("list"));
        fs::write(&object, "object").unwrap();
        fs::write(&script, "script").unwrap();
        let output = folder.path().join("app");
        fs::write(&output, "program").unwrap();
        let line =
            format!("-m64 {} -Wl,--version-script={} -lc -o {}", object.display(), script.display(), output.display());
        record(&folder.path().join("links"), "cc", &words(&line), &output).unwrap();
        fs::remove_file(&object).unwrap();

        let link = Link::of(&folder.path().join("links"), &content_of(&output).unwrap()).unwrap().unwrap();
        assert_eq!(link.arguments[0], "-m64");
        assert_eq!(fs::read_to_string(&link.arguments[1]).unwrap(), "object");
        let script = link.arguments[2].strip_prefix("-Wl,--version-script=").unwrap();
        assert_eq!(fs::read_to_string(script).unwrap(), "script");
        assert_eq!(link.arguments[3..], ["-lc", "-o", OUTPUT]);
    }

    #[test]
    fn a_program_that_was_never_linked_here_has_no_record() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Link::of(folder.path(), "0000").unwrap(), None);
    }
}
