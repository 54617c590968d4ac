//! `generator generate`: the arguments, and what is said at the end.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use super::day::{self, Done, Order, SEED};

const HELP: &str = "generate --subscribers N --out DIR [--naive] [--shards N] [--rotate SIZE] [--seed N]
  [--keep]
  One day of call detail records of N subscribers (2 to 10M), to gzip files in a new or empty folder.
  --naive         every part as it was before its optimisation
  --shards N      so many threads and shards (1 to 1000; as many as CPUs)
  --rotate SIZE   largest size of a file, bytes before compression (16M)
  --seed N        another seed makes other people, who do other things (1)
  --keep          leave the database of another seed than 1 for the next run; else it is removed at the end
N and SIZE are whole numbers, with k, M or G behind them for thousands, millions and thousands of millions.";

const MOST_SUBSCRIBERS: u64 = 10_000_000;
const MOST_SHARDS: u64 = 1_000;
const ROTATE_BYTES: u64 = 16_000_000;

/// Generates what the arguments after `generate` say. Exit codes: 0, 1 where it could not be done, 2 where the arguments are
/// wrong.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match parse(arguments) {
        Ok(None) => said(HELP),
        Ok(Some(order)) => run(&order),
        Err(fault) => failed(&format!("{fault}\n{HELP}"), 2),
    }
}

fn run(order: &Order) -> ExitCode {
    match day::generate(order) {
        Ok(done) => {
            let said = said(&summary(order, &done, peak_memory()));
            complaints(done).fold(said, |_, text| failed(&text, 1))
        }
        Err(error) => failed(&format!("{error:#}"), 1),
    }
}

/// All that went wrong, in words.
fn complaints(done: Done) -> impl Iterator<Item = String> {
    done.failures.into_iter().map(|failure| failure.to_string()).chain(done.faults)
}

fn said(text: &str) -> ExitCode {
    // A closed pipe is the reader's choice, no failure.
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::SUCCESS
}

fn failed(text: &str, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}

/// What the arguments order; `None` where they ask for help.
fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<Order>, String> {
    let (mut subscribers, mut out) = (None, None);
    let mut order = Order {
        subscribers: 0,
        naive: false,
        shards: cpus(),
        rotate_bytes: ROTATE_BYTES,
        seed: SEED,
        keep: false,
        out: PathBuf::new(),
    };
    while let Some(option) = arguments.next() {
        let name = option.to_string_lossy();
        let mut value = || arguments.next().ok_or_else(|| format!("{name} has no value"));
        let number = |value: OsString, least, most| number(&name, &value.to_string_lossy(), least, most);
        match &*name {
            "help" | "-h" | "--help" => return Ok(None),
            "--naive" => order.naive = true,
            "--keep" => order.keep = true,
            "--subscribers" => subscribers = Some(number(value()?, 2, MOST_SUBSCRIBERS)?),
            "--shards" => order.shards = number(value()?, 1, MOST_SHARDS)? as u32,
            "--rotate" => order.rotate_bytes = number(value()?, 1, u64::MAX)?,
            "--seed" => order.seed = number(value()?, 0, u64::MAX)?,
            "--out" => out = Some(PathBuf::from(value()?)),
            _ => return Err(format!("unknown argument {name:?}")),
        }
    }
    order.subscribers = subscribers.ok_or("--subscribers N is missing")?;
    order.out = out.ok_or("--out DIR is missing")?;
    Ok(Some(order))
}

/// A whole number from `least` to `most`, such as 12, 10k or 1M.
fn number(option: &str, text: &str, least: u64, most: u64) -> Result<u64, String> {
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k') => (&text[..text.len() - 1], 1_000),
        Some(b'M') => (&text[..text.len() - 1], 1_000_000),
        Some(b'G') => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        let most = if most == u64::MAX { String::new() } else { format!(" to {most}") };
        format!("{option} {text:?} is no whole number from {least}{most}")
    })
}

fn cpus() -> u32 {
    thread::available_parallelism().map_or(1, |cpus| cpus.get() as u32)
}

