//! What is wrong with a machine, and how to put it right. Pure: from the facts that were recorded.

use super::finding::{Finding, Severity, Subject};
use super::rules::{clock, memory, processor, profiling, sharing};
use crate::samples::Environment;

type Rule = fn(&Environment) -> Option<Finding>;

/// Where times come from.
const MACHINE: [Rule; 20] = [
    sharing::cpus,
    sharing::limit,
    toolchain,
    processor::governor,
    sharing::busy,
    sharing::steal,
    sharing::lost,
    processor::throttled,
    clock::slow,
    memory::waiting,
    memory::aslr,
    memory::swapped,
    memory::swappiness,
    memory::limit,
    sharing::part,
    sharing::pressure,
    processor::turbo,
    processor::siblings,
    processor::nodes,
    memory::hugepages,
];

/// Where counts and stacks come from.
const PROFILING: [Rule; 6] = [
    profiling::counters,
    profiling::kernel_stacks,
    profiling::kernel_symbols,
    profiling::tracing,
    profiling::valgrind,
    profiling::perf,
];

/// Everything that there is to say about a machine, what matters most first.
#[must_use]
pub fn findings(environment: &Environment) -> Vec<Finding> {
    let of = |rules: &[Rule], about| {
        let found: Vec<Finding> = rules.iter().filter_map(|rule| rule(environment)).collect();
        found.into_iter().map(move |finding| finding.about(about))
    };
    let mut all: Vec<Finding> = of(&MACHINE, Subject::Machine).chain(of(&PROFILING, Subject::Profiling)).collect();
    all.sort_by_key(|finding| finding.severity);
    all
}

