//! The machine as far as this process may use it.

use std::fmt;
use std::io;

use super::cpus::Cpus;
use super::files::Folder;
use super::{read, thread};

/// Where the kernel describes CPUs and nodes.
const SYSTEM: &str = "/sys/devices/system";

/// The distance of a node to itself, and of two nodes of which nothing is said (ACPI, System Locality Information
/// Table).
pub(super) const LOCAL: u32 = 10;
pub(super) const REMOTE: u32 = 20;

/// A core: CPUs that share its execution units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Core {
    /// Its CPUs that may be used; at least one. More than one are SMT siblings.
    pub(crate) cpus: Cpus,
    /// The number of the package (socket) it sits in.
    pub(crate) package: usize,
}

/// A NUMA node: memory, and the CPUs that are near it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// The kernel's number; numbers may have gaps.
    pub(crate) id: usize,
    /// Its CPUs that may be used. None where it is memory only, or where others have them.
    pub(crate) cpus: Cpus,
    /// Bytes; `None` where the kernel does not say.
    pub(crate) memory: Option<u64>,
    /// To each node of the machine, in their order; 10 is near.
    pub(crate) distances: Vec<u32>,
}

/// Cores and nodes. Each CPU that may be used is in exactly one core and in exactly one node; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// By their first CPU, ascending.
    pub(crate) cores: Vec<Core>,
    /// By their number, ascending.
    pub(crate) nodes: Vec<Node>,
}

impl Machine {
    /// This machine, as far as the calling thread may use it.
    ///
    /// # Errors
    /// Where the kernel does not tell the allowed CPUs, or describes the machine in a way that can't be understood.
    /// Missing descriptions are no error: then every CPU is a core of its own, and all are in one node.
    pub(crate) fn this() -> Result<Self, TopologyError> {
        let allowed = thread::allowed().map_err(TopologyError::Allowed)?;
        read::machine(&Folder(SYSTEM.into()), &allowed)
    }

    /// CPUs of which nothing is known but their numbers: each a core of its own, all in one node.
    pub(crate) fn flat(cpus: &Cpus) -> Self {
        let cores = cpus.iter().map(|cpu| Core { cpus: [cpu].into_iter().collect(), package: 0 }).collect();
        Self { cores, nodes: vec![Node { id: 0, cpus: cpus.clone(), memory: None, distances: vec![LOCAL] }] }
    }

    /// All CPUs that may be used.
    pub(crate) fn cpus(&self) -> Cpus {
        self.cores.iter().flat_map(|core| core.cpus.iter()).collect()
    }

    /// The places of all nodes in [`Machine::nodes`], the nearest to the one at `from` first; itself is the first.
    pub(crate) fn by_distance(&self, from: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.nodes.len()).collect();
        places.sort_by_key(|&place| (place != from, self.nodes[from].distances[place], place));
        places
    }
}

/// Why the machine is not known.
#[derive(Debug)]
pub(crate) enum TopologyError {
    /// The kernel did not tell which CPUs are allowed.
    Allowed(io::Error),
    /// A file is there and can't be read.
    Unreadable {
        /// Below `/sys/devices/system`.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A file says something else than it should.
    Malformed {
        /// Below `/sys/devices/system`.
        path: String,
        /// Its text.
        text: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// There is no CPU to run on.
    NoCpu,
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(error) => write!(f, "asking which CPUs this thread may run on: {error}"),
            Self::Unreadable { path, error } => write!(f, "{SYSTEM}/{path}: {error}"),
            Self::Malformed { path, text, expected } => {
                write!(f, "{SYSTEM}/{path} holds {:?}, which is not {expected}", text.trim_end())
            }
            Self::NoCpu => f.write_str("the kernel says that this thread may run on no CPU"),
        }
    }
}

impl std::error::Error for TopologyError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A machine of `nodes`, each a package of as many cores, each of as many CPUs. As Linux numbers them on x86: first
    /// one CPU of each core, then the siblings. Neighbouring nodes are 21 away, others 31.
    pub(crate) fn fake(nodes: usize, cores: usize, siblings: usize) -> Machine {
        let all = nodes * cores;
        let cpus = |core: usize| (0..siblings).map(move |sibling| core + sibling * all);
        let distance = |a: usize, b: usize| [LOCAL, 21, 31][a.abs_diff(b).min(2)];
        let node = |id: usize| Node {
            id,
            cpus: (id * cores..(id + 1) * cores).flat_map(cpus).collect(),
            memory: Some(1 << 34),
            distances: (0..nodes).map(|other| distance(id, other)).collect(),
        };
        Machine {
            cores: (0..all).map(|core| Core { cpus: cpus(core).collect(), package: core / cores }).collect(),
            nodes: (0..nodes).map(node).collect(),
        }
    }

    #[test]
    fn this_machine_has_the_cpus_that_the_kernel_allows_each_in_one_core_and_one_node() {
        let (machine, allowed) = (Machine::this().unwrap(), thread::allowed().unwrap());
        assert_eq!(machine.cpus(), allowed);
        assert_eq!(machine.cores.iter().map(|core| core.cpus.len()).sum::<usize>(), allowed.len());
        assert_eq!(machine.nodes.iter().map(|node| node.cpus.len()).sum::<usize>(), allowed.len());
        assert_eq!(machine.nodes.iter().flat_map(|node| node.cpus.iter()).collect::<Cpus>(), allowed);
    }

    #[test]
    fn the_nearest_nodes_come_first_and_a_node_is_nearest_to_itself() {
        assert_eq!(fake(4, 1, 1).by_distance(2), [2, 1, 3, 0]);
        assert_eq!(fake(1, 4, 1).by_distance(0), [0]);
        let mut wrong = fake(2, 1, 1);
        wrong.nodes[1].distances = vec![10, 10];
        assert_eq!(wrong.by_distance(1), [1, 0], "as some firmware has it");
    }

    #[test]
    fn errors_say_what_and_where() {
        let error = TopologyError::Malformed { path: "cpu/online".into(), text: "0-\n".into(), expected: "a list" };
        assert_eq!(error.to_string(), "/sys/devices/system/cpu/online holds \"0-\", which is not a list");
        let error = TopologyError::Unreadable { path: "cpu/online".into(), error: io::Error::other("it broke") };
        assert_eq!(error.to_string(), "/sys/devices/system/cpu/online: it broke");
    }
}
