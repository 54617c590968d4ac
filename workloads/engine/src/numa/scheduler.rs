//! Tasks to the workers of the node that has their memory.

use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use super::memory::{BLOCK, Memory, Pool, Site};
use super::station::{Found, Station};
use crate::topology::{self, Cpus, Machine};

/// What a task does with the memory it gets.
pub(super) type Work = Box<dyn FnOnce(&mut [u8]) + Send>;

/// Work, and the memory it needs.
pub(super) struct Task {
    /// The place of the node where its data are.
    home: usize,
    /// Bytes to work with.
    needs: usize,
    work: Work,
}

impl Task {
    /// Work on `data`, which gets `needs` bytes of the same node to work with. What others left in them is still there.
    pub(super) fn beside(data: &Memory, needs: usize, work: impl FnOnce(&mut [u8]) + Send + 'static) -> Self {
        Self { home: data.node(), needs, work: Box::new(work) }
    }
}

/// Why a task was not scheduled, or did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchedulingError {
    /// The scheduler has no memory in this node of its machine.
    NoMemoryIn(usize),
    /// All memory of this node is in use.
    OutOfMemory(usize),
    /// A task asked for so many bytes, and there are none in one piece.
    TooLarge(usize),
    /// So many tasks panicked; all others ran.
    Panicked(usize),
}

impl fmt::Display for SchedulingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemoryIn(node) => write!(f, "the scheduler has no memory in node {node} of its machine"),
            Self::OutOfMemory(node) => write!(f, "all memory blocks of node {node} are in use"),
            Self::TooLarge(bytes) => write!(f, "a task asks for {bytes} bytes, and a block of memory has {BLOCK}"),
            Self::Panicked(tasks) => write!(f, "{tasks} tasks panicked; their messages stand above"),
        }
    }
}

/// A task on its way.
struct Ready {
    work: Work,
    memory: Memory,
}

/// Where somebody waits for all tasks to end.
#[derive(Default)]
struct Gate {
    open: AtomicUsize,
    panicked: AtomicUsize,
    turn: Mutex<()>,
    complete: Condvar,
}

impl Gate {
    fn one_ended(&self) {
        if self.open.fetch_sub(1, AcqRel) == 1 {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.complete.notify_all();
        }
    }

    fn wait(&self) -> usize {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.complete.wait_while(turn, |()| self.open.load(Acquire) > 0));
        self.panicked.swap(0, Relaxed)
    }
}

/// What all workers share.
struct Shared {
    /// One for each node that has workers.
    stations: Vec<Station<Ready>>,
    /// For each station the others, the nearest first.
    others: Vec<Vec<usize>>,
    gate: Gate,
    /// Tasks that ran on another node than their memory's nearest.
    stolen: AtomicU64,
}

impl Shared {
    fn submit(&self, station: usize, task: Ready) {
        self.gate.open.fetch_add(1, Relaxed);
        if !self.stations[station].put(task) {
            self.call_others(station);
        }
    }

    /// All workers of a station are busy: the nearest that is idle is called to help.
    fn call_others(&self, station: usize) {
        self.others[station].iter().any(|&other| self.stations[other].call());
    }

    /// The next task for a worker of this station; `None` at the end.
    fn next(&self, station: usize) -> Option<Ready> {
        let own = &self.stations[station];
        loop {
            match own.take() {
                Found::Task(task) => return Some(task),
                Found::End => return None,
                Found::Nothing => {}
            }
            // Idle, and known to be: whoever puts a task in from now on calls. What was put in before is seen here.
            let Some(task) = self.others[station].iter().find_map(|&other| self.stations[other].steal()) else {
                own.sleep();
                continue;
            };
            self.stolen.fetch_add(1, Relaxed);
            if own.leave() && !own.call() {
                self.call_others(station);
            }
            return Some(task);
        }
    }

    fn work(&self, station: usize) {
        while let Some(Ready { work, mut memory }) = self.next(station) {
            if panic::catch_unwind(AssertUnwindSafe(|| work(&mut memory))).is_err() {
                self.gate.panicked.fetch_add(1, Relaxed);
            }
            // Before the gate: who waits for the tasks finds their memory free.
            drop(memory);
            self.gate.one_ended();
        }
    }
}

/// Pools of workers and of memory, one of each per node.
pub(super) struct Scheduler {
    shared: Arc<Shared>,
    /// For each node of the machine its memory, where it has any.
    pools: Vec<Option<Arc<Pool>>>,
    /// For each node of the machine the nearest station.
    nearest: Vec<usize>,
    threads: Vec<JoinHandle<()>>,
    /// What the system did not permit, in words: then threads or memory are wherever it puts them.
    pub(super) refused: Vec<String>,
}

impl Scheduler {
    /// Workers and memory in all nodes of a machine: one worker per CPU but at most `workers` in all (and at least one
    /// per node that has CPUs), and `blocks` of memory per node that has memory.
    ///
    /// # Errors
    /// Where the system refuses a thread or memory.
    pub(super) fn start(machine: &Machine, workers: usize, blocks: usize) -> io::Result<Self> {
        let staffed: Vec<usize> = places(machine, |place| !machine.nodes[place].cpus.is_empty());
        let nearest_station = |place: usize| {
            machine
                .by_distance(place)
                .into_iter()
                .find_map(|near| staffed.iter().position(|&at| at == near))
                .unwrap_or(0)
        };
        let nearest: Vec<usize> = (0..machine.nodes.len()).map(nearest_station).collect();
        let mut scheduler = Self {
            shared: Arc::new(shared(machine, &staffed)),
            pools: Vec::new(),
            nearest,
            threads: Vec::new(),
            refused: Vec::new(),
        };
        scheduler.pools = scheduler.memory_pools(machine, &staffed, blocks)?;
        scheduler.hire(machine, &staffed, workers)?;
        Ok(scheduler)
    }

