//! Pictures, read as XML: what they show, what they must not contain, and which colours say what.

use roxmltree::{Document, Node};

use super::*;

const PLAIN: Options<'_> =
    Options { title: "redb/cached", subtitle: None, counted: Counted::Samples, threads: Threads::Apart };

const PAIR: Differential<'_> = Differential {
    title: "redb/cached",
    before: "main",
    after: "candidate",
    counted: Counted::Samples,
    threads: Threads::Apart,
    widths: Side::After,
    normalise: false,
};

fn folded(text: &str) -> Folded {
    Folded::parse(text).unwrap()
}

/// The frames of a picture: what hovering over them says, the width in counts, and the colour.
fn frames(picture: &str) -> Vec<(String, u64, [u8; 3])> {
    let document = Document::parse(picture).unwrap();
    let inner = document.descendants().find(|node| node.attribute("id") == Some("frames")).unwrap();
    let child = |group: Node<'_, '_>, name: &str| group.children().find(|node| node.has_tag_name(name)).unwrap().id();
    let groups = inner.children().filter(Node::is_element);
    groups
        .map(|group| {
            let title = document.get_node(child(group, "title")).unwrap().text().unwrap().to_owned();
            let rect = document.get_node(child(group, "rect")).unwrap();
            let width = rect.attributes().find(|attribute| attribute.name() == "w").unwrap().value().parse().unwrap();
            let fill = rect.attribute("fill").unwrap().trim_start_matches("rgb(").trim_end_matches(')');
            let colour: Vec<u8> = fill.split(',').map(|part| part.parse().unwrap()).collect();
            (title, width, colour.try_into().unwrap())
        })
        .collect()
}

/// The frame of this name.
fn frame(picture: &str, name: &str) -> (String, u64, [u8; 3]) {
    let all = frames(picture);
    let begin = format!("{name} (");
    all.iter().find(|(title, ..)| title.starts_with(&begin)).unwrap_or_else(|| panic!("{name} in {all:?}")).clone()
}

fn is_red([red, green, blue]: [u8; 3]) -> bool {
    red == 255 && green < 250 && green == blue
}

fn is_blue([red, green, blue]: [u8; 3]) -> bool {
    blue == 255 && red < 250 && red == green
}

#[test]
fn frames_are_as_wide_as_their_counts() {
    let picture = svg(&folded("main;run;parse 30\nmain;run;core::fmt::write 10\nmain;run 60"), &PLAIN).unwrap();
    assert_eq!(frame(&picture, "run").0, "run (100 samples, 100.00%)");
    assert_eq!(frame(&picture, "parse").0, "parse (30 samples, 30.00%)");
    assert_eq!(frames(&picture).len(), 5, "all, thread, run, and two below");
    assert!(picture.contains(">redb/cached</text>"));
}

#[test]
fn threads_stand_apart_or_together() {
    let both = folded("worker-1;run 3\nworker-2;run 4");
    assert_eq!(frame(&svg(&both, &PLAIN).unwrap(), "run").1, 3);
    let together = svg(&both, &Options { threads: Threads::Together, ..PLAIN }).unwrap();
    assert_eq!(frame(&together, "run").1, 7);
    assert!(!together.contains("worker"));
}

#[test]
fn colours_tell_kinds_apart_and_never_change() {
    let text = "main;own::parse 3\nmain;std::io::write 4\nmain;memmove 5";
    let picture = svg(&folded(text), &PLAIN).unwrap();
    assert_eq!(picture, svg(&folded(text), &PLAIN).unwrap());
    let other = svg(&folded("worker;other::first;own::parse 99"), &PLAIN).unwrap();
    assert_eq!(frame(&picture, "own::parse").2, frame(&other, "own::parse").2);
    let colours = ["own::parse", "std::io::write", "memmove"].map(|name| frame(&picture, name).2);
    let [own, std, foreign] = colours;
    assert!(own[1] > own[0] && std[0] > std[1] && std[2] == 0 && foreign[0] == foreign[1], "{colours:?}");
    let heap = svg(&folded(text), &Options { counted: Counted::Bytes, ..PLAIN }).unwrap();
    assert!(frame(&heap, "std::io::write").0.contains("4 bytes"));
    let [red, green, blue] = frame(&heap, "std::io::write").2;
    assert!(green > red && green > blue, "memory is green");
}

#[test]
fn names_can_not_break_out_of_the_picture() {
    let hostile = [
        "</svg><script>alert(1)</script>",
        "</text><image href=\"http://example.org/x\"/>",
        "\"' onload='alert(1)",
        "]]><script>alert(1)</script>",
        "--><script>alert(1)</script>",
        "&lt;script&gt;&amp;&bogus;",
        "\u{0}\u{8}\u{1b}[31m\u{7f}\u{ffff}\u{fffe}",
        "# comment",
        "a 7",
        "a_[k]",
        "😀é\u{202e}x",
    ];
    for name in hostile {
        let mut profile = Folded::default();
        profile.add([name, name, "core::x"], 7);
        profile.add([name, name], 5);
        let options = Options { title: name, subtitle: Some(name), ..PLAIN };
        let pair = Differential { title: name, before: name, after: name, ..PAIR };
        for picture in [svg(&profile, &options).unwrap(), differential(&profile, &profile, &pair).unwrap()] {
            let document = Document::parse(&picture).unwrap_or_else(|error| panic!("{name:?}: {error}"));
            let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count();
            assert_eq!((count("script"), count("image"), count("svg")), (1, 0, 2), "{name:?}");
            let handlers = document.descendants().flat_map(|node| node.attributes());
            assert_eq!(handlers.filter(|attribute| attribute.name().starts_with("on")).count(), 1, "{name:?}");
            assert_eq!(frames(&picture).len(), 4, "{name:?}: {:?}", frames(&picture));
            assert_eq!(frames(&picture).iter().map(|(_, width, _)| *width).max(), Some(12), "{name:?}");
        }
    }
}

