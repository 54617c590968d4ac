//! Threads take their places by role, as far as the system permits it.

use std::io;
use std::marker::PhantomData;

use super::class::Class;
use crate::topology::{self, Cpus, Layout, Machine, TopologyError};

/// What a thread does in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Takes orders in (the plan's `MempoolProcessor`). Critical.
    Intake,
    /// Keeps the balances (the plan's `StateManager`). Critical.
    State,
    /// Prices orders; the number tells workers apart.
    Worker(usize),
    /// Everything that no order waits for.
    Background,
}

impl Role {
    /// Whether the thread should be served before all ordinary ones: orders wait for it. Such threads sleep while there
    /// is nothing to do. One that polled all the time would keep the kernel's own threads off its CPU, and be stopped
    /// for a twentieth of every second (`sched_rt_runtime_us`), which is the worst tail of all.
    fn wants_realtime(self) -> bool {
        self != Self::Background
    }
}

/// Which role goes where.
#[derive(Clone, Debug)]
pub(super) struct Affinity {
    layout: Layout,
    /// CPUs that the layout shares out.
    cpus: usize,
}

impl Affinity {
    /// For the machine as the calling thread may use it.
    ///
    /// # Errors
    /// As [`Machine::this`].
    pub(super) fn detect() -> Result<Self, TopologyError> {
        Machine::this().map(|machine| Self::of(&machine))
    }

    pub(super) fn of(machine: &Machine) -> Self {
        Self { layout: Layout::of(machine), cpus: machine.cpus().len() }
    }

    /// Gives the calling thread the CPUs of its role, and real time where the role wants it. What is not permitted is
    /// left out and told: it never fails.
    pub(super) fn take(&self, role: Role) -> Placed {
        let mut placed = Placed::nowhere();
        match topology::allowed().and_then(|before| topology::confine(&self.cpus_of(role)).map(|()| before)) {
            Ok(before) => placed.cpus = Some(before),
            Err(error) => placed.refuse(role, &format!("CPUs {}", self.cpus_of(role)), &error),
        }
        if role.wants_realtime() {
            match self.realtime() {
                Ok(before) => placed.class = Some(before),
                Err(error) => placed.refuse(role, "real time", &error),
            }
        }
        placed
    }

    /// Enters the real-time class; the one before.
    fn realtime(&self) -> io::Result<Class> {
        if self.cpus < 2 {
            return Err(io::Error::other("the only CPU would be nobody else's while this thread runs"));
        }
        let before = Class::current()?;
        Class::REALTIME.enter().map(|()| before)
    }

    fn cpus_of(&self, role: Role) -> Cpus {
        let nth = |cpus: &[usize], number: usize| cpus.iter().cycle().nth(number).copied().into_iter().collect();
        match role {
            Role::Intake => nth(&self.layout.critical, 0),
            Role::State => nth(&self.layout.critical, 1),
            Role::Worker(number) => nth(&self.layout.workers, number),
            Role::Background => self.layout.rest.clone(),
        }
    }
}

/// The place of the calling thread, which it leaves when this is dropped: CPUs and scheduling class are then what they
/// were.
#[derive(Debug)]
pub(super) struct Placed {
    /// The CPUs from before; `None` where they were not changed.
    cpus: Option<Cpus>,
    /// The class from before; `None` where it was not changed.
    class: Option<Class>,
    /// What was not permitted, in words.
    refused: Vec<String>,
    /// What was changed is this thread's, so this must not be dropped on another.
    not_send: PhantomData<*const ()>,
}

impl Placed {
    /// Where the system put the thread.
    pub(super) fn nowhere() -> Self {
        Self { cpus: None, class: None, refused: Vec::new(), not_send: PhantomData }
    }

    /// What the thread got, for others to know.
    pub(super) fn outcome(&self) -> Outcome {
        let refused = self.refused.clone();
        Outcome { pinned: self.cpus.is_some(), realtime: self.class.is_some(), refused }
    }

    fn refuse(&mut self, role: Role, what: &str, error: &io::Error) {
        self.refused.push(format!("{role:?} gets no {what}: {error}"));
    }
}

