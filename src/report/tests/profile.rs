//! Profiles as they are read.

use super::super::examples::{self, EVIL};
use super::super::text;
use super::super::{ProfileSide, Sides, Style, profile, profile_markdown};
use super::markdown::assert_harmless;
use super::terminal::assert_reads;
use crate::samples::Profile;

const PLAIN: Style = Style { colour: false, width: 80 };

fn before() -> Profile {
    examples::profile(&[
        ("core::fmt::write", [0.118, 0.122], [0.30, 0.302]),
        ("<engine::book::Book as core::fmt::Display>::fmt", [0.034, 0.036], [0.339, 0.341]),
        ("engine::main", [0.001, 0.001], [0.999, 1.0]),
        ("engine::book::rehash", [0.05, 0.05], [0.05, 0.05]),
    ])
}

fn after() -> Profile {
    let functions = examples::profile(&[
        ("core::fmt::write", [0.211, 0.215], [0.383, 0.385]),
        ("<engine::book::Book as core::fmt::Display>::fmt", [0.034, 0.037], [0.419, 0.421]),
        ("engine::main", [0.001, 0.001], [1.0, 1.0]),
    ]);
    Profile { method: "frame-pointers".to_owned(), lost: 3, notes: vec!["cut at 64 frames".to_owned()], ..functions }
}

fn side<'p>(title: &'p str, profile: &'p Profile) -> ProfileSide<'p> {
    ProfileSide { title, profile: Some(profile), counts: &[] }
}

fn sides(sides: Vec<ProfileSide<'_>>, use_them: impl Fn(&Sides)) {
    use_them(&Sides { case: &"engine::book/hash".parse().unwrap(), sides });
}

#[test]
fn a_profile_lists_functions_by_their_own_time_and_by_that_of_their_callees() {
    sides(vec![side("release", &before())], |found| {
        assert_reads(&profile(found, PLAIN), include_str!("../snapshots/profile.txt"));
    });
}

#[test]
fn two_profiles_are_told_apart_function_by_function() {
    sides(vec![side("main", &before()), side("working tree", &after())], |found| {
        assert_reads(&profile(found, PLAIN), include_str!("../snapshots/profile_diff.txt"));
        assert_reads(&profile_markdown(found), include_str!("../snapshots/profile_diff.md"));
    });
}

#[test]
fn differences_within_the_spread_of_rounds_are_dim() {
    sides(vec![side("main", &before()), side("working tree", &after())], |found| {
        let coloured = profile(found, Style { colour: true, ..PLAIN });
        assert!(coloured.contains("\u{1b}[2m+0.1\u{1b}[0m") && !coloured.contains("\u{1b}[2m+9.3"), "{coloured}");
    });
}

#[test]
fn counts_stand_alone_or_beside_each_other() {
    let counted = |open: f64, more: &[(&str, f64)]| -> Vec<(String, f64)> {
        let usual = [("syscalls", 4.0), ("syscalls.close", 1.0), ("syscalls.openat", open)];
        usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), *value)).collect()
    };
    let (old, new) = (counted(3.0, &[]), counted(1.0, &[("syscalls.read", 2.0)]));
    let side = |title, counts| ProfileSide { title, profile: None, counts };
    sides(vec![side("main", &old)], |found| {
        assert!(profile(found, PLAIN).ends_with(
            "Per iteration\n  count  of\n      4  syscalls\n      3  syscalls.openat\n      1  syscalls.close\n"
        ));
    });
    sides(vec![side("main", &old), side("working tree", &new)], |found| {
        let shown = profile(found, PLAIN);
        let names: Vec<&str> = shown.lines().skip(4).map(|line| line.rsplit_once("  ").unwrap().1).collect();
        assert_eq!(names, ["syscalls.read", "syscalls.openat", "syscalls", "syscalls.close"], "{shown}");
        assert!(shown.contains("       3      1  -66.7 %  syscalls.openat"), "{shown}");
    });
}

#[test]
fn what_was_counted_once_has_neither_spread_nor_stacks() {
    let mut counted = Profile { event: "allocations".to_owned(), method: "counted".to_owned(), ..before() };
    for function in &mut counted.functions {
        function.own.truncate(1);
        function.total.truncate(1);
    }
    sides(vec![side("release", &counted)], |found| {
        let shown = profile(found, PLAIN);
        assert!(
            shown.contains("\n4812 allocations, counted\n") && shown.ends_with("share: of all allocations.\n"),
            "{shown}"
        );
        assert!(!shown.contains('±'), "{shown}");
    });
}

#[test]
fn an_empty_profile_says_so() {
    let empty = Profile { samples: 0, rooted: 0, ..examples::profile(&[]) };
    for both in [vec![side("a", &empty)], vec![side("a", &empty), side("b", &empty)], Vec::new()] {
        sides(both, |found| {
            assert!(
                profile(found, PLAIN).contains("Nothing was seen")
                    && profile_markdown(found).contains("Nothing was seen")
            );
        });
    }
}

#[test]
fn no_name_of_a_function_can_move_the_cursor_or_break_the_width_or_leave_its_cell() {
    let long = format!("{EVIL}{}", "::f".repeat(100));
    let mut odd = examples::profile(&[(&long, [0.4, 0.5], [f64::NAN, 0.6]), ("f", [0.1, 0.2], [0.2, 0.3])]);
    (odd.event, odd.method, odd.notes) = (EVIL.to_owned(), EVIL.to_owned(), vec![EVIL.to_owned()]);
    let counts = vec![(EVIL.to_owned(), 3.0)];
    let evil = ProfileSide { counts: &counts, ..side(EVIL, &odd) };
    for both in [vec![evil], vec![side("main", &before()), evil]] {
        sides(both, |found| {
            let shown = profile(found, PLAIN);
            let widest = shown.lines().map(text::width).max().unwrap();
            assert!(widest <= 80, "{widest}:\n{shown}");
            let markdown = profile_markdown(found);
            assert_harmless(&markdown, &[3, 5, 6]);
            for text in [shown, markdown] {
                assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text}");
            }
        });
    }
}