fn summary(order: &Order, done: &Done, peak: Option<u64>) -> String {
    let seconds = done.took.as_secs_f64();
    let mut text = format!(
        "{} records of {} subscribers in {} files of {} complete shards, in {}",
        done.records,
        order.subscribers,
        done.files,
        order.shards as usize - done.failures.len(),
        order.out.display()
    );
    text += &format!("\n  {seconds:.2} s, {:.0} records/s", done.records as f64 / seconds.max(1e-9));
    if let Some(kibibytes) = peak {
        text += &format!("\n  peak resident memory {:.1} MiB", kibibytes as f64 / 1_024.0);
    }
    if let Some(lookups) = done.lookups {
        text += &format!("\n  cache hit rate {:.2} %", 100.0 * lookups.hit_rate());
    }
    text
}

/// The most memory that this process ever had resident, KiB.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::subscribers::Lookups;
    use crate::writer::WriteError;

    fn parsed(arguments: &str) -> Result<Option<Order>, String> {
        parse(arguments.split_whitespace().map(OsString::from))
    }

    fn order() -> Order {
        let out = PathBuf::from("d");
        let (shards, rotate_bytes) = (cpus(), ROTATE_BYTES);
        Order { subscribers: 10_000, naive: false, shards, rotate_bytes, seed: SEED, keep: false, out }
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        assert_eq!(parsed("--subscribers 10k --out d"), Ok(Some(order())));
    }

    #[test]
    fn everything_can_be_said_in_any_order() {
        let said = "--out d --seed 7 --keep --naive --rotate 512k --shards 3 --subscribers 1M";
        let expected = Order {
            subscribers: 1_000_000,
            naive: true,
            shards: 3,
            rotate_bytes: 512_000,
            seed: 7,
            keep: true,
            ..order()
        };
        assert_eq!(parsed(said), Ok(Some(expected)));
    }

    #[test]
    fn who_asks_for_help_gets_it() {
        assert_eq!(["help", "--subscribers 5 -h", "--help"].map(parsed), [Ok(None), Ok(None), Ok(None)]);
    }

    #[test]
    fn wrong_arguments_are_named_with_what_would_be_right() {
        let says = |arguments: &str| parsed(arguments).unwrap_err();
        assert_eq!(says(""), "--subscribers N is missing");
        assert_eq!(says("--subscribers 10k"), "--out DIR is missing");
        assert_eq!(says("--out"), "--out has no value");
        assert_eq!(says("--fast"), "unknown argument \"--fast\"");
        assert_eq!(says("--subscribers 1"), "--subscribers \"1\" is no whole number from 2 to 10000000");
        assert_eq!(says("--shards 0"), "--shards \"0\" is no whole number from 1 to 1000");
        assert_eq!(says("--seed -1"), "--seed \"-1\" is no whole number from 0");
        for wrong in ["", "k", "1.5k", "10K", "99999999999999999999", "99999999999999999G", "1ä"] {
            assert!(number("--seed", wrong, 0, u64::MAX).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_summary_has_rates_and_what_is_known_of_memory_and_cache() {
        let lookups = Some(Lookups { hits: 99, misses: 1 });
        let (took, failures, faults) = (Duration::from_millis(1_500), Vec::new(), vec!["not a shard".to_owned()]);
        let done = Done { records: 3_000, files: 4, took, lookups, failures, faults };
        let order = Order { shards: 2, ..order() };
        let expected = "3000 records of 10000 subscribers in 4 files of 2 complete shards, in d\n  1.50 s, 2000 records/s\n  \
                        peak resident memory 2.5 MiB\n  cache hit rate 99.00 %";
        assert_eq!(summary(&order, &done, Some(2_560)), expected);
        let done = Done { lookups: None, ..done };
        assert_eq!(summary(&order, &done, None).lines().count(), 2);
    }

    #[test]
    fn shards_that_failed_and_other_faults_are_complained_about() {
        let cause = std::io::Error::other("gone");
        let failure = WriteError { shard: 1, file: PathBuf::from("d"), safe: 2, lost: 3, cause };
        let (failures, faults) = (vec![failure.into()], vec!["no statistics".to_owned()]);
        let done = Done { records: 0, files: 0, took: Duration::ZERO, lookups: None, failures, faults };
        let says = ["shard 1: d: gone; 2 records are safe, 3 are lost at most", "no statistics"];
        assert_eq!(complaints(done).collect::<Vec<_>>(), says);
    }

    #[test]
    fn this_process_has_some_memory() {
        assert!(peak_memory().unwrap() > 100);
    }
}
