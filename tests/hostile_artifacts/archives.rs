//! Archives that could be read in more than one way, and names that lead elsewhere.

use perfplan::store::read_artifact;

use crate::support::{RUN, artifact, assert_refused, refused};
use crate::zip::{Archive, DEFLATED, Entry, PLAIN_FILE, SIZES_LATER, zip};

fn run(name: &str) -> Entry {
    Entry::deflated(name, RUN.as_bytes())
}

fn other(name: &str) -> Entry {
    Entry::stored(name, b"something else")
}

#[track_caller]
fn assert_read(archive: &[u8]) {
    assert_eq!(read_artifact(archive).unwrap().id.as_str(), "20261121-110051-atp");
}

#[test]
fn an_honest_run_is_read_from_the_root_or_from_one_folder_down() {
    assert_read(&zip(&[run("run.json")]));
    assert_read(&zip(&[other("20261121-110051-atp/report/index.html"), run("20261121-110051-atp/run.json")]));
    assert_read(&zip(&[Entry::stored("run.json", RUN.as_bytes())]));
}

#[test]
fn an_archive_that_was_written_as_a_stream_is_read() {
    let streamed = |entry: Entry| entry.both(|header| header.flags = SIZES_LATER);
    assert_read(&zip(&[streamed(other("report.md")), streamed(run("run.json")), streamed(other("x.svg"))]));
}

#[test]
fn hostile_names_beside_the_run_are_looked_at_and_left_alone() {
    let link = Entry { attributes: 0o120_777 << 16, ..other("report/index.html") };
    let names = ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\0b", "CON", "::error::x", "\u{202e}", "x\nrun.jso"];
    let mut entries: Vec<Entry> = names.iter().map(|name| other(name)).collect();
    entries.extend([link, run("run.json")]);
    assert_read(&zip(&entries));
}

#[test]
fn an_archive_without_a_run_is_refused() {
    assert_refused(&zip(&[]), "it has no run.json");
    assert_refused(&zip(&[other("report.json"), other("xrun.json"), other("run.json5")]), "it has no run.json");
}

#[test]
fn two_entries_named_run_json_are_refused() {
    assert_refused(&zip(&[run("run.json"), run("run.json")]), "more than one run.json: \"run.json\" and \"run.json\"");
}

#[test]
fn runs_in_two_folders_are_refused() {
    assert_refused(&zip(&[run("a/run.json"), run("b/run.json")]), "more than one run.json");
}

#[test]
fn a_run_json_beside_one_in_other_letters_is_refused() {
    assert_refused(&zip(&[run("run.json"), other("Run.JSON")]), "more than one run.json");
}

#[test]
fn a_run_json_in_other_letters_is_refused() {
    assert_refused(&zip(&[run("RUN.JSON")]), "\"RUN.JSON\" is neither run.json nor FOLDER/run.json");
}

#[test]
fn an_absolute_path_is_refused() {
    assert_refused(&zip(&[run("/run.json")]), "neither run.json nor");
    assert_refused(&zip(&[run("C:run.json")]), "neither run.json nor");
}

#[test]
fn a_path_that_climbs_is_refused() {
    for name in ["../run.json", "./run.json", "a/../run.json", "../a/run.json"] {
        assert_refused(&zip(&[run(name)]), "neither run.json nor");
    }
}

#[test]
fn a_backslash_between_folders_is_refused() {
    assert_refused(&zip(&[run("a\\run.json")]), "neither run.json nor");
}

#[test]
fn a_name_that_some_systems_end_at_a_nul_is_refused() {
    assert_refused(&zip(&[run("run.json\0.txt")]), "neither run.json nor");
    assert_refused(&zip(&[run("run.json"), other("run.json\0")]), "more than one");
}

#[test]
fn a_name_that_some_systems_shorten_is_refused() {
    for name in ["run.json.", "run.json ", "run.json::$DATA", " run.json"] {
        assert_refused(&zip(&[run(name)]), "neither run.json nor");
        assert_refused(&zip(&[run("run.json"), other(name)]), "more than one run.json");
    }
}

#[test]
fn a_run_two_folders_down_is_refused() {
    assert_refused(&zip(&[run("a/b/run.json")]), "neither run.json nor");
}

#[test]
fn a_folder_named_run_json_is_refused() {
    assert_refused(&zip(&[other("run.json/")]), "neither run.json nor");
    assert_refused(&zip(&[run("run.json"), other("run.json/x")]), "more than one run.json");
}

