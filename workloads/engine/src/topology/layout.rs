//! Who runs where: the plan's layout of 16 cores (4 critical, 8 workers, 4 rest), scaled to what there is.
//!
//! ```text
//!   cores   critical   workers   rest
//!    16        0-3       4-11    12-15     the plan's own
//!     8        0-1       2-5      6-7
//!     4         0        1-2       3
//!     2         0         1     0's sibling, else 1
//!     1         0     0's sibling, else 0      as the workers
//! ```
//!
//! A core is shared out whole, so that no thread slows a critical one down through the execution units they share:
//! where there are three cores or more, the siblings of critical CPUs are left idle.

use super::cpus::Cpus;
use super::machine::{Core, Machine, Node};

/// The most critical CPUs: the plan has four critical threads, and each further CPU would be idle.
const MOST_CRITICAL: usize = 4;

/// The CPUs of each part of the engine. None of the three is empty; they share CPUs only where there are too few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// One thread each. All in one node where one has as many cores.
    pub(crate) critical: Vec<usize>,
    /// The nearest to the critical ones first; second CPUs of a core after all first ones.
    pub(crate) workers: Vec<usize>,
    /// For everything else, wherever the system puts it.
    pub(crate) rest: Cpus,
}

impl Layout {
    /// The layout of a machine; the same for the same machine.
    pub(crate) fn of(machine: &Machine) -> Self {
        let cores = in_order(machine);
        match cores.as_slice() {
            [] => Self { critical: Vec::new(), workers: Vec::new(), rest: Cpus::default() },
            [only] => {
                let (critical, siblings) = split(only);
                let workers = if siblings.is_empty() { critical.clone() } else { siblings };
                Self { critical, rest: workers.iter().copied().collect(), workers }
            }
            [first, second] => {
                let ((critical, siblings), workers) = (split(first), spread(&[second]));
                let rest = if siblings.is_empty() { &workers } else { &siblings };
                Self { critical, rest: rest.iter().copied().collect(), workers }
            }
            many => Self::of_many(many),
        }
    }

    /// A quarter critical, a quarter rest, at least one core of each.
    fn of_many(cores: &[&Core]) -> Self {
        let (critical, others) = cores.split_at(critical_of(cores.len()));
        let (workers, rest) = others.split_at(others.len() - (cores.len() / 4).max(1));
        Self {
            critical: critical.iter().filter_map(|core| core.cpus.first()).collect(),
            workers: spread(workers),
            rest: rest.iter().flat_map(|core| core.cpus.iter()).collect(),
        }
    }
}

/// How many of so many cores are critical.
fn critical_of(cores: usize) -> usize {
    (cores / 4).clamp(1, MOST_CRITICAL)
}

/// All cores: first those of the node where the critical ones go, then of the nodes further and further away.
fn in_order(machine: &Machine) -> Vec<&Core> {
    let of = |node: &Node| {
        let here = machine.cores.iter().filter(|core| core.cpus.first().is_some_and(|cpu| node.cpus.contains(cpu)));
        let mut here: Vec<&Core> = here.collect();
        here.sort_by_key(|core| core.package);
        here
    };
    let by_node: Vec<Vec<&Core>> = machine.nodes.iter().map(of).collect();
    let (wanted, largest) = (critical_of(machine.cores.len()), by_node.iter().map(Vec::len).max().unwrap_or(0));
    let start = by_node.iter().position(|cores| cores.len() >= wanted.min(largest)).unwrap_or(0);
    machine.by_distance(start).into_iter().flat_map(|place| by_node[place].iter().copied()).collect()
}

/// The first CPU of a core, and its siblings.
fn split(core: &Core) -> (Vec<usize>, Vec<usize>) {
    let mut cpus = core.cpus.iter();
    (cpus.by_ref().take(1).collect(), cpus.collect())
}

