//! Finding the tool among made-up ones, merging counts, and the whole chain with the real tool where there is one.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::build::Link;
use crate::process::{self, Spec};

/// What an `llvm-bolt` answers that looks around.
const BOLT: &str = "case \"$1\" in
--version) echo 'LLVM (http://llvm.org/):'; echo '  LLVM version VERSION' ;;
--help) echo '    =cdsort  -   use cache-directed sort' ;;
esac";

/// A folder with made-up programs.
struct Stage(tempfile::TempDir);

impl Stage {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Below the folder's true name: the tool is asked for by it.
    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// A child writes the script: while this process had it open, no other thread's child could start it.
    fn script(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        let write = Spec::new("sh").args(["-c", "cat > \"$0\" && chmod +x \"$0\""]).arg(self.path(name));
        process::run(&write.stdin(format!("#!/bin/sh\n{text}"))).unwrap().check("writing a script").unwrap();
    }

    /// A package of this version, with its library.
    fn package(&self, version: &str) {
        let folder = format!("packages/llvm-{}", version.split('.').next().unwrap());
        self.script(&format!("{folder}/bin/llvm-bolt"), &BOLT.replace("VERSION", version));
        self.file(&format!("{folder}/lib/libbolt_rt_instr.a"), "");
    }

    fn search(&self) -> Search {
        Search { path: self.path("bin").into(), packages: self.path("packages") }
    }
}

#[test]
fn the_newest_package_is_taken_by_number_and_not_by_letter() {
    let stage = Stage::new();
    stage.package("9.0.1");
    stage.package("19.1.7");
    let bolt = stage.search().find().unwrap();
    assert_eq!((bolt.program, bolt.version.as_str()), (stage.path("packages/llvm-19/bin/llvm-bolt"), "19.1.7"));
    assert!(bolt.cache_directed && !bolt.binpath, "its options are those that its help names");
}

#[test]
fn a_link_in_path_is_followed_to_the_folder_that_has_the_library() {
    let stage = Stage::new();
    stage.package("19.1.7");
    stage.package("22.1.8");
    fs::create_dir_all(stage.path("bin")).unwrap();
    std::os::unix::fs::symlink(stage.path("packages/llvm-19/bin/llvm-bolt"), stage.path("bin/llvm-bolt-19")).unwrap();
    assert_eq!(stage.search().find().unwrap().program, stage.path("packages/llvm-19/bin/llvm-bolt"));
}

#[test]
fn a_tool_without_its_runtime_library_is_passed_over_and_said_so_where_it_is_the_only_one() {
    let stage = Stage::new();
    stage.script("bin/llvm-bolt", &BOLT.replace("VERSION", "23.0.0"));
    let error = stage.search().find().unwrap_err().to_string();
    let library = stage.path("lib/libbolt_rt_instr.a");
    assert!(error.contains(&format!("its runtime library {} is missing", library.display())), "{error}");
    stage.package("19.1.7");
    assert_eq!(stage.search().find().unwrap().version, "19.1.7");
}

#[test]
fn without_the_tool_the_command_that_installs_the_newest_is_given() {
    let stage = Stage::new();
    let error = stage.search().find().unwrap_err().to_string();
    assert_eq!(error, "no llvm-bolt can be used\ninstall LLVM's BOLT, and see to it that llvm-bolt is found in PATH");
    stage.script("bin/apt-get", "");
    stage.script("bin/apt-cache", "echo 'bolt-9 - optimizer'; echo 'bolt-19 - optimizer'; echo 'bolt - Thunderbolt'");
    let error = stage.search().find().unwrap_err().to_string();
    assert_eq!(error, "no llvm-bolt can be used\ninstall it:\n  apt-get install bolt-19");
}