#[test]
fn nothing_comes_from_outside() {
    let picture = svg(&folded("main;run 3"), &PLAIN).unwrap();
    assert!(!picture.contains("<!DOCTYPE"));
    let document = Document::parse(&picture).unwrap();
    let loading = ["href", "src", "xlink:href"];
    assert!(document.descendants().all(|node| loading.iter().all(|name| node.attribute(*name).is_none())));
    assert!(picture.contains("function search("), "it can be searched");
    assert!(!picture.contains("@import") && !picture.contains("url(http"));
}

#[test]
fn a_frame_stays_in_one_piece_whatever_its_neighbours_are_called() {
    // By bytes, "run 0x" sorts between "run" and "run;parse".
    let picture = svg(&folded("main;run 5\nmain;run 0x 1\nmain;run;parse 5"), &PLAIN).unwrap();
    assert_eq!(frame(&picture, "run").1, 10);
    assert_eq!(frames(&picture).len(), 5);
}

#[test]
fn red_grew_and_blue_shrank() {
    let (before, after) = (folded("main;a 10\nmain;b 20\nmain;same 5"), folded("main;a 20\nmain;b 10\nmain;same 5"));
    for widths in [Side::Before, Side::After] {
        let picture = differential(&before, &after, &Differential { widths, ..PAIR }).unwrap();
        assert!(is_red(frame(&picture, "a").2), "{widths:?}");
        assert!(is_blue(frame(&picture, "b").2), "{widths:?}");
        assert_eq!(frame(&picture, "same").2, [250, 250, 250], "{widths:?}");
        assert!(frame(&picture, "a").0.contains("; +28.57%"), "{:?}", frame(&picture, "a"));
        assert_eq!(frame(&picture, "a").1, if widths == Side::Before { 10 } else { 20 });
    }
}

#[test]
fn what_vanished_is_seen_in_the_widths_of_before_and_what_is_new_in_those_of_after() {
    let (before, after) = (folded("main;gone 10\nmain;stays 10"), folded("main;fresh 10\nmain;stays 10"));
    let was = differential(&before, &after, &Differential { widths: Side::Before, ..PAIR }).unwrap();
    assert!(is_blue(frame(&was, "gone").2));
    assert!(frames(&was).iter().all(|(title, ..)| !title.starts_with("fresh")));
    let is = differential(&before, &after, &PAIR).unwrap();
    assert!(is_red(frame(&is, "fresh").2));
    assert!(frames(&is).iter().all(|(title, ..)| !title.starts_with("gone")));
    assert!(is.contains(
        "candidate against main: red grew, blue shrank, by their own samples; widths are those of candidate"
    ));
}

#[test]
fn normalised_profiles_of_equal_shape_do_not_differ() {
    let (before, after) = (folded("main;a 10\nmain;b 20"), folded("main;a 1000\nmain;b 2000"));
    let loaded = differential(&before, &after, &PAIR).unwrap();
    assert!(is_red(frame(&loaded, "a").2));
    for widths in [Side::Before, Side::After] {
        let options = Differential { widths, normalise: true, ..PAIR };
        let picture = differential(&before, &after, &options).unwrap();
        assert!(["a", "b"].iter().all(|name| frame(&picture, name).2 == [250, 250, 250]), "{widths:?}");
        assert!(picture.contains("scaled to the same total"));
    }
}

#[test]
fn scaling_rounds_to_the_nearest_and_survives_the_extremes() {
    assert_eq!(scaled(2, (10, 3)), 7);
    assert_eq!(scaled(LARGEST_TOTAL, (LARGEST_TOTAL, LARGEST_TOTAL)), LARGEST_TOTAL);
    assert_eq!(scaled(LARGEST_TOTAL, (LARGEST_TOTAL, 1)), u64::MAX);
    assert_eq!(scaled(0, (5, 0)), 0);
}

#[test]
fn what_can_not_be_drawn_is_said() {
    let nothing = Folded::default();
    assert_eq!(svg(&nothing, &PLAIN).unwrap_err().to_string(), "redb/cached: there is no stack to draw");
    let some = folded("main;a 1");
    assert_eq!(differential(&some, &nothing, &PAIR).unwrap_err().to_string(), "candidate: there is no stack to draw");
    assert!(is_red(frame(&differential(&nothing, &some, &PAIR).unwrap(), "a").2));
    let huge: Folded = [("main;a", u64::MAX)].into_iter().collect();
    assert!(svg(&huge, &PLAIN).unwrap_err().to_string().contains("more than 2^53"));
    assert!(differential(&huge, &some, &PAIR).unwrap_err().to_string().contains("more than 2^53"));
    let largest: Folded = [("main;a", LARGEST_TOTAL)].into_iter().collect();
    for (before, after) in [(&some, &largest), (&largest, &some)] {
        for normalise in [false, true] {
            assert!(differential(before, after, &Differential { normalise, ..PAIR }).is_ok());
        }
    }
}