#[test]
fn folders_with_odd_names_are_refused() {
    let long = format!("{}/run.json", "x".repeat(201));
    for name in [".hidden/run.json", "a b/run.json", "\u{202e}/run.json", "<b>/run.json", "//run.json", &long] {
        assert_refused(&zip(&[run(name)]), "neither run.json nor");
    }
}

#[test]
fn a_folder_named_after_a_device_is_one_like_any_other_as_nothing_is_written() {
    assert_read(&zip(&[run("CON/run.json")]));
}

#[test]
fn a_symbolic_link_named_run_json_is_refused() {
    let link = Entry { attributes: 0o120_777 << 16, ..Entry::stored("run.json", b"/etc/passwd") };
    assert_refused(&zip(&[link]), "is a symbolic link");
    assert_refused(&zip(&[Entry { attributes: 0o120_777 << 16, ..run("run.json") }]), "is a symbolic link");
}

#[test]
fn a_device_a_pipe_or_a_folder_in_place_of_the_run_is_refused() {
    for mode in [0o020_644, 0o060_644, 0o010_644, 0o040_755, 0o140_644] {
        assert_refused(&zip(&[Entry { attributes: mode << 16, ..run("run.json") }]), "is no plain file");
    }
    assert_read(&zip(&[Entry { attributes: PLAIN_FILE, ..run("run.json") }]));
    assert_read(&zip(&[Entry { attributes: 0, ..run("run.json") }]));
}

#[test]
fn an_encrypted_run_is_refused() {
    for flag in [1, 1 << 6, 1 << 13] {
        assert_refused(&zip(&[run("run.json").both(|header| header.flags = flag)]), "is encrypted");
    }
}

#[test]
fn packing_that_is_unknown_here_is_refused() {
    for method in [1, 9, 12, 14, 93, 99, 65_535] {
        let entry = run("run.json").both(|header| header.method = method);
        assert_refused(&zip(&[entry]), &format!("packed by method {method}"));
    }
}

#[test]
fn a_name_that_differs_between_directory_and_header_is_refused() {
    assert_refused(&zip(&[run("evil.json").listed(|header| header.name = b"run.json".to_vec())]), "in another way");
    assert_refused(&zip(&[run("run.json").listed(|header| header.name = b"evil.json".to_vec())]), "has no run.json");
}

#[test]
fn anything_else_that_differs_between_directory_and_header_is_refused() {
    let differing: [fn(&mut crate::zip::Header); 4] = [
        |header| header.method = 0,
        |header| header.flags = 1 << 11,
        |header| header.checksum ^= 1,
        |header| header.size -= 1,
    ];
    for change in differing {
        assert_refused(&zip(&[run("run.json").listed(change)]), "in another way by its own header");
    }
}

#[test]
fn a_checksum_that_is_wrong_in_both_places_is_refused() {
    assert_refused(&zip(&[run("run.json").both(|header| header.checksum ^= 1)]), "another checksum");
    let cut = Entry::stored("run.json", RUN.as_bytes()).both(|header| header.size += 1);
    assert_refused(&zip(&[cut]), "another size");
}

#[test]
fn two_names_for_the_same_bytes_are_refused() {
    let alias = Entry { offset: Some(0), ..run("report.json") };
    assert_refused(&zip(&[run("run.json"), alias]), "overlaps");
}

#[test]
fn an_entry_that_reaches_into_the_next_is_refused() {
    let long = other("a").both(|header| header.packed += 60);
    assert_refused(&zip(&[long, run("run.json")]), "the entry at byte 0 overlaps");
}

#[test]
fn an_entry_that_reaches_into_the_directory_is_refused() {
    let long = Entry::stored("run.json", RUN.as_bytes())
        .both(|header| (header.packed, header.size) = (header.packed + 40, header.size + 40));
    assert_refused(&zip(&[long]), "overlaps");
}

#[test]
fn an_entry_beyond_the_end_is_refused() {
    assert_refused(&zip(&[Entry { offset: Some(u32::MAX - 1), ..run("run.json") }]), "can't be read");
    assert_refused(&zip(&[run("run.json").both(|header| header.packed = u32::MAX - 1)]), "can't be read");
}

#[test]
fn data_behind_an_archive_is_refused() {
    let mut bytes = artifact(RUN);
    bytes.push(0);
    assert_refused(&bytes, "does not end with the record of its end");
}

