//! What can be counted and sampled.

use super::super::counters::FORBIDDEN;
use super::super::finding::{Finding, Severity};
use super::known::{fact, number};
use crate::samples::Environment;

pub(in super::super) fn counters(environment: &Environment) -> Option<Finding> {
    let (metric, reason) = environment.absent.first_key_value()?;
    let names: Vec<&str> = environment.absent.keys().map(String::as_str).collect();
    let what = format!("hardware counters are absent ({}): {metric}: {reason}", names.join(", "));
    Some(if environment.absent.values().any(|reason| reason.starts_with(FORBIDDEN)) {
        let why = "time is judged without them, but a kernel that forbids them lets no stacks be sampled either: claims on \
            profiles stay undecided";
        Finding::new("counters-forbidden", Severity::Warning, what, why, "sudo sysctl kernel.perf_event_paranoid=2")
    } else {
        let why = "time is judged without them; they only explain it";
        let fix = "none on this machine; bare metal has them, and some virtual machine classes";
        Finding::new("counters-absent", Severity::Note, what, why, fix)
    })
}

pub(in super::super) fn kernel_stacks(environment: &Environment) -> Option<Finding> {
    let level = number(environment, "perf_event_paranoid").filter(|level| *level == 2.0)?;
    let what = format!("stacks end where the kernel begins (kernel.perf_event_paranoid is {level})");
    let why = "a profile shows how long a system call takes, and not what the kernel does in it";
    let forbidden = fact(environment, "perf.privileged")? == "no";
    forbidden
        .then(|| Finding::new("kernel-stacks", Severity::Note, what, why, "sudo sysctl kernel.perf_event_paranoid=1"))
}

pub(in super::super) fn kernel_symbols(environment: &Environment) -> Option<Finding> {
    let level = fact(environment, "kptr_restrict")?;
    // 1 hides addresses from processes without privileges, 2 from all.
    let hidden = level == "2" || (level == "1" && fact(environment, "perf.privileged") != Some("yes"));
    let what = format!("the kernel's functions have no names here (kernel.kptr_restrict is {level})");
    let why = "in profiles that reach into the kernel they are shown as numbers";
    let fix = "sudo sysctl kernel.kptr_restrict=0";
    hidden.then(|| Finding::new("kernel-symbols", Severity::Note, what, why, fix))
}

pub(in super::super) fn tracing(environment: &Environment) -> Option<Finding> {
    let scope = number(environment, "ptrace_scope").filter(|scope| *scope >= 2.0)?;
    let what = format!("programs can't be traced (kernel.yama.ptrace_scope is {scope})");
    let why = "strace and debuggers work for the administrator alone, or for nobody";
    let fix = "sudo sysctl kernel.yama.ptrace_scope=1; from 3 only a restart of the machine leads back";
    let forbidden = scope >= 3.0 || fact(environment, "perf.privileged") != Some("yes");
    forbidden.then(|| Finding::new("ptrace", Severity::Note, what, why, fix))
}

pub(in super::super) fn valgrind(environment: &Environment) -> Option<Finding> {
    let why = "its tool callgrind counts instructions where the machine has no counters: the program runs about 25 times \
        slower, but hardly a neighbour moves the count";
    let absent = fact(environment, "tool.valgrind")? == "absent";
    absent.then(|| {
        let fix = "sudo apt-get install valgrind, or the distribution's like";
        Finding::new("no-valgrind", Severity::Note, "valgrind is not installed", why, fix)
    })
}

pub(in super::super) fn perf(environment: &Environment) -> Option<Finding> {
    let why = "nothing here needs it; it shows the machine code of what a profile blames (perf annotate)";
    let absent = fact(environment, "tool.perf")? == "absent";
    absent.then(|| {
        let fix = "sudo apt-get install linux-perf (Debian) or linux-tools-generic (Ubuntu)";
        Finding::new("no-perf", Severity::Note, "perf is not installed", why, fix)
    })
}
