//! Reading a run from bytes that nobody vouches for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use super::validate::{format_is_known, validate};
use crate::samples::Run;

/// The largest file that is read, in bytes.
pub(super) const LARGEST: u64 = 512 << 20;

/// What all formats of a run have, so that a newer one is refused by its number.
#[derive(Deserialize)]
pub(super) struct Format {
    pub(super) format: u32,
}

/// Reads a run from a file such as `run.json`.
///
/// # Errors
/// Where the file can't be read, is larger than 512 MiB, is no run (with line and column), comes from a newer version of
/// the tool, or fails [`validate`].
pub fn read_run(path: &Path) -> Result<Run> {
    parse(&read(path)?).with_context(|| format!("{} can't be used as a run", path.display()))
}

/// All of a plain file of a decent size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let about = std::fs::metadata(path).with_context(|| format!("{shown} can't be read"))?;
    // Opening a pipe would wait for somebody to write to it.
    if !about.is_file() {
        bail!("{shown} is not a file");
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("{shown} can't be read"))?;
    // One byte more than allowed tells that there is more, even if the file grows meanwhile.
    file.take(LARGEST + 1).read_to_end(&mut bytes).with_context(|| format!("{shown} can't be read"))?;
    if bytes.len() as u64 > LARGEST {
        bail!("{shown} is larger than 512 MiB: split the run with filters");
    }
    Ok(bytes)
}

/// A run from JSON, checked.
pub(super) fn parse(bytes: &[u8]) -> Result<Run> {
    let run = decode(bytes)?;
    validate(&run).map_err(anyhow::Error::msg)?;
    Ok(run)
}

/// A run from JSON, of which nothing is known yet but that it has a format of this version and all that a run has.
pub(super) fn decode(bytes: &[u8]) -> Result<Run> {
    if bytes.is_empty() {
        bail!("it is empty: run the measurement again, or `cargo perfplan run --resume`");
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let newer = serde_json::from_slice::<Format>(bytes).ok().and_then(|head| format_is_known(head.format).err());
        newer.map_or_else(|| unreadable(&error), anyhow::Error::msg)
    })
}

/// What serde says (with line and column), and what to do.
fn unreadable(error: &serde_json::Error) -> anyhow::Error {
    if error.is_eof() {
        return anyhow!("{error}: the file was cut short; copy it again, or `cargo perfplan run --resume`");
    }
    anyhow!("{error}: the file is damaged or no run of this tool; restore it or measure again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::complete;

    fn failure(content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some-run.json");
        std::fs::write(&path, content).unwrap();
        let said = format!("{:#}", read_run(&path).unwrap_err());
        assert!(said.contains("some-run.json"), "{said}");
        said
    }

    fn text() -> String {
        serde_json::to_string_pretty(&complete("r")).unwrap()
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        std::fs::write(&path, text()).unwrap();
        assert_eq!(read_run(&path).unwrap(), complete("r"));
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        let text = text();
        let cut = failure(&text.as_bytes()[..text.len() / 2]);
        assert!(cut.contains("line") && cut.contains("column") && cut.contains("cut short"), "{cut}");
        let huge_number = failure(text.replace("4096.0", "1e999").as_bytes());
        assert!(huge_number.contains("number out of range at line"), "{huge_number}");
        let climbing = failure(text.replace("generator::redb/cached", "generator::../../etc").as_bytes());
        assert!(climbing.contains("begins with a dot") && climbing.contains("line"), "{climbing}");
        for junk in [&b"\xff\xfe\x00"[..], b"[]", b"null", b"{}", b"\x00\x00\x00", "[".repeat(100_000).as_bytes()] {
            assert!(failure(junk).contains("line 1"), "{junk:?}");
        }
        assert!(failure(b"").contains("empty"));
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number_even_if_it_looks_different() {
        assert!(failure(br#"{"format":7,"everything":"else"}"#).contains("format 7 is newer than 1"));
        assert!(failure(text().replace("\"format\": 1", "\"format\": 2").as_bytes()).contains("update the tool"));
    }

    #[test]
    fn a_run_that_makes_no_sense_is_refused() {
        assert!(failure(text().replace("\"arm\": 1", "\"arm\": 9").as_bytes()).contains("arm 9 of 2"));
    }

    #[test]
    fn folders_pipes_and_huge_files_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_run(folder.path()).unwrap_err().to_string().contains("not a file"));
        let path = folder.path().join("huge.json");
        let huge = File::create(&path).unwrap();
        huge.set_len(LARGEST + 1).unwrap();
        assert!(format!("{:#}", read_run(&path).unwrap_err()).contains("larger than 512 MiB"));
        assert!(format!("{:#}", read_run(&folder.path().join("absent")).unwrap_err()).contains("can't be read"));
        assert!(read_run(Path::new("/dev/zero")).unwrap_err().to_string().contains("not a file"));
    }
}
