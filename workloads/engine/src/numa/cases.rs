//! The same tasks on a plain pool of threads and on one that knows the machine's nodes.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use perfplan_harness::{Size, Suite, add, amount, gauge};

use super::memory::{BLOCK, Memory};
use super::plain::Plain;
use super::scheduler::{Scheduler, SchedulingError, Task};
use crate::tape::Random;
use crate::topology::{self, Cpus, Machine};

const TASKS: usize = amount(100);

/// The most worker threads.
const WORKERS: usize = 8;

/// From one iteration's first shard to the next one's. Odd, so that every shard is the first one once.
const STRIDE: u64 = 37;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("numa/plain", plain)
        .about(
            "100 tasks revalue a block of prices each, out of one queue, on threads and memory wherever the system puts them",
        )
        .threads(WORKERS)
        .operations(TASKS as u64);
    suite
        .case("numa/aware", aware)
        .about("100 tasks revalue a block of prices each, on the NUMA node that has the block; others help when idle")
        .threads(WORKERS)
        .operations(TASKS as u64);
}

fn plain(size: Size) -> impl FnMut(u64) -> u64 {
    let shards = shards(size);
    let pool = match Plain::start(&allowed(), WORKERS, shards) {
        Ok(pool) => pool,
        Err(error) => panic!("no threads or no memory for the pool: {error}"),
    };
    let desk = Desk::open(shards, |_| pool.memory());
    move |index| {
        desk.sum.store(0, Relaxed);
        (0..TASKS).for_each(|task| pool.submit(Box::new(desk.valuation(index, task))));
        if let Err(error) = pool.wait() {
            panic!("an iteration of {TASKS} tasks: {error}");
        }
        desk.sum.load(Relaxed)
    }
}

fn aware(size: Size) -> impl FnMut(u64) -> u64 {
    let machine = Machine::this().unwrap_or_else(|error| {
        tell(&error.to_string());
        Machine::flat(&allowed())
    });
    revalue(&machine, size)
}

/// The CPUs that may be used, or the first where the system does not tell: refused pinning does no harm.
fn allowed() -> Cpus {
    topology::allowed().unwrap_or_else(|_| [0].into_iter().collect())
}

fn shards(size: Size) -> usize {
    size.pick(16, 256, 16_384)
}

/// What all tasks of an iteration share.
struct Desk {
    shards: Vec<Memory>,
    /// The sum of all results, in whatever order they come.
    sum: AtomicU64,
}

impl Desk {
    /// Shards of random prices, each in a block of memory that `block` gives for its number.
    ///
    /// # Panics
    /// Where there is no memory.
    fn open(shards: usize, block: impl Fn(usize) -> Result<Memory, SchedulingError>) -> Arc<Self> {
        let mut random = Random::seeded(50);
        let shard = |number: usize| {
            let mut memory = block(number)?;
            memory.chunks_exact_mut(8).for_each(|price| price.copy_from_slice(&random.word().to_le_bytes()));
            Ok(memory)
        };
        match (0..shards).map(shard).collect::<Result<_, SchedulingError>>() {
            Ok(shards) => Arc::new(Self { shards, sum: AtomicU64::new(0) }),
            Err(error) => panic!("no memory for the prices: {error}"),
        }
    }

    /// Dealt to the nodes one by one.
    fn dealt(scheduler: &Scheduler, shards: usize) -> Arc<Self> {
        let homes = scheduler.homes();
        Self::open(shards, |number| scheduler.memory(homes[number % homes.len()]))
    }

    /// The shard of a task.
    fn shard(&self, index: u64, task: usize) -> usize {
        let first = index.wrapping_mul(STRIDE) % self.shards.len() as u64;
        (first as usize + task) % self.shards.len()
    }

    /// What a task does with the memory it gets.
    fn valuation(self: &Arc<Self>, index: u64, task: usize) -> impl FnOnce(&mut [u8]) + Send + use<> {
        let (shard, desk) = (self.shard(index, task), Arc::clone(self));
        move |scratch| {
            // The task's number makes equal shards' results different, so that none can stand for another.
            let value = moved(&desk.shards[shard], index ^ (task as u64) << 32, scratch);
            desk.sum.fetch_add(value, Relaxed);
        }
    }
}

