use super::*;

fn matched(pattern: &str, names: &[&str]) -> Vec<bool> {
    let pattern: PathPattern = pattern.parse().unwrap();
    names.iter().map(|name| pattern.matches(name)).collect()
}

#[test]
fn segments_stand_in_a_row_anywhere_in_the_name() {
    let names = ["core::fmt::write", "alloc::fmt::format", "my_core::fmt::write", "core::num::fmt", "core::fmt"];
    assert_eq!(matched("core::fmt", &names), [true, false, false, false, true]);
    assert_eq!(matched("fmt", &names), [true; 5]);
    assert_eq!(matched("core::*::fmt", &names), [false, false, false, true, false]);
    assert_eq!(matched("*core::fmt::w*e", &names), [true, false, true, false, false]);
    assert_eq!(matched("core::num::*parse*", &["core::num::parse_u64", "core::num::imp::parse"]), [true, false]);
}

#[test]
fn both_types_of_a_qualified_name_count_and_own_what_follows() {
    let name = ["<generator::redb::Db as generator::Store<u64>>::get::{{closure}}"];
    for pattern in ["generator::redb", "Db::get", "generator::Store::get", "get", "u64", "Store::get::{{closure}}"] {
        assert_eq!(matched(pattern, &name), [true], "{pattern}");
    }
    for pattern in ["redb::Store", "u64::get", "generator::get", "Db::Store", "as", "redb::get"] {
        assert_eq!(matched(pattern, &name), [false], "{pattern}");
    }
    let nested = ["<<a::A as b::B>::C as d::D>::e"];
    for pattern in ["a::A::C::e", "b::B::C::e", "d::D::e"] {
        assert_eq!(matched(pattern, &nested), [true], "{pattern}");
    }
    assert_eq!(matched("d::D::C", &nested), [false]);
    let display = ["core::fmt::num::imp::<impl core::fmt::Display for u32>::fmt"];
    assert_eq!(matched("Display::fmt", &display), [true]);
    assert_eq!(matched("imp::fmt", &display), [true]);
    assert_eq!(matched("u32::fmt", &display), [true]);
}

#[test]
fn generics_are_paths_of_their_own_and_interrupt_nothing() {
    let name = ["alloc::vec::Vec<app::Row<[u8]>,A>::push", "core::ptr::drop_in_place::<app::Row>"];
    assert_eq!(matched("Vec::push", &name), [true, false]);
    assert_eq!(matched("app::Row", &name), [true, true]);
    assert_eq!(matched("u8", &name), [true, false]);
    assert_eq!(matched("Row::push", &name), [false, false]);
    let called = ["core::ops::function::FnOnce::call_once<fn(app::Job) -> app::Done, (app::Job)>::{shim:vtable#0}"];
    assert_eq!(matched("app::Done", &called), [true]);
    assert_eq!(matched("call_once::{shim*}", &called), [true]);
    assert_eq!(matched("Done::{shim*}", &called), [false]);
    assert_eq!(matched("core::fmt", &["core[8a3f]::fmt[1]::write"]), [true]);
}

#[test]
fn closures_kernel_functions_libraries_and_c_plus_plus_have_names_too() {
    assert_eq!(matched("run::{closure*}", &["app::run::{closure#0}", "app::run::{closure_env#1}<T>"]), [true, true]);
    assert_eq!(matched("{impl#0}::new", &["app::{impl#0}::new"]), [true]);
    assert_eq!(matched("do_syscall_64", &["do_syscall_64_[k]"]), [true]);
    assert_eq!(matched("libc.so.6", &["[libc.so.6]"]), [true]);
    assert_eq!(matched("malloc", &["malloc@plt", "je_malloc"]), [true, false]);
    let plus = ["std::vector<int, std::allocator<int> >::push_back(int const&)", "app::operator<<(std::ostream&, int)"];
    assert_eq!(matched("vector::push_back", &plus), [true, false]);
    assert_eq!(matched("app::operator*", &plus), [false, true]);
    assert_eq!(matched("std::ostream", &plus), [false, true]);
}

#[test]
fn what_is_no_pattern_is_refused() {
    let long = "a::".repeat(64) + "a";
    for text in ["", "::a", "a::", "a:b", "a::::b", "a b", "a(b", "a,b", "ä", "<a>", &"x".repeat(201), &long] {
        assert!(text.parse::<PathPattern>().is_err(), "{text:?} was accepted");
    }
    assert_eq!(matched(&long[3..], &[&long]), [true]);
    for text in ["", "a b", "a:b", "a(", "é", &"x".repeat(201)] {
        assert!(text.parse::<Glob>().is_err(), "{text:?} was accepted");
    }
}

