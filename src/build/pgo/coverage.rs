//! What a profile covers, and where it did not fit the build that used it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::tool::Profdata;
use crate::process::{self, Spec};

/// Flags for rustc that make LLVM say of which functions it found no counts or others'. They change no code. Without them
/// it is silent about missing functions, and about mismatches of functions that several objects hold.
///
/// Cargo silences warnings in crates of registries unless it is called with `-vv`; then only the workspace's are told of.
pub const DIAGNOSE: [&str; 2] =
    ["-Cllvm-args=-pgo-warn-missing-function", "-Cllvm-args=-no-pgo-warn-mismatch-comdat-weak=false"];

/// What a training run reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Functions with counters in the training program.
    pub functions: u64,
    /// Those of them that ran in training.
    pub ran: u64,
    /// The sum of all counters.
    pub total_count: u64,
}

/// What `llvm-profdata show` tells of a profile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) coverage: Coverage,
    /// Whether the counters are those of `-Cprofile-generate`; those of `-Cinstrument-coverage` are not.
    pub(super) of_code: bool,
    /// The functions with the largest counters, and these; the largest first.
    pub(super) largest: Vec<(String, u64)>,
}

/// Asks for the summary of a profile, with so many of its functions that count most.
pub(super) fn summary(tool: &Profdata, profile: &Path, largest: usize) -> Result<Summary> {
    let spec =
        Spec::new(&tool.program).args(["show", "--value-cutoff=1"]).arg(format!("--topn={largest}")).arg(profile);
    let output = process::run(&spec)?.check("asking what a profile covers")?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).with_context(|| format!("{} shows no summary of a profile:\n{text}", tool.program.display()))
}

fn parse(text: &str) -> Option<Summary> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    let number = |key: &str| value(key)?.trim().parse().ok();
    let coverage = Coverage {
        functions: number("Total functions")?,
        ran: number("Number of functions with maximum count (>= 1)")?,
        total_count: number("Total count")?,
    };
    let largest = text.lines().filter_map(|line| {
        let (name, count) = line.strip_prefix("  ")?.rsplit_once(", max count = ")?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    });
    Some(Summary { coverage, of_code: value("Instrumentation level")?.starts_with("IR"), largest: largest.collect() })
}

/// The symbols of the functions that ran in training.
///
/// # Errors
/// Where the tool can't read the profile.
pub fn ran(tool: &Profdata, profile: &Path) -> Result<BTreeSet<String>> {
    let mut symbols = BTreeSet::new();
    let spec = Spec::new(&tool.program).args(["show", "--covered"]).arg(profile);
    process::run_lines(&spec, &mut |line| symbols.extend([symbol(line).to_owned()]))?
        .check("asking which functions ran")?;
    Ok(symbols)
}

/// The symbol in a name of the profile: one that only its object can see stands behind the object's name and a semicolon.
fn symbol(name: &str) -> &str {
    name.rsplit_once(';').map_or(name, |(_, symbol)| symbol)
}

/// What LLVM said about a profile in the build that uses it. Symbols are as the linker knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// Functions whose control flow is another than in training: what was counted in them is lost. With the largest
    /// counter that was lost, 0 where LLVM does not say.
    pub mismatched: BTreeMap<String, u64>,
    /// Functions that the profile does not know. Most were left out of the training program by the linker, because
    /// nothing uses them; [`Diagnostics::lost`] tells those that matter.
    pub missing: BTreeSet<String>,
    /// Why LLVM could not read the profile at all. rustc calls that a warning and builds on without.
    pub unread: Option<String>,
}

impl Diagnostics {
    /// Takes a line that cargo or rustc wrote to its standard error in the build that uses `profile`.
    pub fn take(&mut self, profile: &Path, line: &str) {
        let found = |words: &str| Some(line.split_once(words)?.1);
        let mismatch = found("function control flow change detected (hash mismatch) ")
            .or_else(|| found("function basic block count change detected (counter mismatch) "));
        if let Some((name, discarded)) = mismatch.and_then(discarded) {
            let most = self.mismatched.entry(name.to_owned()).or_default();
            *most = discarded.max(*most);
        } else if let Some((name, _)) = found("no profile data available for function ").and_then(discarded) {
            self.missing.insert(name.to_owned());
        } else if let Some((name, _)) =
            found("Inconsistent number of counts in ").and_then(|rest| rest.split_once(": "))
        {
            self.mismatched.entry(name.to_owned()).or_default();
        } else if line.contains("warning") {
            let reason = found(&format!("{}: ", profile.display())).map(str::to_owned);
            self.unread = self.unread.take().or(reason);
        }
    }

    /// The missing functions that did run in training: a function that only its object can see is filed under that
    /// object, and when rustc divides a changed crate into other units, its counts are not found again.
    pub fn lost<'a>(&'a self, ran: &'a BTreeSet<String>) -> impl Iterator<Item = &'a str> {
        self.missing.intersection(ran).map(String::as_str)
    }
}

