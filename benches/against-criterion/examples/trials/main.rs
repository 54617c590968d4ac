//! Trials of criterion with a stored baseline: the truth is known, how often does it say something else?
//!
//! Per trial one run of the plain program is saved as the baseline; another run of the same program, and a run of the
//! program that does 1 % more work, are compared with it. `README.md` tells what the figures mean.

mod programs;
mod runs;
mod said;
mod table;

use std::io::{self, Write};

use anyhow::Result;
use clap::Parser;

use programs::Programs;
use runs::Runs;
use table::{Observation, Truth};

/// How often does criterion call an unchanged program changed, and how often does it find 1 % more work?
#[derive(Debug, Parser)]
struct Options {
    /// How often a baseline is saved and compared with
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    trials: u32,
    /// Warm-up per kernel and run
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 0.5)]
    warm_up: f64,
    /// Measuring time per kernel and run
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 2.0)]
    time: f64,
}

/// criterion panics on a time that isn't above 0.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if seconds > 0.0 && seconds.is_finite() { Ok(seconds) } else { Err("a time is above 0".to_owned()) }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let programs = programs::build()?;
    let runs = Runs { home: programs.folder.join("criterion"), warm_up: options.warm_up, time: options.time };
    let mut seen = Vec::new();
    let ended = (0..options.trials).try_for_each(|number| {
        writeln!(io::stderr(), "trial {} of {}", number + 1, options.trials)?;
        trial(number, &programs, &runs, &mut seen)
    });
    // A trial that fails doesn't take the others' figures along.
    if !seen.is_empty() {
        writeln!(io::stdout(), "{}\n{}", table::markdown(&seen), other_column(options.trials))?;
    }
    ended
}

/// Saves a baseline and compares both programs with it, in an order that takes turns: neither is always the later one.
fn trial(number: u32, programs: &Programs, runs: &Runs, seen: &mut Vec<Observation>) -> Result<()> {
    runs.forget()?;
    let baseline = runs.save(&programs.plain)?;
    let mut order = [(Truth::Unchanged, &programs.plain), (Truth::OnePercentMore, &programs.extra)];
    order.rotate_left(number as usize % 2);
    for (truth, program) in order {
        let (changes, took) = runs.compare(program)?;
        let kernels = changes.len() as u32;
        let took = (baseline + took) / kernels;
        for (kernel, change) in changes {
            let observation = Observation { kernel, truth, change, took };
            writeln!(io::stderr(), "  {}", observation.line())?;
            seen.push(observation);
        }
    }
    Ok(())
}

fn other_column(trials: u32) -> String {
    format!(
        "For the same figures of cargo perfplan, on the same kernels:\n  \
         cargo perfplan selftest --plan benches/against-criterion/perfplan.toml --trials {trials} --kind layouts \
         --change one-percent-more=1%"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_consistent_and_a_time_is_above_zero() {
        let parse = |time| Options::try_parse_from(["trials", "--time", time]);
        assert_eq!(parse("0.5").unwrap().time, 0.5);
        for wrong in ["0", "-1", "inf", "NaN", "2s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
