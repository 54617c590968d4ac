//! The chain from finding the tool to a judged profile, with a scripted toolchain. What the script prints is what LLVM
//! 22.1.8 prints.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::process::{self, Spec};

const RUSTC: &str = r#"case "$1" in
-vV) printf 'rustc 1.95.0\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n' ;;
*) echo "${0%/*}/toolchains/own" ;;
esac
"#;

/// Merges by joining files; files are refused, or crash it, for what is in them. `huge` in the result stands for a function
/// with a corrupt counter.
const PROFDATA: &str = r#"
case "$*" in
'merge --version') echo 'Debian LLVM version VERSION'; exit ;;
esac
case "$1" in
merge)
    list=$4 output=$6 without=$7
    : > "$output"
    while IFS=, read -r weight file; do
        case "$(cat "$file")" in
        crash*) kill -SEGV $$ ;;
        cut*) echo "warning: $file: too much profile data" >&2; cat "$file" >> "$output" ;;
        huge*) echo "warning: $file: excessively large counter value suggests corrupted profile data: 9" >&2
               if [ -z "$without" ]; then cat "$file" >> "$output"; else echo "$without" >> "$output"; fi ;;
        *) cat "$file" >> "$output" ;;
        esac
    done < "$list"
    ;;
show)
    for profile; do :; done
    case "$(cat "$profile")" in '') functions=0 ;; *) functions=36 ;; esac
    echo 'Instrumentation level: IR  entry_first = 0  instrument_loop_entries = 0'
    echo "Total functions: $functions"
    echo "Total count: $((functions * 1000))"
    echo "Number of functions with maximum count (>= 1): $((functions - functions / 9))"
    if grep -q '^huge' "$profile"; then echo '  a.1-cgu.0;_ZN1bE, max count = 13612635381953554398'; fi
    ;;
esac
"#;

/// A folder with a toolchain and a training run.
struct Stage(tempfile::TempDir);

impl Stage {
    fn new(version: &str) -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(stage.path("raw")).unwrap();
        stage.script("bin/rustc", RUSTC);
        stage.script("bin/llvm-profdata", &PROFDATA.replace("VERSION", version));
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A child writes the script: while this process had it open, no other thread's child could start it.
    fn script(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let write = Spec::new("sh").args(["-c", "cat > \"$0\" && chmod +x \"$0\""]).arg(&path);
        process::run(&write.stdin(format!("#!/bin/sh\n{text}"))).unwrap().check("writing a script").unwrap();
    }

    fn search(&self) -> Search {
        Search {
            root: self.0.path().to_owned(),
            rustc: "rustc".into(),
            path: self.path("bin").into(),
            packages: self.path("packages"),
        }
    }

    fn raw(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path("raw").join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn merge(&self) -> anyhow::Result<Merged> {
        merge(&self.search().find()?, &self.path("raw"), &self.path("profiles"))
    }

    fn profiles(&self) -> BTreeSet<PathBuf> {
        fs::read_dir(self.path("profiles")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_best_place_with_a_fitting_tool_wins() {
    let stage = Stage::new("22.1.8");
    for place in [
        "packages/llvm-22/bin/llvm-profdata",
        "bin/llvm-profdata-22",
        "bin/toolchains/own/lib/rustlib/x86_64-unknown-linux-gnu/bin/llvm-profdata",
    ] {
        stage.script(place, &PROFDATA.replace("VERSION", "22.1.2-rust-1.95.0-stable"));
        let tool = stage.search().find().unwrap();
        assert_eq!(tool.program, stage.path(place));
        assert_eq!(tool.version, "22.1.2-rust-1.95.0-stable");
    }
}

#[test]
fn a_tool_of_another_version_is_refused_and_rustup_named_only_where_it_is() {
    let stage = Stage::new("14.0.6");
    let error = stage.search().find().unwrap_err().to_string();
    assert!(error.contains("it is of LLVM 14.0.6, and the toolchain of LLVM 22.1.2"), "{error}");
    assert!(!error.contains("rustup"), "{error}");

    stage.script("bin/rustup", "");
    let error = stage.search().find().unwrap_err().to_string();
    assert!(error.ends_with("install one:\n  rustup component add llvm-tools --toolchain own"), "{error}");
}

#[test]
fn damaged_empty_and_crashing_files_are_left_out_and_the_profile_is_named_by_its_content() {
    let stage = Stage::new("22.1.8");
    stage.raw("a.profraw", "one\n");
    let (cut, empty) = (stage.raw("b.profraw", "cut\n"), stage.raw("c.profraw", ""));
    let crash = stage.raw("d.profraw", "crash\n");
    stage.raw("e, f.profraw", "two\n");
    stage.raw("notes.txt", "not of the training run\n");

    let merged = stage.merge().unwrap();
    assert_eq!(text(&merged.profile), "one\ntwo\n");
    assert_eq!(merged.profile.file_stem().unwrap(), crate::build::content_of(&merged.profile).unwrap().as_str());
    assert_eq!(merged.coverage, Coverage { functions: 36, ran: 32, total_count: 36_000 });
    assert_eq!(merged.used, 2);
    let left_out: Vec<&Path> = merged.left_out.iter().map(|out| out.file.as_path()).collect();
    assert_eq!(left_out, [&empty, &crash, &cut]);
    assert_eq!(merged.left_out[1].reason, "llvm-profdata crashed on it (ended by SIGSEGV)");
    assert_eq!(merged.warnings().len(), 3);
    assert_eq!(stage.profiles(), [merged.profile].into(), "nothing else is left behind");
}

#[test]
fn a_changed_training_run_makes_a_profile_of_another_name() {
    let stage = Stage::new("22.1.8");
    stage.raw("a.profraw", "one\n");
    let first = stage.merge().unwrap();
    assert_eq!(stage.merge().unwrap(), first);
    stage.raw("a.profraw", "other\n");
    assert_ne!(stage.merge().unwrap().profile, first.profile);
    assert_eq!(stage.profiles().len(), 2);
}

#[test]
fn a_function_with_a_corrupt_counter_is_dropped_and_its_file_kept() {
    let stage = Stage::new("22.1.8");
    stage.raw("a.profraw", "one\n");
    stage.raw("b.profraw", "huge\n");
    let merged = stage.merge().unwrap();
    assert_eq!(text(&merged.profile), "one\n--no-function=^(a\\.1-cgu\\.0;_ZN1bE)$\n");
    assert_eq!((merged.used, merged.left_out.len()), (2, 0));
    assert_eq!(merged.warnings(), ["dropped from the profile for a corrupt counter: a.1-cgu.0;_ZN1bE"]);
}

#[test]
fn nothing_usable_is_an_error_that_names_every_file() {
    let stage = Stage::new("22.1.8");
    let error = stage.merge().unwrap_err().to_string();
    assert!(error.contains("left no .profraw file in"), "{error}");

    let (empty, cut) = (stage.raw("a.profraw", ""), stage.raw("b.profraw", "cut\n"));
    let error = stage.merge().unwrap_err().to_string();
    assert!(error.contains(&format!("\n{}: it is empty\n", empty.display())), "{error}");
    assert!(error.ends_with(&format!("\n{}: too much profile data", cut.display())), "{error}");
}

#[test]
fn hundreds_of_files_are_named_in_a_list_and_not_in_the_command() {
    let stage = Stage::new("22.1.8");
    for number in 0..300 {
        stage.raw(&format!("{number}.profraw"), "one\n");
    }
    assert_eq!(stage.merge().unwrap().used, 300);
}