/// Name and count of `NAME Hash = 123 up to 45 count discarded`.
fn discarded(rest: &str) -> Option<(&str, u64)> {
    let (name, rest) = rest.split_once(" Hash = ")?;
    let (_, count) = rest.split_once(" up to ")?;
    Some((name, count.split_whitespace().next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `llvm-profdata show --value-cutoff=1 --topn=2`, LLVM 22.1.8.
    const SHOWN: &str = "\
Instrumentation level: IR  entry_first = 0  instrument_loop_entries = 0
Total functions: 36
Maximum function count: 34186
Maximum internal block count: 33441
Total number of blocks: 300
Total count: 118317
Number of functions with maximum count (< 1): 4
Number of functions with maximum count (>= 1): 32
Top 2 functions with the largest internal block counts: 
  tiny.47a3da9704249c25-cgu.1;_ZN4tiny4sort17h9d06ec4c7bad5438E, max count = 34186
  _ZN70_$LT$alloc..vec..Vec$LT$T$C$A$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop17hd7ce57c0939876deE, max count = 1495
";

    /// Of `cargo build` with rustc 1.95 and LLVM 22.1.2, after a change of the source; without the empty lines.
    const BUILT: &str = "\
   Compiling tiny v0.1.0 (/home/me/tiny)
warning: tiny.47a3da9704249c25-cgu.0: no profile data available for function _ZN4tiny4cold17h531df9ee9c2ff2c8E Hash = 702941992757231615 up to 0 count discarded
warning: tiny.47a3da9704249c25-cgu.0: function control flow change detected (hash mismatch) _ZN4tiny4main17hafc61c08e7ce4e8eE Hash = 227045997683872955 up to 103 count discarded
warning: tiny.47a3da9704249c25-cgu.0: no profile data available for function _ZN4tiny4sort17h9d06ec4c7bad5438E Hash = 974670605260325877 up to 0 count discarded
warning: tiny.47a3da9704249c25-cgu.1: no profile data available for function _ZN4tiny4cold17h531df9ee9c2ff2c8E Hash = 702941992757231615 up to 0 count discarded
warning: `tiny` (bin \"tiny\") generated 4 warnings
    Finished `release` profile [optimized + debuginfo] target(s) in 0.91s
";

    fn diagnosed(text: &str) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        text.lines().for_each(|line| diagnostics.take(Path::new("/p/3b13.profdata"), line));
        diagnostics
    }

    #[test]
    fn a_summary_tells_what_has_counters_and_what_ran() {
        let summary = parse(SHOWN).unwrap();
        assert_eq!(summary.coverage, Coverage { functions: 36, ran: 32, total_count: 118_317 });
        assert!(summary.of_code);
        assert_eq!(summary.largest[0].1, 34_186);
        assert!(summary.largest[1].0.starts_with("_ZN70_$LT$alloc..vec"), "{:?}", summary.largest);
    }

    #[test]
    fn counters_of_a_coverage_build_are_told_apart() {
        assert!(!parse(&SHOWN.replace("IR  entry_first", "Front-end  entry_first")).unwrap().of_code);
    }

    #[test]
    fn a_text_that_is_no_summary_is_none() {
        assert_eq!(parse("Total functions: 36\n"), None);
        assert_eq!(parse(&SHOWN.replace("118317", "many")), None);
    }

    #[test]
    fn mismatched_and_missing_functions_are_counted_once_each() {
        let diagnostics = diagnosed(BUILT);
        assert_eq!(diagnostics.mismatched, [("_ZN4tiny4main17hafc61c08e7ce4e8eE".to_owned(), 103)].into());
        assert_eq!(
            diagnostics.missing,
            ["_ZN4tiny4cold17h531df9ee9c2ff2c8E", "_ZN4tiny4sort17h9d06ec4c7bad5438E"].map(str::to_owned).into()
        );
        assert_eq!(diagnostics.unread, None);
    }

    #[test]
    fn coloured_warnings_are_read_as_well() {
        let coloured = BUILT.replace("warning: ", "\u{1b}[1m\u{1b}[33mwarning\u{1b}[0m\u{1b}[1m: ");
        assert_eq!(diagnosed(&coloured), diagnosed(BUILT));
    }

    #[test]
    fn a_missing_function_that_ran_under_another_unit_is_lost_and_one_that_never_ran_is_not() {
        let ran = ["tiny.47a3da9704249c25-cgu.1;_ZN4tiny4sort17h9d06ec4c7bad5438E", "_ZN4tiny5wordsE"]
            .map(|name| symbol(name).to_owned())
            .into();
        assert_eq!(diagnosed(BUILT).lost(&ran).collect::<Vec<_>>(), ["_ZN4tiny4sort17h9d06ec4c7bad5438E"]);
    }

    #[test]
    fn a_profile_that_could_not_be_read_is_no_mere_warning() {
        let line = "warning: /p/3b13.profdata: invalid instrumentation profile data (bad magic)";
        assert_eq!(diagnosed(line).unread.as_deref(), Some("invalid instrumentation profile data (bad magic)"));
        assert_eq!(diagnosed("     Running `rustc --crate-name a -Cprofile-use=/p/3b13.profdata`").unread, None);
    }

    #[test]
    fn a_collision_of_names_is_a_mismatch() {
        let line = "warning: a.1-cgu.0: Inconsistent number of counts in _ZN1a1bE: the profile may be stale or there is \
                    a function name collision.";
        assert_eq!(diagnosed(line).mismatched, [("_ZN1a1bE".to_owned(), 0)].into());
    }
}