#[test]
fn data_before_an_archive_is_refused() {
    let before = [b"#!/bin/sh\n".to_vec(), artifact(RUN)].concat();
    assert_refused(&before, "does not lie where its end says");
    let mut moved = Archive::of(&[run("run.json")]);
    let shift = u32::try_from(moved.entries.len()).unwrap();
    moved = Archive::of(&[Entry { offset: Some(shift), ..run("run.json") }]);
    moved.entries = [moved.entries.clone(), moved.entries].concat();
    assert_refused(&moved.bytes(), "its first entry is not at its beginning");
}

#[test]
fn a_second_archive_hidden_in_the_comment_is_refused() {
    let hidden = artifact(RUN);
    let comment = hidden[..hidden.len().min(60_000)].to_vec();
    let archive = Archive { comment, ..Archive::of(&[run("run.json")]) };
    assert_refused(&archive.bytes(), "does not lie where its end says");
    let archive = Archive { comment: b"harmless".to_vec(), ..Archive::of(&[run("run.json")]) };
    assert_refused(&archive.bytes(), "does not end with the record of its end");
}

#[test]
fn an_end_hidden_inside_of_the_end_is_refused() {
    // A comment that is itself the record of an end: a reader that looks for the last one sees another archive.
    let inner = Archive { entries: Vec::new(), directory: Vec::new(), count: 0, ..Archive::of(&[]) }.bytes();
    let archive = Archive { comment: inner, ..Archive::of(&[run("run.json")]) };
    assert_refused(&archive.bytes(), "does not lie where its end says");
}

#[test]
fn a_directory_for_more_than_4_gib_is_refused() {
    let mut locator = b"PK\x06\x07".to_vec();
    locator.resize(20, 0);
    let archive = Archive { between: locator, ..Archive::of(&[run("run.json")]) };
    assert_refused(&archive.bytes(), "more than 4 GiB");
}

#[test]
fn sizes_for_more_than_4_gib_are_refused() {
    let huge = |sizes: [u64; 2]| {
        let mut extra = vec![1, 0, 16, 0];
        sizes.iter().for_each(|size| extra.extend(size.to_le_bytes()));
        run("run.json").both(|header| {
            (header.packed, header.size, header.extra) = (u32::MAX, u32::MAX, extra.clone());
        })
    };
    for sizes in [[u64::MAX, u64::MAX], [1 << 40, 100], [0, u64::MAX - 30], [0, 0]] {
        refused(&zip(&[huge(sizes)]));
    }
    let nothing = run("run.json").both(|header| (header.packed, header.size) = (u32::MAX, u32::MAX));
    assert_refused(&zip(&[nothing]), "can't be read");
}

#[test]
fn an_archive_in_several_parts_is_refused() {
    let mut bytes = artifact(RUN);
    let end = bytes.len() - 22;
    bytes[end + 4] = 1;
    assert_refused(&bytes, "in parts");
}

#[test]
fn a_directory_with_more_or_less_than_it_says_is_refused() {
    let archive = Archive::of(&[other("a"), run("run.json")]);
    assert_refused(&Archive { count: 1, ..archive.clone() }.bytes(), "it has 2 entries and says 1");
    assert_refused(&Archive { count: 3, ..archive.clone() }.bytes(), "it has 2 entries and says 3");
    let gap = Archive { between: vec![0; 50], ..archive };
    assert_refused(&gap.bytes(), "can't be read as a zip archive");
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let bytes = zip(&[other("report.md"), run("run.json")]);
    for length in (0..bytes.len()).filter(|length| length % 7 == 0 || bytes.len() - length < 200) {
        refused(&bytes[..length]);
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    for bytes in [&b""[..], b"PK", RUN.as_bytes(), &[0; 100_000], b"PK\x05\x06", b"\x1f\x8b\x08\x00"] {
        assert_refused(bytes, "can't be read as a zip archive");
    }
}

#[test]
fn damaged_packing_is_refused() {
    let mut entry = run("run.json");
    entry.data[100..200].fill(0xff);
    let said = refused(&zip(&[entry]));
    assert!(said.contains("can't be unpacked") || said.contains("directory says"), "{said}");
    let cut = Entry { data: run("run.json").data[..500].to_vec(), ..run("run.json") };
    let said = refused(&zip(&[cut.both(|header| header.packed = 500)]));
    assert!(said.contains("can't be unpacked") || said.contains("another size"), "{said}");
}

#[test]
fn bytes_behind_the_packed_run_are_refused() {
    let mut entry = run("run.json");
    entry.data.extend(b"more");
    let longer = entry.both(|header| header.packed += 4);
    assert_eq!(longer.own.method, DEFLATED);
    assert_refused(&zip(&[longer]), "holds more than the directory says");
}
