//! The scheduler on machines that there are not. Pinning to their CPUs is refused and told; where tasks run shows in
//! the names of the threads.

use std::panic;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::memory::BLOCK;
use super::scheduler::{Scheduler, SchedulingError, Task};
use crate::topology::{self, Machine, fake};

/// Longer than any machine needs: a task that does not come within it is lost.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(machine: &Machine) -> Scheduler {
    let scheduler = Scheduler::start(machine, 8, 2_000).unwrap();
    settle(&scheduler, scheduler.workers());
    scheduler
}

/// Waits until so many workers are idle.
fn settle(scheduler: &Scheduler, idle: usize) {
    let begun = Instant::now();
    while scheduler.idle() != idle && begun.elapsed() < PATIENCE {
        thread::yield_now();
    }
    assert_eq!(scheduler.idle(), idle);
}

/// Schedules a task that tells where it runs, and holds its worker until the sender is gone.
fn occupy(scheduler: &Scheduler, home: usize) -> (Receiver<String>, Sender<()>) {
    let (tell, told) = mpsc::channel();
    let (hold, held) = mpsc::channel::<()>();
    let data = scheduler.memory(home).unwrap();
    let task = Task::beside(&data, 64, move |_| {
        tell.send(thread::current().name().unwrap_or_default().to_owned()).unwrap();
        let _ = held.recv();
    });
    scheduler.schedule_task(task).unwrap();
    (told, hold)
}

/// Where a task with such a home runs on a scheduler that is idle.
fn seat(scheduler: &Scheduler, home: usize) -> String {
    settle(scheduler, scheduler.workers());
    let (told, hold) = occupy(scheduler, home);
    let seat = told.recv_timeout(PATIENCE).unwrap();
    drop(hold);
    scheduler.wait().unwrap();
    seat
}

#[test]
fn tasks_go_where_their_memory_is() {
    for machine in [fake(1, 2, 1), fake(2, 2, 1), fake(4, 1, 2)] {
        let scheduler = start(&machine);
        for home in (0..machine.nodes.len()).cycle().take(40) {
            assert_eq!(seat(&scheduler, home), format!("node {home}"));
        }
        assert_eq!(scheduler.stolen(), 0);
    }
}

#[test]
fn a_busy_nodes_tasks_go_to_the_nearest_idle_node() {
    let scheduler = start(&fake(4, 1, 1));
    let held: Vec<_> = (0..4)
        .map(|_| {
            let (told, hold) = occupy(&scheduler, 2);
            (told.recv_timeout(PATIENCE).unwrap(), hold)
        })
        .collect();
    let seats: Vec<&str> = held.iter().map(|(seat, _)| seat.as_str()).collect();
    assert_eq!(seats, ["node 2", "node 1", "node 3", "node 0"]);
    assert_eq!(scheduler.stolen(), 3);
}

#[test]
fn a_worker_with_tasks_of_its_own_takes_no_others() {
    let scheduler = start(&fake(2, 1, 1));
    let (first, second) = (occupy(&scheduler, 0), occupy(&scheduler, 1));
    assert_eq!(
        (first.0.recv_timeout(PATIENCE).unwrap(), second.0.recv_timeout(PATIENCE).unwrap()),
        ("node 0".into(), "node 1".into())
    );
    // Both are busy. Those that wait now: one with each home, node 0's first.
    let (of_0, of_1) = (occupy(&scheduler, 0), occupy(&scheduler, 1));
    drop(second.1);
    assert_eq!(of_1.0.recv_timeout(PATIENCE).unwrap(), "node 1");
    assert!(of_0.0.try_recv().is_err(), "its own worker is busy and the other had a task of its own");
    drop(of_1.1);
    assert_eq!(of_0.0.recv_timeout(PATIENCE).unwrap(), "node 1", "now the other one is idle");
    drop((of_0.1, first.1));
    scheduler.wait().unwrap();
}

#[test]
fn a_node_without_cpus_has_its_tasks_done_by_the_nearest_and_one_without_memory_has_none() {
    let mut machine = fake(3, 2, 1);
    machine.nodes[2].cpus = topology::Cpus::default();
    machine.nodes[0].memory = Some(0);
    let scheduler = start(&machine);
    assert_eq!((scheduler.homes(), scheduler.stations()), (vec![1, 2], 2));
    assert_eq!((seat(&scheduler, 2), seat(&scheduler, 1)), ("node 1".into(), "node 1".into()));
    assert_eq!(scheduler.memory(0).err(), Some(SchedulingError::NoMemoryIn(0)));
    assert_eq!(scheduler.memory(9).err(), Some(SchedulingError::NoMemoryIn(9)));
}

#[test]
fn an_idle_worker_helps_the_nearest_of_several_busy_nodes_first() {
    let scheduler = start(&fake(4, 1, 1));
    let mut held: Vec<_> = (0..4).map(|home| occupy(&scheduler, home)).collect();
    held.iter().for_each(|(told, _)| drop(told.recv_timeout(PATIENCE).unwrap()));
    let (far, near) = (occupy(&scheduler, 3), occupy(&scheduler, 0));
    drop(held.remove(1));
    assert_eq!(near.0.recv_timeout(PATIENCE).unwrap(), "node 1");
    assert!(far.0.try_recv().is_err(), "it came first and is further away");
    drop(near);
    assert_eq!(far.0.recv_timeout(PATIENCE).unwrap(), "node 1");
}

