//! What is wrong with a machine, and how to put it right. Pure: from the facts that were recorded.

use serde::Serialize;

use super::counters::FORBIDDEN;
use crate::samples::Environment;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The machine is unfit: verdicts would take far longer, or not come at all.
    Unfit,
    /// Intervals are wider than they have to be, or something that is wanted is missing.
    Warning,
    /// Worth knowing.
    Note,
}

/// Something about the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What is the case: `the CPU governor is powersave`.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// What to do about it, a command where there is one.
    pub fix: String,
}

impl Finding {
    fn new(severity: Severity, what: impl Into<String>, why: &str, fix: &str) -> Self {
        Self { severity, what: what.into(), why: why.to_owned(), fix: fix.to_owned() }
    }
}

/// Everything that there is to say about a machine, what matters most first.
#[must_use]
pub fn findings(environment: &Environment) -> Vec<Finding> {
    let rules =
        [cpus, limit, toolchain, governor, load, steal, swap, aslr, counters, pressure, turbo, siblings, hugepages];
    let mut all: Vec<Finding> = rules.iter().filter_map(|rule| rule(environment)).collect();
    all.sort_by_key(|finding| finding.severity);
    all
}

fn fact<'e>(environment: &'e Environment, name: &str) -> Option<&'e str> {
    environment.circumstances.get(name).map(String::as_str)
}

/// The number that a fact begins with.
fn number(environment: &Environment, name: &str) -> Option<f64> {
    fact(environment, name)?.split_whitespace().next()?.parse().ok()
}

/// How many CPUs a list such as `0-2,5` has.
fn usable(environment: &Environment) -> Option<usize> {
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    fact(environment, "cpu.usable")?.split(',').map(count).sum()
}

fn cpus(environment: &Environment) -> Option<Finding> {
    let why =
        "all else that runs here takes turns with what is measured, which makes intervals about ten times as wide";
    let fix = "use a machine with two CPUs or more; in a container, allow two (docker run --cpuset-cpus=0,1)";
    (usable(environment)? < 2).then(|| Finding::new(Severity::Unfit, "only one CPU can be used", why, fix))
}

fn limit(environment: &Environment) -> Option<Finding> {
    let limit = number(environment, "cpu.limit")?;
    let severity = if limit < 2.0 { Severity::Unfit } else { Severity::Warning };
    let what = format!("a control group limits this process to {limit} CPUs' worth of time");
    let why = "once the share of a period is used up, everything stands still until the next one begins";
    let fix =
        "give out whole CPUs instead of a quota: --cpuset-cpus for docker, a static CPU manager policy for Kubernetes";
    Some(Finding::new(severity, what, why, fix))
}

fn toolchain(environment: &Environment) -> Option<Finding> {
    let why = "nothing can be built, and runs can't be told apart by their compiler";
    let fix = "install Rust (https://rustup.rs), or set RUSTC";
    let missing = !environment.fingerprint.contains_key("rustc");
    missing.then(|| Finding::new(Severity::Unfit, "rustc does not say its version", why, fix))
}

fn governor(environment: &Environment) -> Option<Finding> {
    let governor = fact(environment, "cpu.governor").filter(|governor| *governor != "performance")?;
    let what = format!("the CPU governor is {governor}");
    let why = "the clock follows the load of the last milliseconds, so that waiting makes the next batch slow";
    Some(Finding::new(Severity::Warning, what, why, "sudo cpupower frequency-set --governor performance"))
}

fn load(environment: &Environment) -> Option<Finding> {
    let (load, cpus) = (number(environment, "load")?, usable(environment)?);
    let what = format!("other programs are running: the load is {load} on {cpus} CPUs");
    let why = "they take CPU time, caches and memory bandwidth from what is measured";
    let fix = "see what runs (ps aux --sort=-%cpu), and end it or wait";
    (load > cpus as f64 / 2.0).then(|| Finding::new(Severity::Warning, what, why, fix))
}

fn steal(environment: &Environment) -> Option<Finding> {
    let share = number(environment, "cpu.steal").filter(|share| *share >= 1.0)?;
    let what = format!("the hypervisor gave {share} % of the CPU time to other machines since this one started");
    let why = "blocks in which that happens are dropped, so measuring takes longer";
    Some(Finding::new(
        Severity::Warning,
        what,
        why,
        "use a machine class with CPUs of its own, where verdicts take too long",
    ))
}

fn swap(environment: &Environment) -> Option<Finding> {
    let swapped = number(environment, "memory.swapped").filter(|swapped| *swapped > 0.0)?;
    let what = format!("{swapped} MiB of memory have been swapped out");
    let why = "reading them back takes disk and CPU time at random moments";
    let fix = "free memory, then: sudo swapoff -a && sudo swapon -a";
    Some(Finding::new(Severity::Note, what, why, fix))
}

fn aslr(environment: &Environment) -> Option<Finding> {
    let setting = fact(environment, "aslr").filter(|setting| *setting != "full")?;
    let what = format!("address space randomisation is {setting}");
    let why = "every process then gets the same addresses, and their luck is measured instead of averaged out";
    Some(Finding::new(Severity::Warning, what, why, "sudo sysctl kernel.randomize_va_space=2"))
}

