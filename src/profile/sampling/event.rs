//! The events that the kernel is asked for.

use std::fmt;
use std::fs;

use perf_event_open_sys::bindings as kernel;
use perf_event_open_sys::bindings::perf_event_attr;

use crate::profile::unwind::USER_REGISTERS;

/// The most bytes of records after which the tool is woken.
const WAKE_AFTER: u32 = 128 * 1024;
/// Cycles per second where the machine does not say: a guess that only makes samples more or less frequent.
const USUAL_CLOCK: u64 = 3_000_000_000;

/// What samples are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The processor's cycles. Virtual machines often have no such counter.
    Cycles,
    /// The kernel's timer, which every machine has.
    CpuClock,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cycles => "cycles",
            Self::CpuClock => "cpu-clock",
        })
    }
}

/// How the kernel takes the stacks of user code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stacks {
    /// Registers, and a copy of so many bytes of the stack.
    Copied(u32),
    /// By frame pointers.
    FramePointers,
}

/// A way to sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) clock: Clock,
    pub(super) stacks: Stacks,
    /// Whether time in the kernel is seen.
    pub(super) kernel: bool,
    /// Samples per second.
    pub(super) rate: u32,
    pub(super) on_exec: bool,
}

impl Way {
    /// The event that takes samples. It stands still until it is enabled.
    pub(super) fn sampler(&self) -> perf_event_attr {
        let mut attr = common();
        (attr.type_, attr.config, attr.__bindgen_anon_1.sample_period) = match self.clock {
            Clock::Cycles => (kernel::PERF_TYPE_HARDWARE, kernel::PERF_COUNT_HW_CPU_CYCLES.into(), self.cycles()),
            Clock::CpuClock => (kernel::PERF_TYPE_SOFTWARE, kernel::PERF_COUNT_SW_CPU_CLOCK.into(), self.nanoseconds()),
        };
        attr.set_enable_on_exec(self.on_exec.into());
        attr.set_exclude_kernel((!self.kernel).into());
        attr.set_exclude_hv(1);
        attr.set_exclude_callchain_kernel((!self.kernel).into());
        let chain = u64::from(kernel::PERF_SAMPLE_CALLCHAIN);
        match self.stacks {
            Stacks::Copied(bytes) => {
                attr.sample_type |= u64::from(kernel::PERF_SAMPLE_REGS_USER | kernel::PERF_SAMPLE_STACK_USER);
                // A chain of neither side is an error to some kernels.
                attr.sample_type |= if self.kernel { chain } else { 0 };
                attr.set_exclude_callchain_user(1);
                attr.sample_regs_user = USER_REGISTERS;
                attr.sample_stack_user = bytes;
            }
            Stacks::FramePointers => attr.sample_type |= chain,
        }
        attr
    }

    /// The event that tells of mappings, names and new threads, from the beginning and whether samples are taken or not.
    /// Its records end in the same way as the sampler's, so that one ring can hold both. A ring of `bytes` that is made for it
    /// wakes the tool when a quarter is full: the rest is for what comes until it is there.
    pub(super) fn tracker(bytes: usize) -> perf_event_attr {
        let mut attr = common();
        attr.__bindgen_anon_2.wakeup_watermark = u32::try_from(bytes / 4).unwrap_or(WAKE_AFTER).min(WAKE_AFTER);
        (attr.type_, attr.config) = (kernel::PERF_TYPE_SOFTWARE, kernel::PERF_COUNT_SW_DUMMY.into());
        attr.__bindgen_anon_1.sample_period = 1;
        attr.set_disabled(0);
        attr.set_exclude_kernel(1);
        attr.set_mmap(1);
        attr.set_mmap2(1);
        attr.set_comm(1);
        attr.set_comm_exec(1);
        attr.set_task(1);
        attr
    }

    /// Nanoseconds between samples.
    fn nanoseconds(&self) -> u64 {
        1_000_000_000 / u64::from(self.rate)
    }

