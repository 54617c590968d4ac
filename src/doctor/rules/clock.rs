//! What a reading of the clock costs.

use super::super::finding::{Finding, Severity};
use super::known::{fact, number};
use crate::samples::Environment;

/// Nanoseconds for a reading, above which it was a system call or a read of a device. Without either it takes 20 to 60.
const SLOW_NS: f64 = 200.0;

/// The sources that a program reads without a system call, on the architectures and hypervisors that there are.
const FAST: [&str; 4] = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"];

/// A slow clock: as measured, else by its name.
pub(in super::super) fn slow(environment: &Environment) -> Option<Finding> {
    let source = fact(environment, "clock")?;
    let cost = number(environment, "clock.cost");
    if cost.map_or(FAST.contains(&source), |cost| cost < SLOW_NS) {
        return None;
    }
    let cost = cost.map_or(String::new(), |cost| format!(", and a reading takes {cost} ns"));
    let what = format!("the clock source is {source}{cost}");
    let why = "every batch is begun and ended with a reading; short batches, and programs that ask for the time themselves, \
        measure the clock";
    let fix = "echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource, where \
        available_clocksource beside it has tsc; else another machine class";
    Some(Finding::new("slow-clock", Severity::Warning, what, why, fix))
}