#[test]
fn counts_of_all_processes_are_added_and_half_a_file_is_left_out() {
    let stage = Stage::new();
    stage.file("counts/count.1.fdata", "1 main 3 1 sort 0 0 7\n1 a\\ b 1 1 main 5 2 1\n");
    stage.file("counts/count.2.fdata", "1 main 3 1 sort 0 1 30\n");
    stage.file("counts/count.3.fdata", "1 main 3 1 sort 0 1 3");
    stage.file("counts/count.4.fdata", "1 main 3 1 sort 0 one 3\n");
    stage.file("counts/notes.txt", "not of the training run\n");
    let merged = merge(&stage.path("counts"), &stage.path("profiles")).unwrap();
    assert_eq!(fs::read_to_string(&merged.profile).unwrap(), "1 a\\ b 1 1 main 5 2 1\n1 main 3 1 sort 0 1 37\n");
    assert_eq!(merged.profile.file_stem().unwrap(), crate::build::content_of(&merged.profile).unwrap().as_str());
    assert_eq!((merged.used, merged.warnings().len()), (2, 2));
    assert_eq!(merged.left_out[0].reason, "its end is missing");
    assert_eq!(fs::read_dir(stage.path("profiles")).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn no_counts_are_an_error_that_names_every_file() {
    let stage = Stage::new();
    stage.file("counts/count.1.fdata", "");
    let error = merge(&stage.path("counts"), &stage.path("profiles")).unwrap_err().to_string();
    assert!(error.contains("left no counts for BOLT in"), "{error}");
    assert!(error.ends_with("count.1.fdata: its end is missing"), "{error}");
}

const SOURCE: &str = r#"
fn main() {
    let seed: u64 = std::env::args().nth(1).map_or(1, |word| word.parse().unwrap());
    let mut sum = seed;
    for i in 0..200_000 {
        sum = if sum % 3 == 0 { rare(sum) } else { sum.rotate_left(7) ^ i };
    }
    println!("{sum}");
}

#[inline(never)]
fn rare(sum: u64) -> u64 {
    std::hint::black_box(sum).wrapping_mul(6364136223846793005)
}
"#;

/// A program as cargo would have linked it, and the link. The linker prints its command for that.
fn linked(stage: &Stage) -> Link {
    stage.file("a.rs", SOURCE);
    let spec = Spec::new("rustc")
        .args(["-O", "-Csave-temps", "-Cstrip=symbols", "--print=link-args", "-o"])
        .arg(stage.path("a"))
        .arg(stage.path("a.rs"));
    let output = process::run(&spec).unwrap().check("compiling").unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.lines().find(|line| line.contains("\"cc\"")).unwrap().split(' ');
    let mut words = words.map(|word| word.trim_matches('"').to_owned()).skip_while(|word| word != "cc").skip(1);
    let mut arguments: Vec<String> = Vec::new();
    while let Some(word) = words.next() {
        let output = word == "-o";
        arguments.push(word);
        if output {
            drop(words.next());
            arguments.push("{output}".to_owned());
        }
    }
    Link { linker: "cc".to_owned(), arguments }
}

fn printed(program: &Path, seed: &str) -> Vec<u8> {
    process::run(&Spec::new(program).arg(seed)).unwrap().check("running").unwrap().stdout
}

#[test]
fn a_real_program_is_linked_again_counted_and_put_in_order_and_computes_the_same() {
    let Ok(bolt) = Search::here().find() else {
        return; // What it takes is installed on some machines only.
    };
    let stage = Stage::new();
    let link = linked(&stage);
    relink(&link, &stage.path("linked")).unwrap();
    fs::create_dir_all(stage.path("counts")).unwrap();
    bolt.instrument(&stage.path("linked"), &stage.path("counting"), &stage.path("counts")).unwrap();
    let (counted, plain) = (printed(&stage.path("counting"), "5"), printed(&stage.path("linked"), "5"));
    assert_eq!(counted, plain);
    printed(&stage.path("counting"), "6");
    let merged = merge(&stage.path("counts"), &stage.path("profiles")).unwrap();
    assert_eq!((merged.used, merged.left_out.len()), (2, 0));

    let coverage = bolt.reorder(&stage.path("linked"), &merged.profile, &stage.path("ordered")).unwrap();
    assert!(coverage.ran > 0 && coverage.ran < coverage.functions, "{coverage:?}");
    assert_eq!(printed(&stage.path("ordered"), "7"), printed(&stage.path("linked"), "7"));
    assert_ne!(fs::read(stage.path("ordered")).unwrap(), fs::read(stage.path("linked")).unwrap());
}

#[test]
fn what_bolt_can_not_process_fails_in_its_own_words() {
    let Ok(bolt) = Search::here().find() else {
        return; // As above.
    };
    let stage = Stage::new();
    stage.file("text", "no program\n");
    let error = bolt.instrument(&stage.path("text"), &stage.path("counting"), &stage.path("counts")).unwrap_err();
    assert!(error.to_string().contains("not recognized as a valid object file"), "{error}");
}
