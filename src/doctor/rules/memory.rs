//! Where memory lies, and how much there is.

use super::super::finding::{Finding, Severity};
use super::known::{fact, number};
use crate::samples::Environment;

/// Of the last ten seconds, in per cent, in how much something may have waited for memory.
const WAITED: f64 = 1.0;
/// The kernel's own setting: above it, it rather swaps programs out than lets go of cached files.
const USUAL_SWAPPINESS: f64 = 60.0;

pub(in super::super) fn aslr(environment: &Environment) -> Option<Finding> {
    let setting = fact(environment, "aslr").filter(|setting| *setting != "full")?;
    let what = format!("address space randomisation is {setting}");
    let why = "every process then gets the same addresses, and their luck is measured instead of averaged out: two processes \
        of one program differed by up to 2.3 %";
    Some(Finding::new("aslr", Severity::Warning, what, why, "sudo sysctl kernel.randomize_va_space=2"))
}

pub(in super::super) fn swapped(environment: &Environment) -> Option<Finding> {
    let swapped = number(environment, "memory.swapped").filter(|swapped| *swapped > 0.0)?;
    let what = format!("{swapped} MiB of memory have been swapped out");
    let why = "reading them back takes disk and CPU time at random moments";
    let fix = "free memory, then: sudo swapoff -a && sudo swapon -a";
    Some(Finding::new("swapped", Severity::Note, what, why, fix))
}

pub(in super::super) fn swappiness(environment: &Environment) -> Option<Finding> {
    let swap = number(environment, "memory.swap").filter(|swap| *swap > 0.0)?;
    let swappiness = number(environment, "memory.swappiness").filter(|setting| *setting > USUAL_SWAPPINESS)?;
    let what = format!("the machine has {swap} MiB of swap, and its swappiness is {swappiness}");
    let why = "a build that fills the file cache pushes programs out of memory, which is then read back while they are measured";
    Some(Finding::new("swappiness", Severity::Note, what, why, "sudo sysctl vm.swappiness=10"))
}

pub(in super::super) fn waiting(environment: &Environment) -> Option<Finding> {
    let waited = number(environment, "psi.memory").filter(|share| *share >= WAITED)?;
    let what = format!("programs waited for memory in {waited} % of the last ten seconds");
    let why = "memory is nearly used up: pages are taken away and read back while a program runs";
    let fix = "see what has it (ps aux --sort=-rss), and end it; fewer compilers at once: --jobs 1";
    Some(Finding::new("memory-pressure", Severity::Warning, what, why, fix))
}

pub(in super::super) fn limit(environment: &Environment) -> Option<Finding> {
    let limit = number(environment, "memory.limit")?;
    let what = format!("a control group limits this process to {limit} MiB of memory");
    let why =
        "file cache counts as well; a build or a case that reaches the limit is slowed down first and killed then";
    let fix = "docker run --memory, resources.limits.memory in Kubernetes; fewer compilers at once: --jobs 1";
    Some(Finding::new("memory-limit", Severity::Note, what, why, fix))
}

pub(in super::super) fn hugepages(environment: &Environment) -> Option<Finding> {
    let what = "transparent huge pages are always tried";
    let why = "whether memory comes in huge pages depends on how fragmented it is, and moves times and peak memory";
    let fix = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled";
    let always = fact(environment, "memory.hugepages")? == "always";
    always.then(|| Finding::new("hugepages-always", Severity::Note, what, why, fix))
}
