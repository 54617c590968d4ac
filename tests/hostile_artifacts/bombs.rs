//! Archives that swell.

use std::time::{Duration, Instant};

use crate::support::{RUN, artifact, assert_refused, assert_text_refused};
use crate::zip::{Archive, Entry, zip};

/// What takes longer than this was unpacked, not refused.
const AT_ONCE: Duration = Duration::from_secs(10);

#[test]
fn an_archive_beyond_256_mib_is_refused_at_once() {
    let begun = Instant::now();
    assert_refused(&vec![0; (256 << 20) + 1], "more than 256 MiB");
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
fn ten_thousand_entries_are_enough() {
    let entry = |number: usize| Entry::stored(&format!("flamegraphs/{number}.svg"), b"");
    let mut entries: Vec<Entry> = (1..10_000).map(entry).collect();
    entries.push(Entry::deflated("run.json", RUN.as_bytes()));
    perfplan::store::read_artifact(&zip(&entries)).unwrap();
    entries.push(entry(0));
    assert_refused(&zip(&entries), "more than 10000 entries");
}

#[test]
fn a_directory_that_says_less_than_it_has_is_not_read_to_its_end() {
    let entries: Vec<Entry> = (0..20_000).map(|number| Entry::stored(&number.to_string(), b"")).collect();
    assert_refused(&Archive { count: 1, ..Archive::of(&entries) }.bytes(), "more than 10000 entries");
}

#[test]
fn a_run_that_says_that_it_is_beyond_64_mib_is_refused_before_it_is_unpacked() {
    let bomb = zip(&[Entry::deflated("run.json", &vec![b' '; (64 << 20) + 1])]);
    let begun = Instant::now();
    assert_refused(&bomb, "is larger than 64 MiB");
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
fn a_run_that_says_that_it_is_small_and_is_not_is_unpacked_no_further_than_it_says() {
    let bomb = Entry::deflated("run.json", &vec![b' '; 100 << 20]).both(|header| header.size = 1_000_000);
    let begun = Instant::now();
    assert_refused(&zip(&[bomb]), "holds more than the directory says");
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
fn what_lies_behind_the_announced_size_is_never_reached() {
    // Four blocks that are not packed at all, and then one of a kind that there is not.
    let block = [&[0, 0x50, 0xc3, 0xaf, 0x3c][..], &[b' '; 50_000]].concat();
    let mut entry = Entry::deflated("run.json", b"").both(|header| header.size = 500);
    entry.data = [block.repeat(4), vec![7; 100]].concat();
    let packed = u32::try_from(entry.data.len()).unwrap();
    assert_refused(&zip(&[entry.both(|header| header.packed = packed)]), "holds more than the directory says");
}

#[test]
fn what_is_packed_better_than_any_run_is_refused() {
    let bomb = Entry::deflated("run.json", &vec![b' '; 32 << 20]);
    assert_refused(&zip(&[bomb]), "is packed 100 times, as no run is");
}

#[test]
fn an_archive_in_the_archive_is_not_unpacked() {
    assert_text_refused(artifact(RUN), "run.json: expected value at line 1");
}

#[test]
fn a_run_that_would_swell_in_memory_is_refused_before_it_does() {
    let many = |piece: &dyn Fn(usize) -> String| (0..2_000_000).map(piece).collect::<Vec<_>>().join(",");
    let text = RUN.replace(
        "\"circumstances\": {}",
        &format!("\"x\": [{}], \"circumstances\": {{}}", many(&|n| format!("{{\"{n}\":[]}}"))),
    );
    assert_text_refused(text, "more than 512 MiB of memory");
}
