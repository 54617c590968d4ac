//! The program run by hand: `list` and `run CASE`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::chart;
use crate::latency::OpenLoop;
use crate::protocol::Size;
use crate::suite::{Case, Suite, Work};

const HELP: &str = "Cases that `cargo perfplan` measures. By hand:
  list              the cases and what they do
  run CASE [SIZE]   one case for a second: time per iteration or latencies, checksum (SIZE: quick, default or full)
Times by hand are for orientation; `cargo perfplan run` tells whether a change is real.";

/// How long `run` works.
const PATIENCE: Duration = Duration::from_secs(1);
/// The part of a load that comes before, unseen: connections, caches and buffers warm up.
const WARM_UP: u64 = 5;

pub(crate) fn main(suite: &Suite, arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (text, code) = match words.as_slice() {
        [] | ["help" | "-h" | "--help"] => (HELP.to_owned(), ExitCode::SUCCESS),
        ["list"] => (list(suite), ExitCode::SUCCESS),
        ["run", case] => told(run(suite, case, Size::Default)),
        ["run", case, size] => told(size.parse().and_then(|size| run(suite, case, size))),
        other => told(Err(format!("unknown arguments {other:?}\n{HELP}"))),
    };
    // A closed pipe (`list | head`) is the reader's choice, no failure.
    let _ = writeln!(io::stdout(), "{text}");
    code
}

fn told(result: Result<String, String>) -> (String, ExitCode) {
    match result {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(text) => (text, ExitCode::from(2)),
    }
}

fn list(suite: &Suite) -> String {
    let widest = suite.cases.iter().map(|case| case.description.name.len()).max().unwrap_or(0);
    let line = |case: &Case| format!("{:widest$}  {}", case.description.name, case.description.about);
    suite.cases.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn run(suite: &Suite, name: &str, size: Size) -> Result<String, String> {
    let case = suite.cases.iter().find(|case| case.description.name == name);
    let case = case.ok_or_else(|| format!("no case {name:?}; `list` names them"))?;
    let mut work = (case.setup)(size);
    Ok(match case.description.rate {
        Some(rate) => under_load(name, rate, &mut work),
        None => in_batches(name, &mut work),
    })
}

fn in_batches(name: &str, work: &mut Work) -> String {
    let n = calibrate(work);
    let (mut times, end) = (Vec::new(), Instant::now() + PATIENCE);
    let mut last = work(n, 0);
    while times.len() < 3 || Instant::now() < end {
        let start = Instant::now();
        last = work(n, 0);
        times.push(start.elapsed().as_nanos() as f64 / n as f64);
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let text = format!("{name}: {:.1} ns per iteration (middle half {:.1} to {:.1})", at(0.5), at(0.25), at(0.75));
    text + &format!("\n  {} batches of {n}, checksum {:016x}", times.len(), last.checksum)
}

/// One batch, as long as patience lasts: a queue that grows is seen only by who looks on for long enough.
fn under_load(name: &str, rate: f64, work: &mut Work) -> String {
    let per_iteration = OpenLoop::at(rate).per_iteration() as f64;
    let n = (rate * PATIENCE.as_secs_f64() / per_iteration).ceil() as u64;
    work(n.div_ceil(WARM_UP), 0);
    let outcome = work(n, 0);
    let text = outcome.latency.as_ref().map_or_else(String::new, chart::latencies);
    format!(
        "{name}: open loop, each latency from when the arrival was due\n{text}\n  checksum {:016x}",
        outcome.checksum
    )
}

/// Iterations that take about a millisecond.
fn calibrate(work: &mut Work) -> u64 {
    let mut n = 1;
    loop {
        let start = Instant::now();
        work(n, 0);
        if start.elapsed() >= Duration::from_millis(1) || n >= 1 << 40 {
            return n;
        }
        n *= 2;
    }
}
