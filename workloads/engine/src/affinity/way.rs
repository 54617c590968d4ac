//! The way of an order: taken in by the calling thread, priced by a worker, booked by the keeper of the state, and
//! back.
//!
//! ```text
//!   Intake ──ring──▶ Worker ──ring──▶ State ──ring──▶ Intake (answers)
//!                                   Background: an errand of each thread for every order
//! ```

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use perfplan_harness::amount;

use super::background::Background;
use super::hand_off::{Receiver, Sender, hand_off};
use super::place::{Outcome, Placed, Role};
use crate::queue::RING;
use crate::tape::Tape;

/// Trades that an order asks for.
const LEGS: usize = amount(100);

/// One trade of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) price: u32,
    pub(super) quantity: u32,
}

/// An order with its price.
#[derive(Clone, Copy, Debug)]
struct Priced {
    order: u64,
    total: u64,
}

/// What became of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// What the order's account held with it, mixed with the order's number.
    pub(super) holds: u64,
    /// When it was booked.
    pub(super) booked: Instant,
}

/// The engine's threads. They sleep while no order is under way, and end with this.
pub(super) struct Way {
    /// `None` once the end has begun.
    orders: Option<Sender<u64>>,
    answers: Receiver<Answer>,
    stages: Vec<JoinHandle<()>>,
    background: Background,
    settled: Vec<Outcome>,
    /// The calling thread's own place.
    _place: Placed,
}

impl Way {
    /// Starts the threads, `background` of them for the errands. Each settles in its role with `settle`; the calling
    /// thread does so at last, since those it starts would inherit its place.
    ///
    /// # Panics
    /// Where the system refuses a thread.
    pub(super) fn open<S>(legs: Arc<Tape<Leg>>, accounts: usize, background: usize, settle: S) -> Self
    where
        S: FnOnce(Role) -> Placed + Clone + Send + 'static,
    {
        let (tell, told) = mpsc::channel();
        let settle = move |role| {
            let placed = settle(role);
            // Nobody listens where opening broke off half-way.
            let _ = tell.send(placed.outcome());
            placed
        };
        let (orders, to_price) = hand_off();
        let (priced, to_book) = hand_off();
        let (booked, answers) = hand_off();
        let worker = in_place(settle.clone(), Role::Worker(0), move || price_all(&to_price, &legs, &priced));
        let mut balances = vec![1_000; accounts];
        let keeper = in_place(settle.clone(), Role::State, move || book_all(&to_book, &mut balances, &booked));
        let stages = vec![worker, keeper];
        let settle_hand = settle.clone();
        let hands = Background::start(background, move || settle_hand(Role::Background));
        let place = settle(Role::Intake);
        // Ends when each thread has told, or panicked: all senders are gone then.
        let settled = told.iter().collect();
        Self { orders: Some(orders), answers, stages, background: hands, settled, _place: place }
    }

    /// What each thread got, in no order.
    pub(super) fn settled(&self) -> &[Outcome] {
        &self.settled
    }

    /// Sends an order on its way, and everybody in the background on an errand. At most [`RING`] orders are under way
    /// at a time: whoever has sent so many takes an answer first.
    ///
    /// # Panics
    /// Where there are more.
    #[inline]
    pub(super) fn send(&self, order: u64) {
        let sent = self.orders.as_ref().map(|orders| orders.send(order));
        assert!(sent == Some(Ok(())), "order {order} finds no room: more than {RING} are under way");
        self.background.ask();
    }

    /// The answer to the first order that has none yet, where it has come.
    #[inline]
    pub(super) fn poll(&self) -> Option<Answer> {
        self.answers.poll()
    }

    /// The answer to the first order that has none yet; sleeps until it comes.
    ///
    /// # Panics
    /// Where one of the threads panicked.
    #[inline]
    pub(super) fn wait(&self) -> Answer {
        let Some(answer) = self.answers.receive() else {
            panic!("a thread on the order's way panicked; its message stands above");
        };
        answer
    }

    /// The errands that were done in the background so far.
    pub(super) fn errands(&self) -> u64 {
        self.background.done()
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        // The first thread sees that nothing more comes and ends; then the next does.
        self.orders = None;
        for stage in self.stages.drain(..) {
            // A panic was told by `wait` already; a second one while unwinding would abort.
            let _ = stage.join();
        }
    }
}

