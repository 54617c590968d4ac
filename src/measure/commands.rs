//! Command workloads: one execution per arm and round, in random order.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use fastrand::Rng;

use super::bench::Settings;
use super::lockstep::Broken;
use super::subject::{Command, Subject};
use crate::process::{self, Output, Spec};
use crate::samples::{ArmRound, Metric, Round};

/// Runs every arm once.
pub(super) fn round(
    subject: &Subject,
    command: &Command,
    arms: &[usize],
    settings: &Settings,
    rng: &mut Rng,
) -> Result<Round, Broken> {
    let begun = Instant::now();
    let mut order = arms.to_vec();
    rng.shuffle(&mut order);
    let mut parts = Vec::new();
    for arm in order {
        let output = execute(subject, command, arm, settings).map_err(|why| Broken { arm, why })?;
        parts.push(part(arm, &output));
    }
    // Told in the order of the arms, whatever the order of running was.
    parts.sort_by_key(|part| part.arm);
    let inside_ns = parts.iter().flat_map(|part| part.batches.get(&Metric::wall())).flatten().sum::<f64>() as u64;
    Ok(Round { elapsed_ns: begun.elapsed().as_nanos() as u64, inside_ns, dropped: 0, arms: parts })
}

fn execute(subject: &Subject, command: &Command, arm: usize, settings: &Settings) -> Result<Output> {
    let (program, arguments) = command.argv.split_first().context("a command without a program")?;
    let mut spec = Spec::new(program).args(arguments).timeout(settings.timeout).cpus(&settings.cpus);
    if let Some(folder) = command.folders.get(arm) {
        spec = spec.current_dir(folder);
    }
    for (name, value) in &subject.arms[arm].env {
        spec = spec.env(name, value);
    }
    process::run(&spec)?.check("the command")
}

fn part(arm: usize, output: &Output) -> ArmRound {
    let usage = output.usage;
    let named = |values: &[(&str, f64)]| -> Vec<(Metric, f64)> {
        values.iter().filter_map(|(name, value)| Some((name.parse().ok()?, *value))).collect()
    };
    let cpu = (usage.user_ns + usage.system_ns) as f64;
    let times = named(&[("wall", usage.elapsed_ns as f64), ("cpu", cpu)]);
    let process = named(&[
        ("rss.peak", usage.max_rss_bytes as f64),
        ("faults.minor", usage.minor_faults as f64),
        ("faults.major", usage.major_faults as f64),
    ]);
    ArmRound {
        arm,
        layout: None,
        // The output is not compared: commands print times, paths and versions.
        checksum: String::new(),
        batches: times.into_iter().map(|(metric, value)| (metric, vec![value])).collect(),
        process: process.into_iter().collect::<BTreeMap<_, _>>(),
    }
}