    fn memory_pools(
        &mut self,
        machine: &Machine,
        staffed: &[usize],
        blocks: usize,
    ) -> io::Result<Vec<Option<Arc<Pool>>>> {
        let with_memory = places(machine, |place| machine.nodes[place].memory != Some(0));
        let pool = |place: usize| {
            if !with_memory.contains(&place) {
                return Ok(None);
            }
            let (node, cpus) = (&machine.nodes[place], &machine.nodes[staffed[self.nearest[place]]].cpus);
            let site = Site { place, id: node.id, alone: machine.nodes.len() == 1, cpus };
            Pool::on(&site, blocks, &mut self.refused).map(Some)
        };
        (0..machine.nodes.len()).map(pool).collect()
    }

    /// Starts the workers of all stations, each on the CPUs of its node, and waits until they are there.
    fn hire(&mut self, machine: &Machine, staffed: &[usize], workers: usize) -> io::Result<()> {
        let share = (workers / staffed.len().max(1)).max(1);
        let (tell, told) = mpsc::channel();
        for (station, node) in staffed.iter().map(|&place| &machine.nodes[place]).enumerate() {
            for _ in 0..node.cpus.len().min(share) {
                let (shared, cpus, tell) = (Arc::clone(&self.shared), node.cpus.clone(), tell.clone());
                let named = thread::Builder::new().name(format!("node {}", node.id));
                self.threads.push(named.spawn(move || {
                    let refused = settle(&cpus);
                    // Nobody listens where starting broke off half-way.
                    let _ = tell.send(refused);
                    drop(tell);
                    shared.work(station);
                })?);
            }
        }
        drop(tell);
        self.refused.extend(told.iter().flatten());
        Ok(())
    }

    /// The places of the nodes that have memory, in the machine's order; at least one.
    pub(super) fn homes(&self) -> Vec<usize> {
        (0..self.pools.len()).filter(|&place| self.pools[place].is_some()).collect()
    }

    /// Nodes with workers of their own.
    pub(super) fn stations(&self) -> usize {
        self.shared.stations.len()
    }

    /// A block of memory in the node at a place of the machine, of [`BLOCK`] bytes.
    ///
    /// # Errors
    /// Where that node has no memory, or none left.
    pub(super) fn memory(&self, node: usize) -> Result<Memory, SchedulingError> {
        let pool = self.pools.get(node).and_then(Option::as_ref).ok_or(SchedulingError::NoMemoryIn(node))?;
        pool.allocate().ok_or(SchedulingError::OutOfMemory(node))
    }

    /// Hands a task to the workers nearest to its data, with memory beside them. Workers of other nodes take it only
    /// while those are all busy and they themselves have nothing to do.
    ///
    /// # Errors
    /// Where there is no memory for it; the task is dropped.
    pub(super) fn schedule_task(&self, task: Task) -> Result<(), SchedulingError> {
        if task.needs > BLOCK {
            return Err(SchedulingError::TooLarge(task.needs));
        }
        let memory = self.memory(task.home)?;
        self.shared.submit(self.nearest[task.home], Ready { work: task.work, memory });
        Ok(())
    }

    /// Waits until every task that was scheduled has ended.
    ///
    /// # Errors
    /// Where tasks panicked since the last call.
    pub(super) fn wait(&self) -> Result<(), SchedulingError> {
        match self.shared.gate.wait() {
            0 => Ok(()),
            panicked => Err(SchedulingError::Panicked(panicked)),
        }
    }

    /// Workers that have nothing to do.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.shared.stations.iter().map(Station::idle).sum()
    }

    /// The workers' threads that there are.
    #[cfg(test)]
    pub(super) fn workers(&self) -> usize {
        self.threads.len()
    }

    /// Tasks so far that ran on another node than the nearest to their data.
    pub(super) fn stolen(&self) -> u64 {
        self.shared.stolen.load(Relaxed)
    }
}

impl Drop for Scheduler {
    /// Ends the workers when they have done what was scheduled.
    fn drop(&mut self) {
        self.shared.stations.iter().for_each(Station::end);
        for thread in self.threads.drain(..) {
            // A task's panic does not reach here.
            let _ = thread.join();
        }
    }
}

/// The places of the nodes for which something holds, or of all where it holds for none.
fn places(machine: &Machine, holds: impl Fn(usize) -> bool) -> Vec<usize> {
    let all = 0..machine.nodes.len();
    let some: Vec<usize> = all.clone().filter(|&place| holds(place)).collect();
    if some.is_empty() { all.collect() } else { some }
}

fn shared(machine: &Machine, staffed: &[usize]) -> Shared {
    let others = |&place: &usize| {
        let near = machine.by_distance(place).into_iter().filter(|&other| other != place);
        near.filter_map(|other| staffed.iter().position(|&at| at == other)).collect()
    };
    Shared {
        stations: staffed.iter().map(|_| Station::empty()).collect(),
        others: staffed.iter().map(others).collect(),
        gate: Gate::default(),
        stolen: AtomicU64::new(0),
    }
}

/// Keeps the calling thread on these CPUs; in words why not, where it is refused.
fn settle(cpus: &Cpus) -> Option<String> {
    topology::confine(cpus).err().map(|error| format!("a worker is not kept on CPUs {cpus}: {error}"))
}
