//! Which system calls count, and how many of each there were.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use perfplan_harness::protocol::FENCE;
use syscalls::Sysno;

use super::Counts;
use crate::process::sys::Call;

/// Whose numbers this program's own system calls are (linux/audit.h).
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
/// Whose numbers this program's own system calls are (linux/audit.h).
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

/// Where counting begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    /// From a first fence to a second.
    Fences {
        open: bool,
        /// Whether a second one was passed.
        whole: bool,
    },
    /// From the first `execve` on.
    FromExec { begun: bool },
}

/// The calls of all threads together.
#[derive(Debug)]
pub(super) struct Tally {
    window: Window,
    /// By architecture and number.
    counted: BTreeMap<(u32, u64), u64>,
}

impl Tally {
    /// Counts between fences, each pair of them.
    pub(super) fn between_fences() -> Self {
        Self { window: Window::Fences { open: false, whole: false }, counted: BTreeMap::new() }
    }

    /// Counts from the first `execve` on.
    pub(super) fn from_exec() -> Self {
        Self { window: Window::FromExec { begun: false }, counted: BTreeMap::new() }
    }

    /// A thread is about to make this call.
    pub(super) fn enter(&mut self, call: &Call) {
        if self.counts_now(call) {
            *self.counted.entry((call.arch, call.number)).or_default() += 1;
        }
    }

    /// The calls by name.
    ///
    /// # Errors
    /// Where what was to be counted did not begin, or did not end.
    pub(super) fn counts(&self) -> Result<Counts> {
        match self.window {
            Window::Fences { open: false, whole: true } | Window::FromExec { begun: true } => {}
            Window::Fences { .. } => bail!("no work between two fences was seen: did the worker break off?"),
            Window::FromExec { .. } => bail!("the command ended before its program began"),
        }
        let mut counts = Counts::new();
        for ((arch, number), calls) in &self.counted {
            *counts.entry(name(*arch, *number)).or_default() += calls;
        }
        Ok(counts)
    }

    fn counts_now(&mut self, call: &Call) -> bool {
        match &mut self.window {
            Window::Fences { open, whole } => match fence(call) {
                Some(begins) => {
                    *whole |= *open && !begins;
                    *open = begins;
                    false
                }
                None => *open,
            },
            Window::FromExec { begun } => {
                *begun |= is(call, Sysno::execve);
                *begun
            }
        }
    }
}

/// Whether the call is a fence, and which.
fn fence(call: &Call) -> Option<bool> {
    // The kernel looks at the lower half of this argument only.
    let fence = is(call, Sysno::prctl) && call.arguments[0] as u32 == FENCE.cast_unsigned();
    fence.then_some(call.arguments[1] == 1)
}

fn is(call: &Call, known: Sysno) -> bool {
    call.arch == NATIVE && u64::from(known.id().unsigned_abs()) == call.number
}

/// Programs for other architectures that the kernel runs as well (32 bit) have other numbers.
fn name(arch: u32, number: u64) -> String {
    let known = usize::try_from(number).ok().filter(|_| arch == NATIVE).and_then(Sysno::new);
    known.map_or_else(|| format!("syscall-{number}"), |known| known.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(known: Sysno) -> Call {
        Call { arch: NATIVE, number: known.id() as u64, arguments: [0; 2] }
    }

    fn fence(begins: u64) -> Call {
        Call { arguments: [FENCE as u64, begins], ..call(Sysno::prctl) }
    }

    fn tallied(mut tally: Tally, calls: &[Call]) -> Result<Vec<(String, u64)>> {
        calls.iter().for_each(|call| tally.enter(call));
        tally.counts().map(|counts| counts.into_iter().collect())
    }

    #[test]
    fn what_lies_between_fences_counts_and_the_fences_do_not() {
        let (read, write) = (call(Sysno::read), call(Sysno::write));
        let calls = [read, fence(1), write, call(Sysno::prctl), write, fence(0), read, fence(1), write, fence(0), read];
        let expected = vec![("prctl".to_owned(), 1), ("write".to_owned(), 3)];
        assert_eq!(tallied(Tally::between_fences(), &calls).unwrap(), expected);
    }

    #[test]
    fn a_fence_without_its_second_is_not_whole() {
        let whole = |calls: &[Call]| tallied(Tally::between_fences(), calls).is_ok();
        assert!(!whole(&[]) && !whole(&[fence(0)]) && !whole(&[fence(1), call(Sysno::read)]));
        assert!(!whole(&[fence(1), fence(0), fence(1)]) && whole(&[fence(1), fence(0)]));
    }

    #[test]
    fn a_command_counts_from_its_program_on() {
        let calls = [call(Sysno::read), call(Sysno::execve), call(Sysno::read), call(Sysno::execve)];
        let expected = vec![("execve".to_owned(), 2), ("read".to_owned(), 1)];
        assert_eq!(tallied(Tally::from_exec(), &calls).unwrap(), expected);
        assert!(tallied(Tally::from_exec(), &calls[..1]).unwrap_err().to_string().contains("before its program began"));
    }

    #[test]
    fn calls_without_a_known_name_and_of_other_architectures_keep_their_number() {
        const I386: u32 = 0x4000_0003;
        let mut tally = Tally::from_exec();
        tally.enter(&call(Sysno::execve));
        tally.enter(&Call { number: 99_999, ..call(Sysno::read) });
        tally.enter(&Call { arch: I386, number: 3, arguments: [0; 2] });
        let names: Vec<String> = tally.counts().unwrap().into_keys().collect();
        assert_eq!(names, ["execve", "syscall-3", "syscall-99999"]);
    }
}