fn toolchain(environment: &Environment) -> Option<Finding> {
    let why = "nothing can be built, and runs can't be told apart by their compiler";
    let fix = "install Rust (https://rustup.rs), or set RUSTC";
    let missing = !environment.fingerprint.contains_key("rustc");
    missing.then(|| Finding::new("no-rustc", Severity::Unfit, "rustc does not say its version", why, fix))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// A machine to which nothing can be objected, with changes.
    fn machine(changes: &[(&str, &str)]) -> Environment {
        let plain = [
            ("aslr", "full"),
            ("clock", "tsc"),
            ("cpu.governor", "performance"),
            ("cpu.limit", "none"),
            ("cpu.smt", "off"),
            ("cpu.steal", "0.10 %"),
            ("cpu.throttled", "0 times"),
            ("cpu.turbo", "off"),
            ("cpu.usable", "0-3"),
            ("kptr_restrict", "1"),
            ("load", "0.10 0.20 0.30"),
            ("memory.hugepages", "madvise"),
            ("memory.limit", "none"),
            ("memory.swap", "2048 MiB"),
            ("memory.swapped", "0 MiB"),
            ("memory.swappiness", "60"),
            ("numa.balancing", "on"),
            ("numa.nodes", "0"),
            ("perf.privileged", "yes"),
            ("perf_event_paranoid", "2"),
            ("psi", "available"),
            ("psi.memory", "0.00 %"),
            ("ptrace_scope", "1"),
            ("tool.perf", "installed"),
            ("tool.valgrind", "installed"),
        ];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment {
            fingerprint: [("rustc", "1.95.0"), ("cpu.count", "4")].iter().map(owned).collect(),
            circumstances: plain.iter().chain(changes).map(owned).collect(),
            absent: BTreeMap::new(),
        }
    }

    #[test]
    fn nothing_is_said_of_a_good_machine() {
        assert_eq!(findings(&machine(&[])), []);
        let watched = [
            ("clock.cost", "25 ns"),
            ("cpu.lost", "0.05 %"),
            ("cpu.others", "1.00 %"),
            ("cpu.steal.recent", "0.00 %"),
            ("cpu.throttled.recent", "0 times"),
        ];
        assert_eq!(findings(&machine(&watched)), []);
    }

    /// The only finding of a machine that differs from a good one in one or two facts.
    fn only(changes: &[(&str, &str)]) -> Finding {
        let mut found = findings(&machine(changes));
        assert_eq!(found.len(), 1, "{changes:?}: {found:?}");
        found.remove(0)
    }

    #[test]
    fn each_bad_circumstance_is_one_finding_of_its_weight() {
        for (name, value, severity, id, what) in [
            ("cpu.limit", "1.50 CPUs", Severity::Unfit, "cpu-quota", "limits this process to 1.5 CPUs"),
            ("cpu.limit", "4.00 CPUs", Severity::Warning, "cpu-quota", "limits this process to 4 CPUs"),
            ("cpu.governor", "performance powersave", Severity::Warning, "governor", "is performance powersave"),
            ("cpu.steal", "3.20 %", Severity::Warning, "steal", "gave 3.2 %"),
            ("cpu.steal.recent", "1.50 %", Severity::Warning, "steal", "1.5 % of the CPU time to other machines while"),
            ("cpu.throttled", "3 times", Severity::Note, "throttled", "too hot 3 times since"),
            ("cpu.throttled.recent", "2 times", Severity::Warning, "throttled", "2 times while"),
            ("cpu.lost", "4.00 %", Severity::Warning, "lost-time", "stood still for 4 %"),
            ("cpu.usable", "0-2", Severity::Note, "cpu-set", "3 of the machine's 4"),
            ("clock", "hpet", Severity::Warning, "slow-clock", "source is hpet"),
            ("clock.cost", "900 ns", Severity::Warning, "slow-clock", "takes 900 ns"),
            ("memory.swapped", "12 MiB", Severity::Note, "swapped", "12 MiB"),
            ("memory.swappiness", "100", Severity::Note, "swappiness", "2048 MiB of swap, and its swappiness is 100"),
            ("memory.limit", "2048 MiB", Severity::Note, "memory-limit", "2048 MiB of memory"),
            ("psi.memory", "7.00 %", Severity::Warning, "memory-pressure", "7 %"),
            ("aslr", "off", Severity::Warning, "aslr", "randomisation is off"),
            ("psi", "absent", Severity::Note, "no-psi", "PSI"),
            ("cpu.turbo", "on", Severity::Note, "turbo", "turbo"),
            ("cpu.smt", "on", Severity::Note, "smt", "hyper-threading"),
            ("numa.nodes", "0-1", Severity::Note, "numa-balancing", "2 memory nodes"),
            ("memory.hugepages", "always", Severity::Note, "hugepages-always", "huge pages"),
            ("kptr_restrict", "2", Severity::Note, "kernel-symbols", "kptr_restrict is 2"),
            ("ptrace_scope", "3", Severity::Note, "ptrace", "ptrace_scope is 3"),
            ("tool.valgrind", "absent", Severity::Note, "no-valgrind", "valgrind"),
            ("tool.perf", "absent", Severity::Note, "no-perf", "perf"),
        ] {
            let found = only(&[(name, value)]);
            assert_eq!((found.severity, found.id), (severity, id), "{name} = {value}");
            assert!(found.what.contains(what), "{:?} lacks {what:?}", found.what);
        }
    }

    #[test]
    fn one_cpu_is_too_few_and_also_a_part_of_the_machine() {
        let ids: Vec<&str> = findings(&machine(&[("cpu.usable", "3")])).iter().map(|finding| finding.id).collect();
        assert_eq!(ids, ["one-cpu", "cpu-set"]);
    }

    #[test]
    fn of_other_programs_the_best_evidence_speaks_alone() {
        let load = ("load", "2.50 1.00 0.50");
        assert!(only(&[load]).what.contains("the load is 2.5 on 4 CPUs"));
        // What waits now says more than what ran in the last minute, and what was seen running most of all.
        assert_eq!(findings(&machine(&[load, ("psi.cpu", "0.00 %")])), []);
        assert!(only(&[load, ("psi.cpu", "52.10 %")]).what.contains("in 52.1 % of the last ten seconds"));
        assert_eq!(findings(&machine(&[load, ("psi.cpu", "52.10 %"), ("cpu.others", "2.00 %")])), []);
        assert!(only(&[("cpu.others", "40.00 %")]).what.contains("they use 40 % of 4 CPUs"));
    }

    #[test]
    fn time_is_lost_only_where_nothing_else_explains_it() {
        let lost = ("cpu.lost", "30.00 %");
        assert_eq!(only(&[lost, ("cpu.others", "60.00 %")]).id, "busy-machine");
        assert_eq!(only(&[lost, ("cpu.steal.recent", "30.00 %")]).id, "steal");
        assert_eq!(only(&[lost, ("cpu.limit", "1.00 CPUs")]).id, "cpu-quota");
    }

    #[test]
    fn a_quota_that_was_hit_says_so() {
        let found = only(&[("cpu.limit", "2.00 CPUs"), ("cpu.limit.hit", "7.50 %")]);
        assert!(found.what.ends_with("stopped it in 7.5 % of all periods so far"), "{}", found.what);
    }

    #[test]
    fn what_privileges_allow_is_no_complaint() {
        let ids = |privileged: &str, facts: &[(&str, &str)]| -> BTreeSet<&str> {
            let all = [facts, &[("perf.privileged", privileged)]].concat();
            findings(&machine(&all)).iter().map(|finding| finding.id).collect()
        };
        assert_eq!(ids("no", &[]), BTreeSet::from(["kernel-stacks", "kernel-symbols"]));
        assert_eq!(ids("no", &[("perf_event_paranoid", "1"), ("kptr_restrict", "0")]), BTreeSet::new());
        assert_eq!(ids("yes", &[("ptrace_scope", "2")]), BTreeSet::new());
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
        assert_eq!(forbidden.about, Subject::Profiling);
    }

    #[test]
    fn what_makes_a_machine_unfit_comes_first() {
        let mut environment = machine(&[("cpu.turbo", "on"), ("aslr", "off"), ("cpu.limit", "1.00 CPUs")]);
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
