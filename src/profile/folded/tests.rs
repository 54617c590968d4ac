//! Reading, writing, adding, and names that mean harm.

use super::*;

fn failure(text: &str) -> String {
    format!("{:#}", Folded::parse(text).unwrap_err())
}

/// What a profile has, readably.
fn lines(folded: &Folded) -> Vec<String> {
    folded.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn what_is_written_is_read_again() {
    let text = "main;a;b 3\nmain;a;core::fmt::Display for [u8: 8] 2\nworker-3;b 18446744073709\n";
    let folded = Folded::parse(text).unwrap();
    assert_eq!(folded.to_string(), text);
    assert_eq!(folded.total(), 18_446_744_073_714);
    assert_eq!(Folded::parse(&folded.to_string()).unwrap(), folded);
}

#[test]
fn equal_stacks_are_added_up_and_nothing_else_counts() {
    let folded = Folded::parse("# by some tool\nmain;a 3\n\n  \nmain;b 0\nmain;a 4\r\n").unwrap();
    assert_eq!(lines(&folded), ["main;a 7"]);
    let mut sum: Folded = [("main;a", 1), ("main;b", 2)].into_iter().collect();
    sum.merge(&folded);
    assert_eq!(lines(&sum), ["main;a 8", "main;b 2"]);
    assert_eq!(sum.total(), 10);
}

#[test]
fn the_first_frame_is_the_thread_and_no_function() {
    let folded = Folded::parse("worker;run;parse 3\nidle 2\n").unwrap();
    let stacks: Vec<Stack<'_>> = folded.stacks().collect();
    assert_eq!((stacks[1].thread(), stacks[1].folded(), stacks[1].count), ("worker", "worker;run;parse", 3));
    assert_eq!(stacks[1].functions().collect::<Vec<_>>(), ["run", "parse"]);
    assert_eq!(stacks[1].frames().next_back(), Some("parse"));
    assert_eq!((stacks[0].thread(), stacks[0].functions().count()), ("idle", 0));
}

#[test]
fn threads_can_be_drawn_together() {
    let folded = Folded::parse("worker-1;run 3\nworker-2;run 4\nidle 2\n").unwrap();
    assert_eq!(folded.drawn(Threads::Together), BTreeMap::from([("run", 7), ("[unknown]", 2)]));
    assert_eq!(folded.drawn(Threads::Apart).len(), 3);
}

#[test]
fn names_can_not_break_the_format() {
    let hostile = [
        ("[u8; 8]", "[u8: 8]"),
        ("a\nb 5", "a b\u{a0}5"),
        ("  two\t spaces ", "two spaces"),
        ("\u{1b}[31mred\u{0}", "\u{fffd}[31mred\u{fffd}"),
        ("# comment", "\\# comment"),
        ("#", "\\#"),
        ("", "[unknown]"),
        (" ; ", ":"),
        ("operator 42", "operator\u{a0}42"),
        ("half 1.5", "half\u{a0}1.5"),
        ("no\u{a0}break 7", "no\u{a0}break\u{a0}7"),
        ("\u{ffff}", "\u{fffd}"),
        ("naïve::<T as Σ>::ƒ", "naïve::<T as Σ>::ƒ"),
    ];
    for (name, safe) in hostile {
        let mut folded = Folded::default();
        folded.add([name, name], 9);
        assert_eq!(lines(&folded), [format!("{safe};{safe} 9")], "{name:?}");
        assert_eq!(Folded::parse(&folded.to_string()).unwrap(), folded, "{name:?}");
    }
    let mut nothing = Folded::default();
    nothing.add([], 1);
    assert_eq!(lines(&nothing), ["[unknown] 1"]);
}

#[test]
fn what_is_no_profile_is_refused_with_its_line() {
    assert_eq!(failure("main;a 3\nmain;b"), "line 2 is no folded stack: it has no count at its end");
    assert!(failure("main;a -3").contains(r#""-3" is no count"#));
    assert!(failure("main;a 1.5").contains(r#""1.5" is no count"#));
    assert!(failure("\n\nmain;a 99999999999999999999").starts_with("line 3 is no folded stack"));
    assert!(failure(" 12").contains("no frame before the count"));
    assert!(failure("\u{0}\u{1}").contains("no count"));
    assert_eq!(failure("a 9007199254740992\nb 1"), "line 2: the counts so far come to more than 2^53");
}

#[test]
fn what_is_too_large_is_refused() {
    assert!(failure(&format!("{} 1", "a;".repeat(DEEPEST))).contains("more than 10000 frames"));
    assert!(failure(&format!("{} 1", "a".repeat(LONGEST))).contains("bytes long"));
    let many: String = (0..=MOST).map(|at| format!("{at} 1\n")).collect();
    assert_eq!(failure(&many), format!("line {}: more than {MOST} stacks", MOST + 1));
}

#[test]
fn any_text_is_read_or_refused_and_what_is_read_is_stable() {
    let mut rng = fastrand::Rng::with_seed(11);
    let pieces = ["main", ";", " ", "7", "\n", "\t", "#", "\u{a0}", "é", "\u{0}", "1.5", "<T as A>::b", "\u{2028}"];
    let mut read = 0;
    for _ in 0..20_000 {
        let mut text: String = (0..rng.usize(..12)).map(|_| pieces[rng.usize(..pieces.len())]).collect();
        text += ["", " 7"][rng.usize(..2)];
        if let Ok(folded) = Folded::parse(&text) {
            read += usize::from(!folded.is_empty());
            assert_eq!(Folded::parse(&folded.to_string()).unwrap(), folded, "{text:?}");
        }
    }
    assert!(read > 500, "{read}");
}