/// Schedules `count` tasks over all homes, of which every seventh panics; how often each ran.
fn flood(scheduler: &Scheduler, count: usize) -> Arc<Vec<AtomicU32>> {
    let ran: Arc<Vec<AtomicU32>> = Arc::new((0..count).map(|_| AtomicU32::new(0)).collect());
    let data: Vec<_> = scheduler.homes().into_iter().map(|home| scheduler.memory(home).unwrap()).collect();
    for number in 0..count {
        let ran = Arc::clone(&ran);
        let task = Task::beside(&data[number % data.len()], 1, move |_| {
            ran[number].fetch_add(1, SeqCst);
            if number % 7 == 0 {
                // Without a message on the terminal.
                panic::resume_unwind(Box::new("as the test wants"));
            }
        });
        scheduler.schedule_task(task).unwrap();
    }
    ran
}

#[test]
fn every_task_runs_exactly_once_also_where_some_panic() {
    for machine in [fake(1, 1, 1), fake(1, 3, 1), fake(2, 2, 1), fake(4, 2, 1)] {
        let scheduler = start(&machine);
        for _ in 0..5 {
            let ran = flood(&scheduler, 700);
            assert_eq!(scheduler.wait(), Err(SchedulingError::Panicked(100)));
            assert!(ran.iter().all(|ran| ran.load(SeqCst) == 1));
            assert_eq!(Arc::strong_count(&ran), 1, "no task is left");
        }
        assert_eq!(scheduler.wait(), Ok(()), "panics are told once");
        settle(&scheduler, scheduler.workers());
    }
}

#[test]
fn it_ends_without_leaving_tasks_or_threads() {
    let held = Arc::new(Mutex::new(()));
    for machine in [fake(1, 2, 1), fake(4, 2, 1)] {
        let scheduler = start(&machine);
        let ran = flood(&scheduler, 700);
        let (told, hold) = occupy(&scheduler, 0);
        let inside = Arc::clone(&held);
        let releaser = thread::spawn(move || {
            let _inside = inside;
            told.recv_timeout(PATIENCE).unwrap();
            drop(hold);
        });
        drop(scheduler);
        assert!(ran.iter().all(|ran| ran.load(SeqCst) == 1));
        assert_eq!(Arc::strong_count(&ran), 1, "threads hold what they run");
        releaser.join().unwrap();
    }
}

#[test]
fn memory_comes_back_after_each_task_and_running_out_is_an_error() {
    let scheduler = Scheduler::start(&fake(2, 1, 1), 2, 3).unwrap();
    let data = scheduler.memory(1).unwrap();
    for mark in 0..20 {
        scheduler.schedule_task(Task::beside(&data, BLOCK, move |scratch| scratch.fill(mark))).unwrap();
        scheduler.wait().unwrap();
    }
    let last = scheduler.memory(1).unwrap();
    assert!(last.iter().all(|&byte| byte == last[0]), "the task had the whole block");
    let _all = scheduler.memory(1).unwrap();
    assert_eq!(scheduler.memory(1).err(), Some(SchedulingError::OutOfMemory(1)));
    let refused = scheduler.schedule_task(Task::beside(&data, 1, |_| ()));
    assert_eq!(refused, Err(SchedulingError::OutOfMemory(1)));
    let refused = scheduler.schedule_task(Task::beside(&data, BLOCK + 1, |_| ()));
    assert_eq!(refused, Err(SchedulingError::TooLarge(BLOCK + 1)));
    assert_eq!(scheduler.wait(), Ok(()), "what was refused is not waited for");
}

#[test]
fn what_the_system_refuses_is_told_and_on_its_own_machine_nothing_is() {
    let mut elsewhere = fake(2, 1, 1);
    for (node, cpu) in elsewhere.nodes.iter_mut().zip(60_000..) {
        node.cpus = [cpu].into_iter().collect();
        node.id += 1_000;
    }
    let refused = start(&elsewhere).refused.join("\n");
    assert_eq!(refused.matches("a worker is not kept on CPUs 6000").count(), 2, "{refused}");
    assert_eq!(refused.matches("is not asked for").count(), 2, "{refused}");
    assert_eq!(refused.matches("is not touched").count(), 2, "{refused}");
    let flat = Machine::flat(&topology::allowed().unwrap());
    let scheduler = start(&flat);
    assert_eq!(scheduler.refused, Vec::<String>::new());
    assert_eq!(scheduler.workers(), flat.cpus().len().min(8));
}

#[test]
fn there_are_as_many_workers_as_asked_for_and_cpus_to_run_them() {
    let workers = |machine: &Machine, most| Scheduler::start(machine, most, 1).unwrap().workers();
    assert_eq!([1, 2, 8, 100].map(|most| workers(&fake(1, 6, 1), most)), [1, 2, 6, 6]);
    assert_eq!([1, 4, 8].map(|most| workers(&fake(2, 3, 1), most)), [2, 4, 6], "one in each node at least");
}
