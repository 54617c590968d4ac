//! Reading the kernel's description. What is missing is guessed in the plainest way; what is there and wrong is an
//! error.

use std::str::FromStr;

use super::cpus::Cpus;
use super::files::Files;
use super::machine::{Core, LOCAL, Machine, Node, REMOTE, TopologyError};

/// The machine that the files describe, as far as `allowed` goes.
///
/// # Errors
/// Where a file can't be read or understood, and where no CPU is allowed.
pub(super) fn machine(files: &impl Files, allowed: &Cpus) -> Result<Machine, TopologyError> {
    if allowed.is_empty() {
        return Err(TopologyError::NoCpu);
    }
    let described = Described(files);
    let online = described.list("cpu/online")?.unwrap_or_default().shared_with(allowed);
    // Some containers show CPUs counted anew from 0. What the scheduler says is what holds.
    let usable = if online.is_empty() { allowed.clone() } else { online };
    Ok(Machine { cores: described.cores(&usable)?, nodes: described.nodes(&usable)? })
}

/// The kernel's files, understood.
struct Described<'a, F>(&'a F);

impl<F: Files> Described<'_, F> {
    fn text(&self, path: &str) -> Result<Option<String>, TopologyError> {
        self.0.read(path).map_err(|error| TopologyError::Unreadable { path: path.to_owned(), error })
    }

    /// What a file holds, made of its text; `None` where there is no such file.
    fn parsed<T>(
        &self,
        path: &str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, TopologyError> {
        let Some(text) = self.text(path)? else {
            return Ok(None);
        };
        match parse(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(TopologyError::Malformed { path: path.to_owned(), text, expected }),
        }
    }

    fn list(&self, path: &str) -> Result<Option<Cpus>, TopologyError> {
        self.parsed(path, "a list of numbers", Cpus::parse)
    }

    fn cores(&self, usable: &Cpus) -> Result<Vec<Core>, TopologyError> {
        let (mut cores, mut left) = (Vec::new(), usable.clone());
        while let Some(cpu) = left.first() {
            let mut cpus = self.siblings(cpu)?.shared_with(&left);
            cpus.insert(cpu);
            left = left.without(&cpus);
            cores.push(Core { cpus, package: self.package(cpu)? });
        }
        Ok(cores)
    }

    /// The CPUs of the core that `cpu` is in; none where nothing is said.
    fn siblings(&self, cpu: usize) -> Result<Cpus, TopologyError> {
        // The second is what kernels before 5.3 call the first.
        for name in ["core_cpus_list", "thread_siblings_list"] {
            if let Some(cpus) = self.list(&format!("cpu/cpu{cpu}/topology/{name}"))? {
                return Ok(cpus);
            }
        }
        Ok(Cpus::default())
    }

    fn package(&self, cpu: usize) -> Result<usize, TopologyError> {
        let number = |text: &str| i64::from_str(text.trim()).ok();
        let package = self.parsed(&format!("cpu/cpu{cpu}/topology/physical_package_id"), "a number", number)?;
        // -1 where the firmware does not say.
        Ok(package.and_then(|package| usize::try_from(package).ok()).unwrap_or(0))
    }

    fn nodes(&self, usable: &Cpus) -> Result<Vec<Node>, TopologyError> {
        let ids: Vec<usize> = self.list("node/online")?.unwrap_or_default().iter().collect();
        if ids.is_empty() {
            return Ok(Machine::flat(usable).nodes);
        }
        let (mut nodes, mut left) = (Vec::with_capacity(ids.len()), usable.clone());
        for (place, &id) in ids.iter().enumerate() {
            let cpus = self.list(&format!("node/node{id}/cpulist"))?.unwrap_or_default().shared_with(&left);
            left = left.without(&cpus);
            let distances = self.distances(id, place, ids.len())?;
            nodes.push(Node { id, cpus, memory: self.memory(id)?, distances });
        }
        adopt(&mut nodes, &left);
        Ok(nodes)
    }

    fn memory(&self, id: usize) -> Result<Option<u64>, TopologyError> {
        self.parsed(&format!("node/node{id}/meminfo"), "a node's meminfo", total)
    }

    /// From the node at `place` to all `count` that are online, in their order, as the kernel lists them.
    fn distances(&self, id: usize, place: usize, count: usize) -> Result<Vec<u32>, TopologyError> {
        let row = |text: &str| {
            let row: Option<Vec<u32>> = text.split_whitespace().map(|number| number.parse().ok()).collect();
            row.filter(|row| row.len() == count)
        };
        let row = self.parsed(&format!("node/node{id}/distance"), "a distance to each node that is online", row)?;
        Ok(row.unwrap_or_else(|| (0..count).map(|other| if other == place { LOCAL } else { REMOTE }).collect()))
    }
}

