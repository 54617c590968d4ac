//! The programs on the way: linked with relocations, counting, in their new order.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::tool::Bolt;
use crate::build::Link;
use crate::build::record::OUTPUT;
use crate::process::{self, Spec};

/// Why no layouts are drawn of a program that BOLT made.
pub const NO_LAYOUT: &str = "BOLT has ordered the code";

/// What takes the symbols away that relocations refer to.
const STRIPPING: [&str; 3] = ["-Wl,--strip-all", "-Wl,-s", "-s"];

/// How much of a program a training run reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Functions in the program.
    pub functions: u64,
    /// Those of them that ran in training.
    pub ran: u64,
}

/// Does the link again with the relocations kept, and without debug info, which BOLT would drop anyway. Nothing is compiled,
/// and the code is that of the program as cargo linked it.
///
/// # Errors
/// Where the linker fails, with its own words: not every linker can keep relocations.
pub fn relink(link: &Link, output: &Path) -> Result<()> {
    let named = output.to_str().context("the target folder's path is not UTF-8")?;
    let kept = link.arguments.iter().filter(|word| !STRIPPING.contains(&word.as_str()));
    let arguments = kept.map(|word| word.replace(OUTPUT, named));
    let spec = Spec::new(&link.linker).args(arguments).args(["-Wl,--strip-debug", "-Wl,--emit-relocs"]);
    process::run(&spec)?.check("linking with relocations, for BOLT")?;
    Ok(())
}

impl Bolt {
    /// Makes `into` of `program`: each process of it writes what it counted to a file of its own in the folder `counts`, when
    /// it ends. `into` must stay where it is, for it reads its own tables.
    ///
    /// # Errors
    /// Where BOLT can't process the program, with its own words.
    pub fn instrument(&self, program: &Path, into: &Path, counts: &Path) -> Result<()> {
        let mut spec = Spec::new(&self.program)
            .arg(program)
            .args(["-instrument", "-instrumentation-file-append-pid", "-o"])
            .arg(into)
            .arg(format!("-instrumentation-file={}", counts.join("count").display()));
        if self.binpath {
            // Without it the program asks the kernel where it lies, in a way that not every container allows.
            spec = spec.arg(format!("-instrumentation-binpath={}", into.display()));
        }
        process::run(&spec)?.check("BOLT's making a program that counts")?;
        Ok(())
    }

    /// Makes `into` of `program`: blocks and functions in the order that the profile suggests, and what never ran apart from
    /// what did.
    ///
    /// # Errors
    /// Where BOLT can't process the program, with its own words, or the profile has nothing of it.
    pub fn reorder(&self, program: &Path, profile: &Path, into: &Path) -> Result<Coverage> {
        let temporary = into.with_extension(format!("tmp.{}", std::process::id()));
        let spec = Spec::new(&self.program)
            .arg(program)
            .arg("-o")
            .arg(&temporary)
            .arg(format!("-data={}", profile.display()))
            .args(["-reorder-blocks=ext-tsp", "-split-functions", "-split-all-cold"])
            .arg(format!("-reorder-functions={}", if self.cache_directed { "cdsort" } else { "hfsort" }));
        let output = process::run(&spec)?.check("BOLT's putting the code in order")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let coverage = covered(&text).with_context(|| format!("BOLT does not say what it has ordered:\n{text}"))?;
        ensure!(coverage.ran > 0, "BOLT knows no function of the profile {}", profile.display());
        fs::rename(&temporary, into).with_context(|| format!("creating {}", into.display()))?;
        Ok(coverage)
    }
}

/// Reads `BOLT-INFO: 44 out of 537 functions in the binary (8.2%) have non-empty execution profile`.
fn covered(text: &str) -> Option<Coverage> {
    let line = text.lines().find(|line| line.contains("non-empty execution profile"))?;
    let (ran, rest) = line.strip_prefix("BOLT-INFO: ")?.split_once(" out of ")?;
    Some(Coverage { functions: rest.split(' ').next()?.parse().ok()?, ran: ran.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bolt_says_of_its_work_is_read() {
        // Of llvm-bolt 19.1.7.
        let text = "BOLT-INFO: enabling relocation mode\n\
                    BOLT-INFO: 44 out of 537 functions in the binary (8.2%) have non-empty execution profile\n\
                    BOLT-INFO: 3 functions with profile could not be optimized\n";
        assert_eq!(covered(text), Some(Coverage { functions: 537, ran: 44 }));
        assert_eq!(covered("BOLT-INFO: enabling relocation mode\n"), None);
    }
}
