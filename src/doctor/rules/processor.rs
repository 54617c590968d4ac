//! How fast the processor runs, and which of its parts are shared.

use super::super::finding::{Finding, Severity};
use super::known::{fact, listed, number};
use crate::samples::Environment;

pub(in super::super) fn governor(environment: &Environment) -> Option<Finding> {
    let governor = fact(environment, "cpu.governor").filter(|governor| *governor != "performance")?;
    let driver = fact(environment, "cpu.driver").map_or(String::new(), |driver| format!(" ({driver})"));
    let what = format!("the CPU governor is {governor}{driver}");
    let why = "the clock follows the load of the last milliseconds, so that waiting makes the next batch slow";
    Some(Finding::new("governor", Severity::Warning, what, why, "sudo cpupower frequency-set --governor performance"))
}

pub(in super::super) fn throttled(environment: &Environment) -> Option<Finding> {
    let times = |name| number(environment, name).filter(|times| *times > 0.0);
    let why = "a processor that is too hot clocks down for as long as it likes; in lockstep that hits all arms alike, but \
        intervals grow";
    let fix = "better cooling, or a lower and steady clock: sudo cpupower frequency-set --max FREQUENCY";
    let found = |severity, what| Finding::new("throttled", severity, what, why, fix);
    if let Some(times) = times("cpu.throttled.recent") {
        let what = format!("the processor is too hot: it was clocked down {times} times while doctor looked on");
        return Some(found(Severity::Warning, what));
    }
    let times = times("cpu.throttled")?;
    Some(found(Severity::Note, format!("the processor was too hot {times} times since the machine started")))
}

pub(in super::super) fn turbo(environment: &Environment) -> Option<Finding> {
    let why =
        "the clock depends on temperature and on what the other cores do; measuring in lockstep hits all arms alike";
    let fix = "for narrower intervals: echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo, or \
        echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost";
    let on = fact(environment, "cpu.turbo")? == "on";
    on.then(|| Finding::new("turbo", Severity::Note, "turbo is on", why, fix))
}

pub(in super::super) fn siblings(environment: &Environment) -> Option<Finding> {
    let why = "two CPUs are one core: what runs on the one slows the other";
    let fix = "for narrower intervals: echo off | sudo tee /sys/devices/system/cpu/smt/control";
    let on = fact(environment, "cpu.smt")? == "on";
    on.then(|| Finding::new("smt", Severity::Note, "hyper-threading is on", why, fix))
}

pub(in super::super) fn nodes(environment: &Environment) -> Option<Finding> {
    let nodes = listed(environment, "numa.nodes").filter(|nodes| *nodes > 1)?;
    let balanced = fact(environment, "numa.balancing")? == "on";
    let what = format!("the machine has {nodes} memory nodes, and the kernel moves pages between them");
    let why = "pages are taken away from a program that runs to see where it wants them: faults at random moments";
    let fix = "sudo sysctl kernel.numa_balancing=0";
    balanced.then(|| Finding::new("numa-balancing", Severity::Note, what, why, fix))
}