/// Bytes, from `Node 0 MemTotal:       15165644 kB`.
fn total(meminfo: &str) -> Option<u64> {
    let words = meminfo.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let total = words.into_iter().find(|words| words.get(2) == Some(&"MemTotal:"))?;
    total.get(3)?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// CPUs that no node claims go to the first one that has any, or to the first.
fn adopt(nodes: &mut [Node], orphans: &Cpus) {
    let place = nodes.iter().position(|node| !node.cpus.is_empty()).unwrap_or(0);
    if let Some(node) = nodes.get_mut(place) {
        orphans.iter().for_each(|cpu| node.cpus.insert(cpu));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use super::*;

    /// Files in memory; those named `broken` can't be read.
    #[derive(Default)]
    struct Tree(BTreeMap<String, String>);

    impl Files for Tree {
        fn read(&self, path: &str) -> io::Result<Option<String>> {
            match self.0.get(path).map(String::as_str) {
                Some("broken") => Err(io::Error::other("input/output error")),
                text => Ok(text.map(|text| format!("{text}\n"))),
            }
        }
    }

    fn tree(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect())
    }

    fn list(text: &str) -> Cpus {
        Cpus::parse(text).unwrap()
    }

    /// The cores as `package: CPUs`, and the nodes as `number: CPUs, distances`.
    fn seen(files: &Tree, allowed: &str) -> (Vec<String>, Vec<String>) {
        let machine = machine(files, &list(allowed)).unwrap();
        let cores = machine.cores.iter().map(|core| format!("{}: {}", core.package, core.cpus)).collect();
        let node = |node: &Node| format!("{}: {} {:?}", node.id, node.cpus, node.distances);
        (cores, machine.nodes.iter().map(node).collect())
    }

    /// Two sockets of two cores of two CPUs each, as Linux numbers them on x86.
    fn two_sockets() -> Tree {
        let mut tree = tree(&[
            ("cpu/online", "0-7"),
            ("node/online", "0-1"),
            ("node/node0/cpulist", "0-1,4-5"),
            ("node/node1/cpulist", "2-3,6-7"),
            ("node/node0/distance", "10 21"),
            ("node/node1/distance", "21 10"),
            ("node/node0/meminfo", "Node 0 MemTotal:       65536 kB\nNode 0 MemFree:        11058380 kB"),
            ("node/node1/meminfo", "Node 1 MemTotal:       32768 kB"),
        ]);
        for cpu in 0..8 {
            let first = cpu % 4;
            tree.0.insert(format!("cpu/cpu{cpu}/topology/core_cpus_list"), format!("{first},{}", first + 4));
            tree.0.insert(format!("cpu/cpu{cpu}/topology/physical_package_id"), (first / 2).to_string());
        }
        tree
    }

    #[test]
    fn cores_siblings_packages_and_nodes_are_read() {
        let (cores, nodes) = seen(&two_sockets(), "0-7");
        assert_eq!(cores, ["0: 0,4", "0: 1,5", "1: 2,6", "1: 3,7"]);
        assert_eq!(nodes, ["0: 0-1,4-5 [10, 21]", "1: 2-3,6-7 [21, 10]"]);
        let machine = machine(&two_sockets(), &list("0-7")).unwrap();
        assert_eq!(machine.nodes.iter().map(|node| node.memory).collect::<Vec<_>>(), [Some(64 << 20), Some(32 << 20)]);
    }

    #[test]
    fn what_a_container_forbids_and_what_is_offline_is_left_out() {
        let mut tree = two_sockets();
        assert_eq!(seen(&tree, "1,4-6").0, ["0: 1,5", "0: 4", "1: 6"]);
        assert_eq!(seen(&tree, "0,4").1, ["0: 0,4 [10, 21]", "1:  [21, 10]"], "a node may lose all its CPUs");
        tree.0.insert("cpu/online".into(), "0-2,5-6".into());
        assert_eq!(seen(&tree, "0-7").0, ["0: 0", "0: 1,5", "1: 2,6"]);
    }

    #[test]
    fn without_any_file_every_cpu_is_a_core_in_one_node() {
        let flat = machine(&Tree::default(), &list("2,5-6")).unwrap();
        assert_eq!(flat, Machine::flat(&list("2,5-6")));
        assert_eq!(seen(&Tree::default(), "2,5").1, ["0: 2,5 [10]"]);
    }

    #[test]
    fn a_list_of_cpus_that_was_counted_anew_is_not_believed() {
        assert_eq!(seen(&tree(&[("cpu/online", "0-1")]), "8-9").0, ["0: 8", "0: 9"]);
    }

    #[test]
    fn older_kernels_and_firmware_without_packages_are_understood() {
        let old =
            tree(&[("cpu/cpu0/topology/thread_siblings_list", "0-1"), ("cpu/cpu0/topology/physical_package_id", "-1")]);
        assert_eq!(seen(&old, "0-1").0, ["0: 0-1"]);
    }

    #[test]
    fn numbers_may_have_gaps_and_nodes_no_cpus_and_cpus_no_node() {
        let sparse = tree(&[
            ("cpu/online", "0,2,64"),
            ("node/online", "1,8,252"),
            ("node/node8/cpulist", "2,64"),
            ("node/node252/cpulist", ""),
            ("node/node8/distance", "40 10 80"),
        ]);
        let (cores, nodes) = seen(&sparse, "0-127");
        assert_eq!(cores, ["0: 0", "0: 2", "0: 64"]);
        assert_eq!(nodes, ["1:  [10, 20, 20]", "8: 0,2,64 [40, 10, 80]", "252:  [20, 20, 10]"]);
    }

    #[test]
    fn a_cpu_that_two_nodes_claim_belongs_to_the_first() {
        let twice = tree(&[("node/online", "0-1"), ("node/node0/cpulist", "0-1"), ("node/node1/cpulist", "1-2")]);
        assert_eq!(seen(&twice, "0-2").1, ["0: 0-1 [10, 20]", "1: 2 [20, 10]"]);
    }

    #[test]
    fn what_is_there_and_wrong_is_an_error_that_names_the_file() {
        let said = |path: &str, text: &str| {
            let mut tree = two_sockets();
            tree.0.insert(path.to_owned(), text.to_owned());
            machine(&tree, &list("0-7")).unwrap_err().to_string()
        };
        let cases = [
            ("cpu/online", "0-x", "\"0-x\", which is not a list of numbers"),
            ("cpu/online", "broken", "input/output error"),
            ("cpu/cpu1/topology/core_cpus_list", "?", "\"?\", which is not a list of numbers"),
            ("cpu/cpu2/topology/physical_package_id", "", "\"\", which is not a number"),
            ("node/node1/distance", "21", "\"21\", which is not a distance to each node that is online"),
            ("node/node1/meminfo", "Node 1 MemTotal:", "which is not a node's meminfo"),
        ];
        for (path, text, expected) in cases {
            let said = said(path, text);
            assert!(said.starts_with(&format!("/sys/devices/system/{path}")) && said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn no_allowed_cpu_is_an_error() {
        assert!(matches!(machine(&two_sockets(), &Cpus::default()), Err(TopologyError::NoCpu)));
    }
}
