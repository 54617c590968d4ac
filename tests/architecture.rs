//! The floors of the building: which room may use which. The table is the design's; an import that it forbids fails here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("process", &[]),
    ("stats", &[]),
    ("git", &["process"]),
    ("github", &["process"]),
    ("samples", &["units"]),
    ("plan", &["samples", "units"]),
    ("progress", &["samples"]),
    ("matrix", &["plan", "samples", "units"]),
    ("build", &["matrix", "plan", "samples", "process"]),
    ("store", &["samples", "git"]),
    ("doctor", &["samples", "process"]),
    ("compare", &["samples", "stats"]),
    ("verdict", &["compare", "plan", "samples", "stats"]),
    ("measure", &["build", "plan", "samples", "process", "progress", "stats"]),
    ("profile", &["build", "samples", "process", "progress"]),
    ("advise", &["compare", "verdict", "samples", "stats", "units"]),
    ("report", &["advise", "verdict", "compare", "samples", "units"]),
    ("publish", &["report", "github"]),
];

/// The top floor may use everything: the pipeline, the command line, and the way in.
const TOP: &[&str] = &["pipeline", "cli", "lib", "main"];

/// Lines of code, tests left out, that a file may have.
const LONGEST_FILE: usize = 400;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// A file without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap()
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix(source()).unwrap();
    inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The rooms that a file names after `crate::`, in code and not in comments.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    let parts: Vec<&str> = code.split("crate::").collect();
    for (before, rest) in parts.iter().zip(&parts[1..]) {
        // `some_crate::` is another crate's.
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        match rest.strip_prefix('{') {
            None => drop(found.insert(word(rest))),
            Some(list) => found.extend(top_level_names(list)),
        }
    }
    found
}

/// The first names of a braced list, without what stands in inner braces: `{a::{b, c}, d}` is a and d.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut name) = (0, Vec::new(), String::new());
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut name)),
            c if depth == 0 => name.push(c),
            _ => {}
        }
    }
    names.push(name);
    names
        .iter()
        .map(|name| name.trim().split("::").next().unwrap().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_room_imports_only_what_the_table_allows() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in files_below(&source()) {
        let room = room_of(&path);
        if TOP.contains(&room.as_str()) {
            continue;
        }
        let may = allowed.get(room.as_str()).unwrap_or_else(|| panic!("{room} is a room that the table does not know"));
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            if import != room && !may.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_can_refuse() {
    assert_eq!(
        imports("use crate::{samples::{Run, Round}, units};\nfn f() { crate::process::run() } // crate::git"),
        { ["process", "samples", "units", "git"].map(str::to_owned).into() }
    );
    assert!(imports("// use crate::git;").is_empty());
    assert!(imports("use mycrate::git;").is_empty());
}

#[test]
fn lib_lists_the_rooms_floor_by_floor_and_nobody_imports_upwards() {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).chain(["pipeline", "cli"]).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), known);
    let floors: Vec<&str> = text.split("// ").skip(1).collect();
    let floor = |room: &str| floors.iter().position(|floor| floor.contains(&format!("pub mod {room};"))).unwrap();
    for (room, imports) in ROOMS {
        assert!(imports.iter().all(|import| floor(import) <= floor(room)), "{room} imports from a floor above it");
    }
}

#[test]
fn no_file_is_too_long_to_be_read_at_once() {
    let mut long = Vec::new();
    for path in files_below(&source()) {
        let text = fs::read_to_string(&path).unwrap();
        let lines =
            code(&text).lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//")).count();
        if lines > LONGEST_FILE {
            long.push(format!("{}: {lines}", path.display()));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// The files that talk to the kernel where no library does: children, and events of the kernel's performance counters. What
/// tests do to have something to look at is theirs.
const UNSAFE: &[&str] = &["process/forked.rs", "process/sys.rs", "profile/sampling/sys.rs"];

#[test]
fn unsafe_code_stays_where_it_is_expected() {
    let holds = |path: &PathBuf| code(&fs::read_to_string(path).unwrap()).contains("unsafe {");
    let inside = |path: &PathBuf| path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
    let holders = files_below(&source()).iter().filter(|path| holds(path)).map(inside).collect::<Vec<_>>();
    let stray =
        |file: &&String| !UNSAFE.contains(&file.as_str()) && !file.contains("/tests/") && !file.ends_with("/tests.rs");
    let stray: Vec<&String> = holders.iter().filter(stray).collect();
    assert!(stray.is_empty(), "unsafe code outside {UNSAFE:?}: {stray:?}");
}