/// The CPUs of all cores: first one of each, then another of each, and so on.
fn spread(cores: &[&Core]) -> Vec<usize> {
    let most = cores.iter().map(|core| core.cpus.len()).max().unwrap_or(0);
    (0..most).flat_map(|sibling| cores.iter().filter_map(move |core| core.cpus.iter().nth(sibling))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::topology::fake;

    /// As `critical | workers | rest`.
    fn layout(machine: &Machine) -> String {
        let Layout { critical, workers, rest } = Layout::of(machine);
        let text = |cpus: &[usize]| cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        format!("{} | {} | {rest}", text(&critical), text(&workers))
    }

    #[test]
    fn sixteen_cores_are_shared_out_as_the_plan_has_it_and_fewer_in_proportion() {
        let of = |cores| layout(&fake(1, cores, 1));
        assert_eq!(of(16), "0 1 2 3 | 4 5 6 7 8 9 10 11 | 12-15");
        assert_eq!(of(8), "0 1 | 2 3 4 5 | 6-7");
        assert_eq!(of(4), "0 | 1 2 | 3");
        assert_eq!(of(3), "0 | 1 | 2");
        assert_eq!(of(2), "0 | 1 | 1");
        assert_eq!(of(1), "0 | 0 | 0");
    }

    #[test]
    fn siblings_of_critical_cpus_are_idle_where_there_are_cores_enough_and_else_for_the_rest() {
        let of = |cores| layout(&fake(1, cores, 2));
        assert_eq!(of(8), "0 1 | 2 3 4 5 10 11 12 13 | 6-7,14-15", "8 and 9 are idle");
        assert_eq!(of(4), "0 | 1 2 5 6 | 3,7", "4 is idle");
        assert_eq!(of(2), "0 | 1 3 | 2");
        assert_eq!(of(1), "0 | 1 | 1");
        assert_eq!(layout(&fake(1, 1, 8)), "0 | 1 2 3 4 5 6 7 | 1-7");
    }

    #[test]
    fn critical_threads_and_the_first_workers_are_in_one_node() {
        assert_eq!(layout(&fake(2, 8, 1)), "0 1 2 3 | 4 5 6 7 8 9 10 11 | 12-15");
        let mut machine = fake(2, 8, 1);
        machine.nodes[0].cpus = Cpus::parse("0-2").unwrap();
        machine.nodes[1].cpus = Cpus::parse("3-15").unwrap();
        assert_eq!(layout(&machine), "3 4 5 6 | 7 8 9 10 11 12 13 14 | 0-2,15", "three cores are too few for four");
    }

    #[test]
    fn a_large_machine_has_four_critical_cpus_and_more_workers() {
        let Layout { critical, workers, rest } = Layout::of(&fake(2, 32, 1));
        assert_eq!((critical.len(), workers.len(), rest.len()), (4, 44, 16));
    }

    #[test]
    fn every_cpu_number_is_one_that_there_is_and_roles_share_only_on_one_or_two_cores() {
        for (nodes, cores, siblings) in [(1, 1, 1), (1, 2, 1), (1, 5, 2), (2, 3, 2), (4, 16, 1), (2, 7, 8)] {
            let machine = fake(nodes, cores, siblings);
            let Layout { critical, workers, rest } = Layout::of(&machine);
            let used: Vec<usize> = critical.iter().chain(&workers).copied().chain(rest.iter()).collect();
            let distinct: BTreeSet<usize> = used.iter().copied().collect();
            let idle = machine.cpus().len() - distinct.len();
            assert!(distinct.iter().all(|&cpu| machine.cpus().contains(cpu)), "{nodes} {cores} {siblings}");
            if nodes * cores > 2 {
                assert_eq!(distinct.len(), used.len(), "{nodes} {cores} {siblings}: a CPU has two roles");
                assert_eq!(idle, critical.len() * (siblings - 1), "{nodes} {cores} {siblings}");
            }
        }
    }

    #[test]
    fn holes_in_the_numbers_do_not_matter() {
        let cpus = Cpus::parse("3,7,64-65").unwrap();
        assert_eq!(layout(&Machine::flat(&cpus)), "3 | 7 64 | 65");
    }
}