    /// Cycles between samples. Fixed and not steered to a frequency: a steered period begins with a burst of samples that
    /// stand for hardly any time.
    fn cycles(&self) -> u64 {
        (highest_clock() / u64::from(self.rate)).max(1000)
    }
}

/// What both events share: heirs for new threads, and records that end with thread and time.
fn common() -> perf_event_attr {
    let mut attr = perf_event_attr { size: size_of::<perf_event_attr>() as u32, ..perf_event_attr::default() };
    attr.sample_type = u64::from(kernel::PERF_SAMPLE_TID | kernel::PERF_SAMPLE_TIME);
    attr.set_disabled(1);
    attr.set_inherit(1);
    attr.set_sample_id_all(1);
    attr.set_use_clockid(1);
    // One clock for all CPUs, so that their records can be put in order.
    attr.clockid = libc::CLOCK_MONOTONIC;
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = WAKE_AFTER;
    attr
}

/// The most cycles per second that the first processor says it can do, or says it does.
fn highest_clock() -> u64 {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let kilohertz = read("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").trim().parse::<u64>();
    kilohertz.ok().map(|clock| clock * 1000).or_else(|| now(&read("/proc/cpuinfo"))).unwrap_or(USUAL_CLOCK)
}

/// The present clock rate by the first `cpu MHz` line of `/proc/cpuinfo`, cycles per second.
fn now(cpuinfo: &str) -> Option<u64> {
    let line = cpuinfo.lines().find(|line| line.starts_with("cpu MHz"))?;
    let megahertz: f64 = line.split_once(':')?.1.trim().parse().ok()?;
    Some((megahertz * 1e6) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(stacks: Stacks, kernel: bool) -> Way {
        Way { clock: Clock::CpuClock, stacks, kernel, rate: 2000, on_exec: false }
    }

    #[test]
    fn copies_come_without_the_frame_pointer_chain_of_user_code() {
        let attr = way(Stacks::Copied(8192), true).sampler();
        assert_eq!((attr.exclude_callchain_user(), attr.exclude_callchain_kernel()), (1, 0));
        assert_eq!((attr.sample_stack_user, attr.sample_regs_user), (8192, USER_REGISTERS));
        let unprivileged = way(Stacks::Copied(8192), false).sampler();
        assert_eq!(unprivileged.sample_type & u64::from(kernel::PERF_SAMPLE_CALLCHAIN), 0);
        assert_eq!(unprivileged.exclude_kernel(), 1);
    }

    #[test]
    fn frame_pointers_come_without_copies() {
        let attr = way(Stacks::FramePointers, false).sampler();
        assert_ne!(attr.sample_type & u64::from(kernel::PERF_SAMPLE_CALLCHAIN), 0);
        assert_eq!(attr.sample_type & u64::from(kernel::PERF_SAMPLE_STACK_USER), 0);
    }

    #[test]
    fn the_period_is_the_inverse_of_the_rate() {
        assert_eq!(way(Stacks::FramePointers, true).nanoseconds(), 500_000);
        assert_eq!(now("processor\t: 0\ncpu MHz\t\t: 2450.5\n"), Some(2_450_500_000));
        assert_eq!(now("BogoMIPS : 50.00\n"), None);
    }

    #[test]
    fn a_ring_wakes_the_tool_before_it_is_full() {
        // SAFETY: all fields of the union are numbers of 4 bytes.
        let wakes = |bytes| unsafe { Way::tracker(bytes).__bindgen_anon_2.wakeup_watermark };
        assert_eq!([wakes(8 << 20), wakes(512 << 10), wakes(128 << 10)], [WAKE_AFTER, WAKE_AFTER, 32 << 10]);
    }

    #[test]
    fn samples_wait_and_tracking_does_not() {
        assert_eq!(way(Stacks::FramePointers, true).sampler().disabled(), 1);
        assert_eq!(Way::tracker(8 << 20).disabled(), 0);
    }
}