/// A thread that does `work` in the place of its role.
fn in_place<S>(settle: S, role: Role, work: impl FnOnce() + Send + 'static) -> JoinHandle<()>
where
    S: FnOnce(Role) -> Placed + Send + 'static,
{
    thread::spawn(move || {
        let _place = settle(role);
        work();
    })
}

fn price_all(orders: &Receiver<u64>, legs: &Tape<Leg>, priced: &Sender<Priced>) {
    while let Some(order) = orders.receive() {
        let total = legs.window(order, LEGS).fold(order, |total, leg| {
            total.rotate_left(1).wrapping_add(u64::from(leg.price) * u64::from(leg.quantity))
        });
        if priced.send(Priced { order, total }).is_err() {
            return;
        }
    }
}

/// Books each order, tells what the account holds with it (mixed with the order's number), and takes it back: every
/// order finds the same balances.
fn book_all(orders: &Receiver<Priced>, balances: &mut [u64], answers: &Sender<Answer>) {
    while let Some(Priced { order, total }) = orders.receive() {
        let account = (total % balances.len() as u64) as usize;
        balances[account] = balances[account].wrapping_add(total);
        let holds = balances[account] ^ order.rotate_left(32);
        balances[account] = balances[account].wrapping_sub(total);
        if answers.send(Answer { holds, booked: Instant::now() }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};

    use super::*;
    use crate::affinity::place::Affinity;
    use crate::topology;

    fn legs() -> Arc<Tape<Leg>> {
        Arc::new(Tape::record(256, 41, |random| Leg { price: random.below(500), quantity: random.below(90) }))
    }

    fn anywhere(_: Role) -> Placed {
        Placed::nowhere()
    }

    /// What an order must be answered, by the book.
    fn expected(legs: &Tape<Leg>, order: u64) -> u64 {
        let legs: Vec<Leg> = legs.window(order, LEGS).copied().collect();
        let mut total = order;
        for leg in legs {
            total = total.rotate_left(1).wrapping_add(u64::from(leg.price * leg.quantity));
        }
        total.wrapping_add(1_000) ^ order.rotate_left(32)
    }

    #[test]
    fn every_order_is_priced_and_booked_and_leaves_the_balances_as_they_were() {
        let way = Way::open(legs(), 7, 2, anywhere);
        for order in (0..200).chain(0..200) {
            way.send(order);
            assert_eq!(way.wait().holds, expected(&legs(), order), "order {order}");
        }
    }

    #[test]
    fn many_orders_under_way_are_answered_in_the_order_they_were_sent() {
        let way = Way::open(legs(), 7, 1, anywhere);
        (0..RING as u64).for_each(|order| way.send(order));
        let first = way.wait();
        assert_eq!(first.holds, expected(&legs(), 0));
        let rest: Vec<u64> = (1..RING).map(|_| way.wait().holds).collect();
        assert_eq!(rest, (1..RING as u64).map(|order| expected(&legs(), order)).collect::<Vec<_>>());
        assert!(way.poll().is_none(), "no order is under way");
    }

    #[test]
    fn every_thread_settles_in_its_own_role_and_the_calling_one_at_last() {
        let (seen, number) = mpsc::channel();
        let way = Way::open(legs(), 7, 3, move |role| {
            let _ = seen.send((format!("{role:?}"), thread::current().id()));
            Placed::nowhere()
        });
        assert_eq!(way.settled().len(), 6);
        drop(way);
        let mut roles: Vec<_> = number.iter().collect();
        roles.sort_by(|a, b| a.0.cmp(&b.0));
        let names: Vec<&str> = roles.iter().map(|(role, _)| role.as_str()).collect();
        assert_eq!(names, ["Background", "Background", "Background", "Intake", "State", "Worker(0)"]);
        assert_eq!(roles[3].1, thread::current().id());
        roles.dedup_by_key(|(_, thread)| *thread);
        assert_eq!(roles.len(), 6, "six threads");
    }

    #[test]
    fn the_calling_thread_is_back_in_its_place_and_the_others_have_ended_when_it_is_closed() {
        let closed = thread::spawn(|| {
            let before = topology::allowed().unwrap();
            let (affinity, legs) = (Affinity::detect().unwrap(), legs());
            let way = Way::open(Arc::clone(&legs), 7, 2, move |role| affinity.take(role));
            assert!(way.settled().iter().all(|outcome| outcome.pinned), "{:?}", way.settled());
            assert_eq!(topology::allowed().unwrap().len(), 1);
            way.send(5);
            assert_eq!(way.wait().holds, expected(&legs, 5));
            drop(way);
            assert_eq!(Arc::strong_count(&legs), 1, "the worker has ended");
            assert_eq!(topology::allowed().unwrap(), before);
        });
        closed.join().unwrap();
    }

    #[test]
    fn a_panic_on_the_way_is_told_and_leaves_nobody_waiting() {
        for broken in [Role::Worker(0), Role::State] {
            // Without accounts the keeper of the state divides by zero.
            let accounts = if broken == Role::State { 0 } else { 7 };
            let way = Way::open(legs(), accounts, 1, move |role| {
                assert!(role != Role::Worker(0) || broken != role, "the worker gives up, as the test wants");
                Placed::nowhere()
            });
            assert!(panic::catch_unwind(AssertUnwindSafe(|| (way.send(1), way.wait()))).is_err(), "{broken:?}");
        }
    }
}