/// What a thread got of what its role wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// It is kept on the CPUs of its role.
    pub(super) pinned: bool,
    /// It is served before all ordinary threads.
    pub(super) realtime: bool,
    /// What was not permitted, in words.
    pub(super) refused: Vec<String>,
}

impl Drop for Placed {
    fn drop(&mut self) {
        // The way back is always permitted; and were it not, there would be nothing left to do about it.
        if let Some(before) = self.class {
            let _ = before.enter();
        }
        if let Some(before) = &self.cpus {
            let _ = topology::confine(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::affinity::class::tests::lose_permission;
    use crate::topology::fake;

    const ROLES: [Role; 5] = [Role::Intake, Role::State, Role::Worker(0), Role::Worker(9), Role::Background];

    /// The CPUs of [`ROLES`].
    fn cpus(machine: &Machine) -> [String; 5] {
        ROLES.map(|role| Affinity::of(machine).cpus_of(role).to_string())
    }

    #[test]
    fn roles_get_the_cpus_that_the_layout_has_for_them() {
        assert_eq!(cpus(&fake(1, 16, 1)), ["0", "1", "4", "5", "12-15"], "the tenth of eight workers is the second");
        assert_eq!(cpus(&fake(1, 4, 1)), ["0", "0", "1", "2", "3"], "one critical CPU is for all critical threads");
        assert_eq!(cpus(&fake(1, 2, 1)), ["0", "0", "1", "1", "1"]);
        assert_eq!(cpus(&fake(1, 1, 1)), ["0"; 5]);
    }

    #[test]
    fn a_thread_takes_its_place_and_leaves_it() {
        for role in ROLES {
            let thread = thread::spawn(move || {
                let affinity = Affinity::detect().unwrap();
                let before = (topology::allowed().unwrap(), Class::current().unwrap());
                let placed = affinity.take(role);
                let got = placed.outcome();
                assert!(got.pinned, "{got:?}");
                assert_eq!(topology::allowed().unwrap(), affinity.cpus_of(role));
                assert_eq!(Class::current().unwrap() == Class::REALTIME, got.realtime);
                assert!(!got.realtime || role.wants_realtime());
                drop(placed);
                assert_eq!((topology::allowed().unwrap(), Class::current().unwrap()), before);
            });
            thread.join().unwrap();
        }
    }

    #[test]
    fn what_is_not_permitted_is_told_and_the_rest_is_done() {
        let thread = thread::spawn(|| {
            let permitted = !lose_permission();
            let affinity = Affinity { cpus: 2, ..Affinity::detect().unwrap() };
            (permitted, affinity.take(Role::State).outcome())
        });
        let (permitted, got) = thread.join().unwrap();
        assert!(got.pinned);
        if !permitted {
            assert!(!got.realtime);
            assert!(got.refused[0].starts_with("State gets no real time: Operation not permitted"), "{got:?}");
        }
    }

    #[test]
    fn cpus_that_are_gone_are_told_and_the_thread_stays_where_it_was() {
        let thread = thread::spawn(|| {
            let gone = Machine::flat(&[60_000, 60_001].into_iter().collect());
            let before = topology::allowed().unwrap();
            let placed = Affinity::of(&gone).take(Role::Intake);
            (placed.outcome(), topology::allowed().unwrap() == before)
        });
        let (got, stays) = thread.join().unwrap();
        assert!(!got.pinned && stays);
        assert!(got.refused[0].starts_with("Intake gets no CPUs 60000: Invalid argument"), "{got:?}");
    }

    #[test]
    fn on_one_cpu_nobody_gets_real_time() {
        let thread = thread::spawn(|| {
            let one = topology::allowed().unwrap().first().into_iter().collect();
            Affinity::of(&Machine::flat(&one)).take(Role::State).outcome()
        });
        let got = thread.join().unwrap();
        assert!(got.pinned && !got.realtime);
        let said = "State gets no real time: the only CPU would be nobody else's while this thread runs";
        assert_eq!(got.refused, [said]);
    }
}
