//! The CPUs that there are, and who sits on which.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use super::sys;

/// What the process was started with, read before anything is pinned.
static USABLE: OnceLock<Vec<usize>> = OnceLock::new();
/// Whether a thread of the tool has left its CPUs; children would inherit that.
static PINNED: AtomicBool = AtomicBool::new(false);

/// The CPUs that the tool may use, and how they are shared out. Numbers are the kernel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// All CPUs that the process may run on, ascending; at least one.
    pub cpus: Vec<usize>,
    /// Those that measured programs run on: all but the first, where interrupts often go and everybody else may run; or the
    /// only one.
    pub measuring: Vec<usize>,
    /// The one that the tool itself runs on while it measures: the first that is measured on. The tool sleeps while a worker
    /// runs, so they are never in each other's way, and handing over on one CPU is a switch of context; across CPUs it wakes a
    /// halted one, which on virtual machines takes longer (70 us a batch against 30) and spreads the times that follow
    /// (standard errors up to 2.8 times as large).
    pub controller: usize,
}

impl Machine {
    /// This machine, as far as the process may use it (`sched_getaffinity`).
    ///
    /// # Errors
    /// Where the kernel does not tell.
    pub fn this() -> Result<Self> {
        let cpus = usable()?.to_vec();
        Self::of(cpus).context("the kernel says that this process may run on no CPU")
    }

    /// `None` without any CPU.
    fn of(cpus: Vec<usize>) -> Option<Self> {
        let (first, rest) = cpus.split_first()?;
        let measuring = if rest.is_empty() { vec![*first] } else { rest.to_vec() };
        Some(Self { controller: measuring[0], measuring, cpus })
    }

    /// Keeps the calling thread, and threads that it starts from now on, on the controller's CPU. Children are not affected:
    /// unless told otherwise they get all CPUs.
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn pin_controller(&self) -> Result<()> {
        usable()?;
        PINNED.store(true, Ordering::SeqCst);
        sys::pin(&[self.controller]).with_context(|| format!("keeping the tool on CPU {}", self.controller))
    }
}

fn usable() -> Result<&'static [usize]> {
    if let Some(cpus) = USABLE.get() {
        return Ok(cpus);
    }
    let cpus = sys::affinity().context("asking for the CPUs that this process may run on")?;
    Ok(USABLE.get_or_init(|| cpus))
}

/// The CPUs for children of which none was said; `None` where they inherit the right ones.
pub(super) fn released() -> Option<&'static [usize]> {
    if PINNED.load(Ordering::SeqCst) { USABLE.get().map(Vec::as_slice) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cpu_is_left_to_others_where_there_is_a_second() {
        let of = |cpus: &[usize]| Machine::of(cpus.to_vec()).map(|machine| (machine.controller, machine.measuring));
        assert_eq!(of(&[2, 3, 7]), Some((3, vec![3, 7])));
        assert_eq!(of(&[5]), Some((5, vec![5])));
        assert_eq!(of(&[]), None);
    }
}