/// Writes every price moved by `shift` to `scratch`, and folds what it wrote.
fn moved(prices: &[u8], shift: u64, scratch: &mut [u8]) -> u64 {
    let pairs = prices.chunks_exact(8).zip(scratch.chunks_exact_mut(8));
    pairs.fold(shift, |sum, (price, place)| {
        let moved = u64::from_le_bytes(price.try_into().unwrap_or_default()).wrapping_add(shift);
        place.copy_from_slice(&moved.to_le_bytes());
        sum.rotate_left(1).wrapping_add(moved)
    })
}

fn revalue(machine: &Machine, size: Size) -> impl FnMut(u64) -> u64 + use<> {
    let shards = shards(size);
    let scheduler = match Scheduler::start(machine, WORKERS, shards + TASKS) {
        Ok(scheduler) => scheduler,
        Err(error) => panic!("no threads or no memory for the scheduler: {error}"),
    };
    scheduler.refused.iter().for_each(|refused| tell(refused));
    let desk = Desk::dealt(&scheduler, shards);
    let mut stolen = 0;
    move |index| {
        desk.sum.store(0, Relaxed);
        let scheduled = (0..TASKS).try_for_each(|task| scheduler.schedule_task(revaluation(&desk, index, task)));
        // In any case: what was scheduled before something failed must not run into the next iteration.
        let ran = scheduler.wait();
        if let Err(error) = scheduled.and(ran) {
            panic!("an iteration of {TASKS} tasks: {error}");
        }
        let before = std::mem::replace(&mut stolen, scheduler.stolen());
        add("numa.stolen", stolen - before);
        gauge("numa.nodes", scheduler.stations() as f64);
        gauge("numa.refused", scheduler.refused.len() as f64);
        desk.sum.load(Relaxed)
    }
}

fn revaluation(desk: &Arc<Desk>, index: u64, task: usize) -> Task {
    Task::beside(&desk.shards[desk.shard(index, task)], BLOCK, desk.valuation(index, task))
}

/// What was not permitted is no failure, but somebody may wonder at the numbers.
fn tell(what: &str) {
    let _ = writeln!(io::stderr(), "numa: {what}");
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;
    use crate::topology::fake;

    #[test]
    fn plain_and_aware_give_equal_results_also_on_machines_with_several_nodes() {
        contract::results_are_equal(plain, aware);
        contract::results_are_equal(plain, |size| revalue(&fake(2, 2, 1), size));
        contract::results_are_equal(plain, |size| revalue(&fake(4, 1, 2), size));
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(plain);
        contract::results_depend_on_the_index_alone(aware);
    }

    #[test]
    fn shards_are_dealt_to_all_nodes_and_every_one_is_used() {
        let scheduler = Scheduler::start(&fake(2, 1, 1), 2, 16 + TASKS).unwrap();
        let desk = Desk::dealt(&scheduler, 16);
        assert_eq!(desk.shards.iter().map(Memory::node).collect::<Vec<_>>(), [0, 1].repeat(8));
        let mut used: Vec<usize> = (0..16).map(|index| desk.shard(index, 0)).collect();
        used.sort_unstable();
        assert_eq!(used, (0..16).collect::<Vec<_>>());
        assert_eq!(desk.shard(0, 17), 1);
    }

    #[test]
    fn prices_are_moved_into_the_scratch_and_folded() {
        let prices: Vec<u8> = [5_u64, u64::MAX].into_iter().flat_map(u64::to_le_bytes).collect();
        let mut scratch = [0; 16];
        assert_eq!(moved(&prices, 2, &mut scratch), ((2_u64 << 1) + 7) * 2 + 1);
        assert_eq!(scratch[..8], 7_u64.to_le_bytes());
        assert_eq!(scratch[8..], 1_u64.to_le_bytes());
    }
}
