//! Damaged archives and damaged runs: none ends the tool, and what is read can be judged and shown. PERFPLAN_FUZZ_SECONDS says
//! for how long.

use std::time::{Duration, Instant};

use fastrand::Rng;
use perfplan::store::read_artifact;
use perfplan::{report, verdict};
use serde_json::{Value, json};

use crate::support::{RUN, artifact, honest};
use crate::zip::{Entry, SIZES_LATER, zip};

fn time() -> Duration {
    let seconds = std::env::var("PERFPLAN_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(2))
}

/// Values that lengths, counts and offsets are wrong by.
const ODD: [u32; 10] = [0, 1, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.usize(..bytes.len());
    let header = |bytes: &[u8], rng: &mut Rng| {
        let found: Vec<usize> =
            bytes.windows(2).enumerate().filter(|(_, pair)| *pair == b"PK").map(|(at, _)| at).collect();
        if found.is_empty() { 0 } else { found[rng.usize(..found.len())] + rng.usize(..48) }
    };
    match rng.u8(..8) {
        0 => bytes[at] = rng.u8(..),
        1 => bytes[at] ^= 1 << rng.u8(..8),
        2 => bytes.truncate(at.max(1)),
        3 => drop(bytes.drain(at..(at + rng.usize(..64)).min(bytes.len()))),
        4 => {
            let copied = bytes[at..(at + rng.usize(..200)).min(bytes.len())].to_vec();
            let to = rng.usize(..=bytes.len());
            bytes.splice(to..to, copied);
        }
        // Most of what matters stands in headers.
        5 | 6 => {
            let (at, odd) = (header(bytes, rng), ODD[rng.usize(..ODD.len())].to_le_bytes());
            let length = if rng.bool() { 2 } else { 4 };
            bytes.iter_mut().skip(at).zip(&odd[..length]).for_each(|(byte, odd)| *byte = *odd);
        }
        _ => {
            let at = header(bytes, rng).min(bytes.len() - 1);
            bytes[at] = bytes[at].wrapping_add(rng.u8(..));
        }
    }
}

#[test]
fn no_damaged_archive_ends_the_tool() {
    let (mut rng, end) = (Rng::with_seed(6), Instant::now() + time());
    let streamed = Entry::deflated("x/run.json", RUN.as_bytes()).both(|header| header.flags = SIZES_LATER);
    let small = Entry::stored("run.json", b"{\"format\": 1}");
    let whole = [
        artifact(RUN),
        zip(&[Entry::stored("report.md", b"# x"), streamed, Entry::stored("a.svg", b"")]),
        zip(&[Entry::stored("a", b"b"), small]),
    ];
    let (mut tried, mut read) = (0_u64, 0_u64);
    while Instant::now() < end {
        let mut bytes = whole[rng.usize(..whole.len())].clone();
        (0..rng.usize(1..5)).for_each(|_| damage(&mut bytes, &mut rng));
        tried += 1;
        read += u64::from(read_artifact(&bytes).is_ok_and(|run| run == serde_json::from_str(RUN).unwrap()));
    }
    println!("{tried} archives, {read} of them read");
    assert!(tried > 100 && read < tried);
}

/// Puts something else in the place of one value.
fn spoil(value: &mut Value, rng: &mut Rng) {
    match value {
        Value::Array(list) if !list.is_empty() && rng.u8(..8) > 0 => {
            let at = rng.usize(..list.len());
            match rng.u8(..8) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                _ => spoil(&mut list[at], rng),
            }
        }
        Value::Object(fields) if !fields.is_empty() && rng.u8(..8) > 0 => {
            let at = rng.usize(..fields.len());
            if let Some((_, field)) = fields.iter_mut().nth(at) {
                spoil(field, rng);
            }
        }
        other => *other = odd(rng),
    }
}

fn odd(rng: &mut Rng) -> Value {
    let number = [0.0, -0.0, 5e-324, 1e-300, 1e18, -1e18, 0.5, 1.0, 1e9, 1e308];
    match rng.u8(..12) {
        0 => json!(null),
        1 => json!(rng.bool()),
        2 => json!(u64::MAX),
        3 => json!(1_u64 << rng.u8(..64)),
        4 => json!(-1),
        5 => json!([]),
        6 => json!({}),
        7 => json!("\u{202e}`|<b>@x"),
        8 => json!("working tree"),
        9 => json!(rng.u8(..4)),
        _ => json!(number[rng.usize(..number.len())]),
    }
}

#[test]
fn whatever_run_is_read_can_be_judged_and_shown() {
    let (mut rng, end) = (Rng::with_seed(7), Instant::now() + time());
    let (mut tried, mut read) = (0_u64, 0_u64);
    while Instant::now() < end {
        let mut run = honest();
        run["cases"] = json!([run["cases"][0], "step::s"]);
        run["steps"] = json!([{"case": "step::s", "after": "w::b", "claims": ["wall < 1s", "checksum == before"]}]);
        (0..rng.usize(1..4)).for_each(|_| spoil(&mut run, &mut rng));
        tried += 1;
        let Ok(run) = read_artifact(&artifact(run.to_string())) else { continue };
        read += 1;
        let view = report::View::of(&run, &verdict::judge(&run));
        let frame = report::Frame::default();
        let texts =
            [report::markdown(&view), report::comment(&view, &frame), report::check(&view, &frame, &|_| None).summary];
        assert!(texts.iter().all(|text| !text.contains("NaN") && text.chars().count() < 65_536), "{texts:?}");
        report::forest(&view).unwrap();
    }
    println!("{tried} runs, {read} of them read");
    assert!(tried > 20 && read > 0);
}
