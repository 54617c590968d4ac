//! What counters say of a change in time.

use crate::report::numbers::{self, difference};
use crate::report::text::clean;
use crate::verdict::{Beside, Blame, Work};

/// CPU time that moves by less than this share of the change of wall time is not where the time went.
const ASLEEP: f64 = 0.25;

/// Wall time, CPU time and work of a change, as shares of the baseline's.
#[derive(Clone, Copy, Debug)]
struct Told {
    wall: f64,
    cpu: Option<f64>,
    work: f64,
}

/// One sentence; empty where nothing was counted that tells.
pub(super) fn conclusion(blame: &Blame) -> String {
    let told = |word: &str| {
        let beside = blame.counters.iter().find(|beside: &&Beside| beside.metric.as_str() == word)?;
        difference(beside.before, beside.after)
    };
    let work = told("instructions").or_else(|| told("callgrind.instructions"));
    match (told("wall"), work) {
        (Some(wall), Some(work)) => sentence(blame.work, Told { wall, cpu: told("cpu"), work }),
        _ => String::new(),
    }
}

/// Where the change happened; empty where no function has nearly all of it.
pub(super) fn within(blame: &Blame) -> String {
    blame.within.as_ref().map_or_else(String::new, |function| {
        format!("{} of it within {}", numbers::signed_duration(function.change_ns), clean(&function.name))
    })
}

fn sentence(work: Work, told: Told) -> String {
    let [wall, instructions] = [told.wall, told.work].map(numbers::signed);
    let asleep = told.cpu.is_some_and(|cpu| cpu.abs() < ASLEEP * told.wall.abs());
    match work {
        Work::Unknown => String::new(),
        Work::Same if asleep => {
            format!("wall {wall}, instructions {instructions}, CPU time nearly the same: it waits, it does not compute")
        }
        Work::Same => format!("wall {wall}, instructions {instructions}: layout or host, not your code"),
        Work::Differs if told.wall * told.work < 0.0 => {
            let (less, longer) = if told.work < 0.0 { ("less", "longer") } else { ("more", "less") };
            format!("wall {wall}, instructions {instructions}: the program does {less} work and takes {longer}")
        }
        Work::Differs => {
            let more = if told.work > 0.0 { "more" } else { "less" };
            format!("instructions {instructions}: the program does {more} work")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(work: Work, wall: f64, cpu: Option<f64>, instructions: f64) -> String {
        sentence(work, Told { wall, cpu, work: instructions })
    }

    #[test]
    fn the_same_work_in_more_time_is_not_the_codes_fault() {
        assert_eq!(
            said(Work::Same, 0.112, Some(0.11), 0.0001),
            "wall +11.2 %, instructions +0.01 %: layout or host, not your code"
        );
        assert_eq!(said(Work::Unknown, 0.112, None, 0.0), "");
    }

    #[test]
    fn time_that_no_cpu_spent_is_waiting() {
        assert!(said(Work::Same, 0.112, Some(0.001), 0.0).ends_with("it waits, it does not compute"));
    }

    #[test]
    fn other_work_is_said_with_its_direction() {
        assert_eq!(said(Work::Differs, 0.112, None, 0.113), "instructions +11.3 %: the program does more work");
        assert_eq!(said(Work::Differs, -0.112, None, -0.113), "instructions -11.3 %: the program does less work");
        assert!(said(Work::Differs, 0.05, None, -0.03).ends_with("the program does less work and takes longer"));
        assert!(said(Work::Differs, -0.05, None, 0.03).ends_with("the program does more work and takes less"));
    }
}
