//! Diffs, read back by their hunks as `patch` reads them.

use super::*;

/// The text that a diff makes of `old`. Every line that the diff keeps or takes away must stand where it says.
fn applied(old: &str, diff: &str) -> String {
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let (mut new, mut next) = (String::new(), 0);
    for hunk in diff.split("\n@@ ").skip(1) {
        let (header, body) = hunk.split_once('\n').unwrap();
        let (start, count) = range(header.split(' ').next().unwrap());
        let start = if count == 0 { start } else { start - 1 };
        new.extend(lines[next..start].iter().copied());
        next = start;
        for (kind, line) in body_lines(body) {
            if kind != '+' {
                assert_eq!(lines[next], line, "the diff expects another line");
                next += 1;
            }
            if kind != '-' {
                new.push_str(&line);
            }
        }
        assert_eq!(next - start, count, "the header counts other lines");
    }
    new.extend(lines[next..].iter().copied());
    new
}

fn range(side: &str) -> (usize, usize) {
    let side = &side[1..];
    let (start, count) = side.split_once(',').unwrap_or((side, "1"));
    (start.parse().unwrap(), count.parse().unwrap())
}

/// The lines of a hunk with what happens to them; a line that `\` follows has no end.
fn body_lines(body: &str) -> Vec<(char, String)> {
    let mut found: Vec<(char, String)> = Vec::new();
    for line in body.split_inclusive('\n') {
        match line.chars().next().unwrap() {
            '\\' => drop(found.last_mut().unwrap().1.pop()),
            kind => found.push((kind, line[1..].to_owned() + if line.ends_with('\n') { "" } else { "\n" })),
        }
    }
    found
}

fn edit(path: &str, old: Option<&str>, new: &str) -> Edit {
    Edit { path: path.to_owned(), old: old.map(str::to_owned), new: new.to_owned() }
}

#[test]
fn every_diff_makes_the_new_text_of_the_old_one() {
    for case in all() {
        for text in [case.before.to_owned(), case.before.replace('\n', "\r\n"), case.before.trim_end().to_owned()] {
            for edit in patch(&wanted(case.wanted, "-4 %"), &manifests(case.of, &text)).unwrap().edits {
                assert_eq!(applied(&text, &diff(&edit)), edit.new, "{}", case.says);
            }
        }
    }
}

#[test]
fn any_two_texts_have_a_diff_that_applies() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..2_000 {
        let mut text = || {
            let mut text: String =
                (0..random.usize(..24)).map(|_| ["a\n", "b\n", "c\r\n", "\n"][random.usize(..4)]).collect();
            text += ["", "d"][random.usize(..2)];
            text
        };
        let (old, new) = (text(), text());
        assert_eq!(applied(&old, &diff(&edit("x", Some(&old), &new))), new, "{old:?} {new:?}");
    }
}

#[test]
fn a_diff_names_its_file_and_shows_what_changes() {
    let edit = edit("a b/Cargo.toml", Some("[a]\nx = 1"), "[a]\nx = 2\n");
    assert_eq!(
        diff(&edit),
        "--- a/a b/Cargo.toml\t\n+++ b/a b/Cargo.toml\t\n@@ -1,2 +1,2 @@\n [a]\n-x = 1\n\\ No newline at end of file\n+x = 2\n"
    );
}

#[test]
fn a_new_file_comes_from_nowhere() {
    let text = diff(&edit(CONFIG, None, "[a]\nx = 2\n"));
    assert_eq!(text, "--- /dev/null\n+++ b/.cargo/config.toml\n@@ -0,0 +1,2 @@\n+[a]\n+x = 2\n");
}

#[test]
fn no_change_is_no_diff() {
    assert_eq!(diff(&edit("x", Some("a\n"), "a\n")), "");
}