fn counters(environment: &Environment) -> Option<Finding> {
    let (metric, reason) = environment.absent.first_key_value()?;
    let names: Vec<&str> = environment.absent.keys().map(String::as_str).collect();
    let what = format!("hardware counters are absent ({}): {metric}: {reason}", names.join(", "));
    let why = "time is judged without them; they only explain it";
    Some(if environment.absent.values().any(|reason| reason.starts_with(FORBIDDEN)) {
        Finding::new(Severity::Warning, what, why, "sudo sysctl kernel.perf_event_paranoid=2")
    } else {
        Finding::new(
            Severity::Note,
            what,
            why,
            "none on this machine; bare metal has them, and some virtual machine classes",
        )
    })
}

fn pressure(environment: &Environment) -> Option<Finding> {
    let why = "that other programs wait for a CPU can't be seen while measuring";
    let absent = fact(environment, "psi")? == "absent";
    absent
        .then(|| Finding::new(Severity::Note, "the kernel tells no pressure (PSI)", why, "boot the kernel with psi=1"))
}

fn turbo(environment: &Environment) -> Option<Finding> {
    let why =
        "the clock depends on temperature and on what the other cores do; measuring in lockstep hits all arms alike";
    let fix = "for narrower intervals: echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo, or \
        echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost";
    (fact(environment, "cpu.turbo")? == "on").then(|| Finding::new(Severity::Note, "turbo is on", why, fix))
}

fn siblings(environment: &Environment) -> Option<Finding> {
    let why = "two CPUs are one core: what runs on the one slows the other";
    let fix = "for narrower intervals: echo off | sudo tee /sys/devices/system/cpu/smt/control";
    (fact(environment, "cpu.smt")? == "on").then(|| Finding::new(Severity::Note, "hyper-threading is on", why, fix))
}

fn hugepages(environment: &Environment) -> Option<Finding> {
    let why = "whether memory comes in huge pages depends on how fragmented it is, and moves times and peak memory";
    let fix = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled";
    let always = fact(environment, "memory.hugepages")? == "always";
    always.then(|| Finding::new(Severity::Note, "transparent huge pages are always tried", why, fix))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A machine to which nothing can be objected, with changes.
    fn machine(changes: &[(&str, &str)]) -> Environment {
        let plain = [
            ("aslr", "full"),
            ("cpu.governor", "performance"),
            ("cpu.limit", "none"),
            ("cpu.smt", "off"),
            ("cpu.steal", "0.10 %"),
            ("cpu.turbo", "off"),
            ("cpu.usable", "0-3"),
            ("load", "0.10 0.20 0.30"),
            ("memory.hugepages", "madvise"),
            ("memory.swapped", "0 MiB"),
            ("psi", "available"),
        ];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment {
            fingerprint: BTreeMap::from([owned(&("rustc", "1.95.0"))]),
            circumstances: plain.iter().chain(changes).map(owned).collect(),
            absent: BTreeMap::new(),
        }
    }

    #[test]
    fn nothing_is_said_of_a_good_machine() {
        assert_eq!(findings(&machine(&[])), []);
    }

    #[test]
    fn each_bad_circumstance_is_one_finding_of_its_weight() {
        for (name, value, severity, what) in [
            ("cpu.usable", "3", Severity::Unfit, "only one CPU"),
            ("cpu.limit", "1.50 CPUs", Severity::Unfit, "limits this process to 1.5 CPUs"),
            ("cpu.limit", "4.00 CPUs", Severity::Warning, "limits this process to 4 CPUs"),
            ("cpu.governor", "performance powersave", Severity::Warning, "governor is performance powersave"),
            ("load", "2.50 1.00 0.50", Severity::Warning, "the load is 2.5 on 4 CPUs"),
            ("cpu.steal", "3.20 %", Severity::Warning, "gave 3.2 %"),
            ("memory.swapped", "12 MiB", Severity::Note, "12 MiB"),
            ("aslr", "off", Severity::Warning, "randomisation is off"),
            ("psi", "absent", Severity::Note, "PSI"),
            ("cpu.turbo", "on", Severity::Note, "turbo"),
            ("cpu.smt", "on", Severity::Note, "hyper-threading"),
            ("memory.hugepages", "always", Severity::Note, "huge pages"),
        ] {
            let found = findings(&machine(&[(name, value)]));
            assert_eq!(found.len(), 1, "{name} = {value}: {found:?}");
            assert_eq!(found[0].severity, severity, "{name} = {value}");
            assert!(found[0].what.contains(what), "{:?} lacks {what:?}", found[0].what);
        }
    }

    #[test]
    fn counters_that_are_forbidden_can_be_allowed_and_missing_ones_can_not() {
        let of = |reason: &str| {
            let absent = BTreeMap::from([("cycles".to_owned(), reason.to_owned())]);
            findings(&Environment { absent, ..machine(&[]) }).remove(0)
        };
        let forbidden = of("not permitted (kernel.perf_event_paranoid is 3)");
        assert_eq!(
            (forbidden.severity, &*forbidden.fix),
            (Severity::Warning, "sudo sysctl kernel.perf_event_paranoid=2")
        );
        assert_eq!(of("this machine has no such counter").severity, Severity::Note);
    }

    #[test]
    fn what_makes_a_machine_unfit_comes_first() {
        let mut environment = machine(&[("cpu.turbo", "on"), ("aslr", "off"), ("cpu.usable", "0")]);
        environment.fingerprint.clear();
        let severities: Vec<Severity> = findings(&environment).iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Unfit, Severity::Unfit, Severity::Warning, Severity::Note]);
    }

    #[test]
    fn facts_that_are_not_known_are_no_findings() {
        let mut environment = machine(&[]);
        environment.circumstances.clear();
        assert_eq!(findings(&environment), []);
    }
}
