//! The files of sampled stacks: folded, as flamegraphs, and for the viewers that people have.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::git;
use crate::profile::flamegraph::{self, Differential, Side};
use crate::profile::folded::{Counted, Folded, Threads};
use crate::profile::{pprof, speedscope};

/// One profile and what it is called: in pictures, and in names of files.
pub(super) struct Titled<'a> {
    pub(super) title: String,
    pub(super) stem: String,
    pub(super) stacks: &'a Folded,
}

/// What profiles are written for.
pub(super) struct Pictures<'a> {
    pub(super) folder: &'a Path,
    /// What all of them are of: the case.
    pub(super) case: String,
    pub(super) counted: Counted,
}

impl Pictures<'_> {
    /// Writes each profile in every format, and of two the difference both ways: in the picture of one side, what the other
    /// side alone has can't be seen. Returns the files, those to look at first.
    pub(super) fn write(&self, profiles: &[Titled<'_>]) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        if let [before, after] = profiles {
            for (widths, of) in [(Side::After, after), (Side::Before, before)] {
                if !of.stacks.is_empty() {
                    let svg = self.differential(before, after, widths)?;
                    files.push(self.file("flamegraphs", &format!("{}.diff.svg", of.stem), svg.as_bytes())?);
                }
            }
        }
        for one in profiles.iter().filter(|one| !one.stacks.is_empty()) {
            files.extend(self.one(one)?);
        }
        let named: Vec<(&str, &Folded)> = profiles.iter().map(|one| (one.title.as_str(), one.stacks)).collect();
        files.push(self.file(
            "folded",
            &format!("{}.{}.speedscope.json", safe(&self.case), self.counted.word()),
            speedscope::json(&named, self.counted).as_bytes(),
        )?);
        Ok(files)
    }

    fn one(&self, one: &Titled<'_>) -> Result<[PathBuf; 3]> {
        let title = format!("{}, {}", self.case, one.title);
        let subtitle = format!("{} {}", one.stacks.total(), self.counted.word());
        let options = flamegraph::Options {
            title: &title,
            subtitle: Some(&subtitle),
            counted: self.counted,
            threads: Threads::default(),
        };
        let (sample_type, unit) = match self.counted {
            Counted::Samples => ("samples", "count"),
            Counted::Bytes => ("alloc_space", "bytes"),
            Counted::Allocations => ("alloc_objects", "count"),
            Counted::Instructions => ("instructions", "count"),
        };
        let packed = pprof::gz(one.stacks, &pprof::Options { sample_type, unit, period: None, duration: None })?;
        Ok([
            self.file("flamegraphs", &format!("{}.svg", one.stem), flamegraph::svg(one.stacks, &options)?.as_bytes())?,
            self.file("folded", &format!("{}.folded", one.stem), one.stacks.to_string().as_bytes())?,
            self.file("folded", &format!("{}.pb.gz", one.stem), &packed)?,
        ])
    }

    fn differential(&self, before: &Titled<'_>, after: &Titled<'_>, widths: Side) -> Result<String> {
        let options = Differential {
            title: &self.case,
            before: &before.title,
            after: &after.title,
            counted: self.counted,
            threads: Threads::default(),
            widths,
            normalise: true,
        };
        flamegraph::differential(before.stacks, after.stacks, &options)
    }

    fn file(&self, kind: &str, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.folder.join(kind).join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, content));
        written.with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}

/// A name as a file's: cases have slashes and colons, which give way to what no case has. Very long ones end in a digest.
pub(super) fn safe(name: &str) -> String {
    const LONGEST: usize = 120;
    let file = name.replace("::", ".").replace('/', "~").replace(' ', "-");
    match file.get(..LONGEST) {
        Some(head) if file.len() > LONGEST => {
            let digest = git::content_id(name.as_bytes()).unwrap_or_default();
            format!("{head}-{}", digest.get(..16).unwrap_or_default())
        }
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_differ_where_the_names_do_and_are_never_too_long() {
        assert_eq!(safe("engine::book/btree.release of 3f2a"), "engine.book~btree.release-of-3f2a");
        assert_ne!(safe("app::a/b"), safe("app::a-b"));
        let long = |last: char| safe(&format!("app::{}{last}", "x".repeat(190)));
        assert!(long('a').len() < 150 && long('a') != long('b'));
    }
}
