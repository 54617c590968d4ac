//! Who else takes CPU time: neighbours on the hardware, other programs, limits of a container.

use super::super::finding::{Finding, Severity};
use super::known::{fact, listed, number};
use crate::samples::Environment;

/// Of the machine's CPU time, in per cent, what others may use before that is worth a word.
const OTHERS: f64 = 10.0;
/// Of the last ten seconds, in per cent, in how much something may have waited for a CPU.
const WAITED: f64 = 10.0;
/// Stolen or lost time in per cent, from which on measuring takes noticeably longer.
const TAKEN: f64 = 1.0;

pub(in super::super) fn cpus(environment: &Environment) -> Option<Finding> {
    let why =
        "all else that runs here takes turns with what is measured, which makes intervals about ten times as wide";
    let fix = "use a machine with two CPUs or more; in a container, allow two (docker run --cpuset-cpus=0,1)";
    let alone = listed(environment, "cpu.usable")? < 2;
    alone.then(|| Finding::new("one-cpu", Severity::Unfit, "only one CPU can be used", why, fix))
}

pub(in super::super) fn limit(environment: &Environment) -> Option<Finding> {
    let limit = number(environment, "cpu.limit")?;
    let severity = if limit < 2.0 { Severity::Unfit } else { Severity::Warning };
    let hit = number(environment, "cpu.limit.hit").filter(|share| *share > 0.0);
    let hit = hit.map_or(String::new(), |share| format!(", and stopped it in {share} % of all periods so far"));
    let what = format!("a control group limits this process to {limit} CPUs' worth of time{hit}");
    let why = "once the share of a period is used up, everything stands still until the next one begins";
    let fix =
        "give out whole CPUs instead of a quota: --cpuset-cpus for docker, a static CPU manager policy for Kubernetes";
    Some(Finding::new("cpu-quota", severity, what, why, fix))
}

pub(in super::super) fn part(environment: &Environment) -> Option<Finding> {
    let usable = listed(environment, "cpu.usable")?;
    let all: usize = environment.fingerprint.get("cpu.count")?.parse().ok()?;
    let what = format!("only {usable} of the machine's {all} CPUs can be used");
    let why = "who runs on the others shares caches, memory bandwidth and the clock with what is measured, and is not seen \
        from here";
    let fix = "nothing, where the others are idle or your own; else a machine for yourself";
    (usable < all).then(|| Finding::new("cpu-set", Severity::Note, what, why, fix))
}

/// Other programs: what was seen while looking on, else what waited lately, else the load, which takes a minute to notice.
pub(in super::super) fn busy(environment: &Environment) -> Option<Finding> {
    let cpus = listed(environment, "cpu.usable");
    let what = if let Some(others) = number(environment, "cpu.others") {
        let of = cpus.map_or(String::new(), |cpus| format!(" of {cpus} CPUs"));
        (others >= OTHERS).then(|| format!("other programs are running: they use {others} %{of}"))
    } else if let Some(waited) = number(environment, "psi.cpu") {
        (waited >= WAITED).then(|| format!("programs waited for a CPU in {waited} % of the last ten seconds"))
    } else {
        let (load, cpus) = (number(environment, "load")?, cpus?);
        (load > cpus as f64 / 2.0).then(|| format!("other programs are running: the load is {load} on {cpus} CPUs"))
    };
    let why = "they take CPU time, caches and memory bandwidth from what is measured";
    let fix = "see what runs (ps aux --sort=-%cpu), and end it or wait";
    what.map(|what| Finding::new("busy-machine", Severity::Warning, what, why, fix))
}

pub(in super::super) fn steal(environment: &Environment) -> Option<Finding> {
    let recent = number(environment, "cpu.steal.recent").map(|share| (share, "while doctor looked on"));
    let ever = || number(environment, "cpu.steal").map(|share| (share, "since this one started"));
    let (share, when) = recent.or_else(ever).filter(|(share, _)| *share >= TAKEN)?;
    let what = format!("the hypervisor gave {share} % of the CPU time to other machines {when}");
    let why = "blocks in which that happens are dropped, so measuring takes longer";
    let fix = "use a machine class with CPUs of its own, where verdicts take too long";
    Some(Finding::new("steal", Severity::Warning, what, why, fix))
}

/// Time that is missing and that neither other programs here nor the hypervisor own up to.
pub(in super::super) fn lost(environment: &Environment) -> Option<Finding> {
    let lost = number(environment, "cpu.lost").filter(|share| *share >= TAKEN)?;
    if busy(environment).is_some() || steal(environment).is_some() || limit(environment).is_some() {
        return None;
    }
    let longest = fact(environment, "cpu.lost.longest").unwrap_or("an unknown time");
    let what = format!("a loop that only read the clock stood still for {lost} % of the time, {longest} at once");
    let why = "nothing that runs here took that time: a hypervisor that hides what it steals, or firmware; such blocks can't \
        be told from slow ones and make intervals wider";
    let fix = "use another machine class, where verdicts take too long";
    Some(Finding::new("lost-time", Severity::Warning, what, why, fix))
}

pub(in super::super) fn pressure(environment: &Environment) -> Option<Finding> {
    let what = "the kernel tells no pressure (PSI)";
    let why = "that other programs wait for a CPU can't be seen while measuring";
    let absent = fact(environment, "psi")? == "absent";
    absent.then(|| Finding::new("no-psi", Severity::Note, what, why, "boot the kernel with psi=1"))
}