#[test]
fn globs_agree_with_the_definition() {
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([b'*', rest @ ..], _) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
            ([p, pattern @ ..], [t, text @ ..]) => p == t && slow(pattern, text),
            (pattern, text) => pattern.is_empty() && text.is_empty(),
        }
    }
    let mut random = fastrand::Rng::with_seed(11);
    let mut word = |letters: &str, most| {
        let letters: Vec<char> = letters.chars().collect();
        (0..random.usize(1..most)).map(|_| letters[random.usize(..letters.len())]).collect::<String>()
    };
    let mut matches = 0;
    for _ in 0..20_000 {
        let (pattern, text) = (word("*ab", 7), word("ab", 9));
        let glob: Glob = pattern.parse().unwrap();
        assert_eq!(glob.matches(&text), slow(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        matches += usize::from(glob.matches(&text));
    }
    assert!((2_000..18_000).contains(&matches), "{matches}");
}

/// A random name and all paths in it, by the definition: first those that a following segment belongs to.
struct Made {
    text: String,
    own: Vec<Vec<String>>,
    inner: Vec<Vec<String>>,
}

fn made(random: &mut fastrand::Rng, depth: u32) -> Made {
    let letter = |random: &mut fastrand::Rng| random.char('a'..='c').to_string();
    let mut made = match random.u8(..4) {
        0 if depth > 0 => {
            let (one, other) = (self::made(random, depth - 1), self::made(random, depth - 1));
            let text = format!("<{} as {}>", one.text, other.text);
            Made { text, own: [one.own, other.own].concat(), inner: [one.inner, other.inner].concat() }
        }
        _ => {
            let text = letter(random);
            Made { own: vec![vec![text.clone()]], text, inner: Vec::new() }
        }
    };
    for _ in 0..random.u8(..4) {
        let segment = letter(random);
        made.text += &format!("::{segment}");
        made.own.iter_mut().for_each(|path| path.push(segment.clone()));
        if depth > 0 && random.u8(..4) == 0 {
            let generic = self::made(random, depth - 1);
            made.text += &format!("{}<{}, {}>", if random.bool() { "::" } else { "" }, generic.text, segment);
            made.inner.extend([generic.own, generic.inner, vec![vec![segment]]].concat());
        }
    }
    made
}

#[test]
fn names_are_read_as_the_definition_says() {
    let mut random = fastrand::Rng::with_seed(12);
    let mut matches = 0;
    for _ in 0..20_000 {
        let name = made(&mut random, 3);
        let segments: Vec<String> =
            (0..random.usize(1..5)).map(|_| random.choice(["a", "b", "c", "*"]).unwrap().to_owned()).collect();
        let pattern: PathPattern = segments.join("::").parse().unwrap();
        let row = |row: &[String]| row.iter().zip(&segments).all(|(name, pattern)| fits(pattern, name));
        let in_path = |path: &Vec<String>| path.windows(segments.len()).any(row);
        let expected = name.own.iter().chain(&name.inner).any(in_path);
        assert_eq!(pattern.matches(&name.text), expected, "{pattern} {}", name.text);
        assert_eq!(pattern.to_string().parse(), Ok(pattern));
        matches += usize::from(expected);
    }
    assert!((2_000..18_000).contains(&matches), "{matches}");
}

#[test]
fn any_text_is_a_name_and_long_ones_take_no_long_time() {
    let mut random = fastrand::Rng::with_seed(13);
    let debris =
        ["<", ">", "::", "{", "}", "(", ")", " as ", "operator", "-", "->", "ä", "\u{1f980}", "a", "b", "impl"];
    let pattern: PathPattern = "a::*b::a".parse().unwrap();
    for _ in 0..5_000 {
        let name: String = (0..random.usize(..20)).map(|_| *random.choice(&debris).unwrap()).collect();
        // A first segment before it is a path of its own: it takes no match away.
        assert_eq!(pattern.matches(&format!("x {name}")), pattern.matches(&name), "{name}");
    }
    let hostile: Glob = ("*a".repeat(90) + "b").parse().unwrap();
    assert!(!hostile.matches(&"a".repeat(1_000_000)));
    let deep: PathPattern = vec!["*"; 64].join("::").parse().unwrap();
    assert!(!deep.matches(&"<".repeat(1_000_000)));
    assert!(deep.matches(&("a<".repeat(1_000) + &"b::".repeat(64))));
}
