//! Booking transactions one by one, or gathered in a ring and booked in batches.
//!
//! Both ways book into the same engine: balances and a journal behind one lock. A batch pays for the lock and the journal's
//! frame once, and for a watch over how long it takes; for the ring and for the time of arrival it pays once per transaction.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use perfplan_harness::{Checksum, Digest, Size, Suite, amount};

use crate::journal::{Journal, Transaction};
use crate::queue::RING;
use crate::tape::{Random, Tape};

const TRANSACTIONS: usize = amount(100);

/// Transactions in a full batch; the plan allows 16 to 64.
const BATCH: usize = 32;

/// How long a transaction may wait for its batch to fill; the plan allows 100 to 200 us.
const PATIENCE: Duration = Duration::from_micros(150);

/// How long booking a batch may take.
const BUDGET: Duration = Duration::from_micros(800);

/// Bursts per second under load: five million transactions per second.
const LOAD: f64 = 50_000.0;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("batch/one-by-one", one_by_one)
        .about("books 100 transactions, each on its own")
        .operations(TRANSACTIONS as u64);
    suite
        .case("batch/batched", batched)
        .about("books 100 transactions in batches of 32, or of what there is after 150 us, out of a ring of 1024")
        .operations(TRANSACTIONS as u64);
    suite
        .latency("batch/under-load", LOAD, batched)
        .about(
            "bursts of 100 transactions arrive at a fixed rate and are booked in batches; a burst ends with its last batch",
        )
        .operations(TRANSACTIONS as u64);
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    id: u64,
    /// What the sender has left; `None` where the transaction was refused.
    left: Option<u64>,
}

impl Digest for Outcome {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(self.id ^ self.left.map_or(0, |left| left + 1));
    }
}

impl Outcome {
    /// Which transaction it was, and whether it was booked.
    pub(crate) fn decision(self) -> (u64, u64) {
        (self.id, u64::from(self.left.is_some()))
    }
}

/// Balances by account number, and the journal of what was booked.
struct State {
    balances: Vec<u64>,
    journal: Journal,
}

impl State {
    /// Books into the balances and the open frame of the journal. Refused where an account is unknown or short.
    #[inline]
    fn book(&mut self, transaction: &Transaction) -> Outcome {
        Outcome { id: transaction.id, left: self.transfer(transaction) }
    }

    fn transfer(&mut self, transaction: &Transaction) -> Option<u64> {
        let (from, to) = (transaction.from as usize, transaction.to as usize);
        let left = self.balances.get(from)?.checked_sub(transaction.amount)?;
        *self.balances.get_mut(to)? += transaction.amount;
        // From the balance as it is now: sender and receiver may be the same account.
        self.balances[from] -= transaction.amount;
        self.journal.append(transaction);
        Some(left)
    }
}

/// The engine that all threads share.
pub(crate) struct Engine {
    state: Mutex<State>,
    opening: Vec<u64>,
    over_budget: AtomicU64,
}

impl Engine {
    fn open(opening: Vec<u64>) -> Self {
        let state = State { balances: opening.clone(), journal: Journal::with_room_for(TRANSACTIONS) };
        Self { state: Mutex::new(state), opening, over_budget: AtomicU64::new(0) }
    }

    fn with_state<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        // A state that a panic left is as good as any: every transaction is checked against it.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Back to the opening balances, with an empty journal.
    pub(crate) fn reopen(&self) {
        self.with_state(|state| {
            state.balances.copy_from_slice(&self.opening);
            state.journal.truncate();
        });
    }

    /// Books one transaction as a frame of its own.
    pub(crate) fn process(&self, transaction: &Transaction) -> Outcome {
        self.with_state(|state| {
            let outcome = state.book(transaction);
            state.journal.commit();
            outcome
        })
    }

    /// Books all in order as one frame, and watches how long that takes, the wait for the lock included.
    fn process_batch(&self, batch: &[Transaction], outcomes: &mut Vec<Outcome>) {
        let start = Instant::now();
        self.with_state(|state| {
            outcomes.extend(batch.iter().map(|transaction| state.book(transaction)));
            state.journal.commit();
        });
        self.watch(start);
    }

    /// Batches so far that took longer than their budget.
    pub(crate) fn over_budget(&self) -> u64 {
        self.over_budget.load(Relaxed)
    }

    /// Counts a batch that took longer than its budget.
    fn watch(&self, start: Instant) {
        if start.elapsed() > BUDGET {
            self.over_budget.fetch_add(1, Relaxed);
        }
    }
}

/// Gathers transactions until a batch is full or its first has waited long enough. It has no thread and no timer: whoever owns
/// it polls it while nothing arrives.
pub(crate) struct Batcher {
    pub(crate) engine: Arc<Engine>,
    ring: ArrayQueue<Transaction>,
    /// When the first of those in the ring came.
    oldest: Option<Instant>,
    /// Scratch for the batch that is being booked.
    batch: Vec<Transaction>,
}

impl Batcher {
    pub(crate) fn before(engine: Arc<Engine>) -> Self {
        Self { engine, ring: ArrayQueue::new(RING), oldest: None, batch: Vec::with_capacity(BATCH) }
    }

    /// Takes a transaction that came at `now`; the outcomes of those booked on this occasion are appended.
    #[inline]
    pub(crate) fn submit(&mut self, transaction: Transaction, now: Instant, outcomes: &mut Vec<Outcome>) {
        if let Err(transaction) = self.ring.push(transaction) {
            self.flush(outcomes);
            // The ring has just been emptied.
            let _ = self.ring.push(transaction);
        }
        self.oldest.get_or_insert(now);
        if self.ring.len() >= BATCH {
            self.flush(outcomes);
        } else {
            self.poll(now, outcomes);
        }
    }

    /// Books what waits where the first of it has waited long enough at `now`.
    #[inline]
    pub(crate) fn poll(&mut self, now: Instant, outcomes: &mut Vec<Outcome>) {
        if self.oldest.is_some_and(|oldest| now.saturating_duration_since(oldest) >= PATIENCE) {
            self.flush(outcomes);
        }
    }

    /// Books all that wait, in the order they came, in batches of at most [`BATCH`].
    pub(crate) fn flush(&mut self, outcomes: &mut Vec<Outcome>) {
        self.oldest = None;
        while !self.ring.is_empty() {
            self.batch.clear();
            self.batch.extend(std::iter::from_fn(|| self.ring.pop()).take(BATCH));
            self.engine.process_batch(&self.batch, outcomes);
        }
    }
}

/// One in eight is refused at first, more as accounts run dry.
fn transaction(random: &mut Random, accounts: u32) -> Transaction {
    let amount = if random.below(8) == 0 { u64::MAX } else { 1 + u64::from(random.below(400)) };
    Transaction { id: random.word(), from: random.below(accounts), to: random.below(accounts), amount }
}

/// How many accounts a scene has: those from 0 on.
pub(crate) fn accounts(size: Size) -> u32 {
    size.pick(64, 256, 256)
}

/// What each account has at first where accounts are to run dry.
pub(crate) const LITTLE: u64 = 1_000;

/// An engine whose balances are put back to `opening` each in a moment, and transactions for it.
pub(crate) fn scene(size: Size, opening: u64) -> (Engine, Tape<Transaction>) {
    let accounts = accounts(size);
    let transactions = Tape::record(size.pick(512, 4_096, 100_000), 15, |random| transaction(random, accounts));
    (Engine::open(vec![opening; accounts as usize]), transactions)
}

pub(crate) fn digest(outcomes: &[Outcome]) -> u64 {
    let mut checksum = Checksum::default();
    outcomes.digest(&mut checksum);
    checksum.value()
}

fn one_by_one(size: Size) -> impl FnMut(u64) -> u64 {
    let (engine, transactions) = scene(size, LITTLE);
    let mut outcomes = Vec::with_capacity(TRANSACTIONS);
    move |index| {
        engine.reopen();
        outcomes.clear();
        outcomes.extend(transactions.window(index, TRANSACTIONS).map(|transaction| engine.process(transaction)));
        digest(&outcomes)
    }
}

fn batched(size: Size) -> impl FnMut(u64) -> u64 {
    let (engine, transactions) = scene(size, LITTLE);
    let mut batcher = Batcher::before(Arc::new(engine));
    let mut outcomes = Vec::with_capacity(TRANSACTIONS);
    move |index| {
        batcher.engine.reopen();
        outcomes.clear();
        for &transaction in transactions.window(index, TRANSACTIONS) {
            batcher.submit(transaction, Instant::now(), &mut outcomes);
        }
        batcher.flush(&mut outcomes);
        digest(&outcomes)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use perfplan_harness::contract;

    use super::*;
    use crate::journal;

    fn open() -> Arc<Engine> {
        Arc::new(Engine::open(vec![1_000; 20]))
    }

    fn transactions(count: usize) -> Vec<Transaction> {
        let mut random = Random::seeded(16);
        (0..count).map(|_| transaction(&mut random, 20)).collect()
    }

    /// Submits with `gap` between arrivals; outcomes, balances and the journal's frames.
    fn batch_with(gap: Duration, transactions: &[Transaction]) -> (Vec<Outcome>, Vec<u64>, Vec<u32>) {
        let mut batcher = Batcher::before(open());
        let (mut now, mut outcomes) = (Instant::now(), Vec::new());
        for &transaction in transactions {
            batcher.submit(transaction, now, &mut outcomes);
            now += gap;
        }
        batcher.flush(&mut outcomes);
        batcher.engine.with_state(|state| (outcomes, state.balances.clone(), journal::tests::replay(&state.journal).1))
    }

    #[test]
    fn outcomes_and_balances_are_the_same_however_the_batches_fall() {
        let transactions = transactions(500);
        let engine = open();
        let expected: Vec<Outcome> = transactions.iter().map(|transaction| engine.process(transaction)).collect();
        let balances = engine.with_state(|state| state.balances.clone());
        assert_eq!(balances.iter().sum::<u64>(), 20_000, "money is neither made nor lost");
        for gap in [0, 1, 20, 149, 150, 1_000].map(Duration::from_micros) {
            let (outcomes, after, _) = batch_with(gap, &transactions);
            assert_eq!((outcomes.as_slice(), after.as_slice()), (expected.as_slice(), balances.as_slice()), "{gap:?}");
        }
    }

    #[test]
    fn a_batch_is_flushed_when_full_or_when_its_first_has_waited() {
        let harmless = Transaction { id: 1, from: 0, to: 1, amount: 0 };
        let frames = |gap| batch_with(Duration::from_micros(gap), &[harmless; 70]).2;
        assert_eq!(frames(0), [32, 32, 6], "nobody waits: full batches and what is left");
        assert_eq!(frames(15), [11, 11, 11, 11, 11, 11, 4], "the eleventh comes 150 us after the first");
        assert_eq!(frames(500), [2; 35], "the second finds that the first has waited too long");
    }

    #[test]
    fn a_batch_that_nobody_joins_is_booked_when_it_is_polled_after_its_first_has_waited_and_not_before() {
        let (mut batcher, mut outcomes, start) = (Batcher::before(open()), Vec::new(), Instant::now());
        let transactions = transactions(3);
        batcher.submit(transactions[0], start, &mut outcomes);
        batcher.submit(transactions[1], start + PATIENCE / 2, &mut outcomes);
        batcher.poll(start + PATIENCE - Duration::from_micros(1), &mut outcomes);
        assert_eq!(outcomes.len(), 0);
        batcher.poll(start + PATIENCE, &mut outcomes);
        assert_eq!(outcomes.len(), 2);
        batcher.submit(transactions[2], start + PATIENCE, &mut outcomes);
        batcher.poll(start + PATIENCE * 3 / 2, &mut outcomes);
        assert_eq!(outcomes.len(), 2, "the next one's patience is its own");
        batcher.poll(start + PATIENCE * 2, &mut outcomes);
        assert_eq!(outcomes.len(), 3);
    }

    #[test]
    fn a_ring_that_fills_up_is_emptied_without_losing_or_reordering_anything() {
        let mut batcher = Batcher::before(open());
        let mut outcomes = Vec::new();
        // As other threads would: past the batcher, until nothing more goes in.
        let transactions = transactions(RING + 1);
        transactions[..RING].iter().for_each(|&transaction| batcher.ring.push(transaction).unwrap());
        batcher.submit(transactions[RING], Instant::now(), &mut outcomes);
        batcher.flush(&mut outcomes);
        let ids = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| outcome.id).collect::<Vec<_>>();
        assert_eq!(ids(&outcomes), transactions.iter().map(|transaction| transaction.id).collect::<Vec<_>>());
    }

    #[test]
    fn replaying_the_journal_gives_the_balances() {
        let mut batcher = Batcher::before(open());
        for transaction in transactions(300) {
            batcher.submit(transaction, Instant::now(), &mut Vec::new());
        }
        batcher.flush(&mut Vec::new());
        let (booked, balances) =
            batcher.engine.with_state(|state| (journal::tests::replay(&state.journal).0, state.balances.clone()));
        assert!(booked.len() > 100 && booked.len() < 300, "{} of 300 booked", booked.len());
        let again = open();
        booked.iter().for_each(|transaction| assert!(again.process(transaction).left.is_some()));
        assert_eq!(again.with_state(|state| state.balances.clone()), balances);
    }

    /// How many batches are over their budget where the first of two has to wait for the lock.
    fn late_of_two() -> u64 {
        let mut batcher = Batcher::before(open());
        let engine = Arc::clone(&batcher.engine);
        transactions(BATCH + 1).into_iter().for_each(|transaction| batcher.ring.push(transaction).unwrap());
        thread::scope(|scope| {
            engine.with_state(|_| {
                scope.spawn(move || batcher.flush(&mut Vec::new()));
                thread::sleep(BUDGET * 10);
            });
        });
        engine.over_budget()
    }

    #[test]
    fn a_batch_that_comes_after_a_slow_one_is_not_counted_with_it() {
        // On a busy machine the second may be slow itself, or the first come late.
        assert!((0..50).any(|_| late_of_two() == 1));
    }

    #[test]
    fn a_batch_beyond_its_budget_is_counted() {
        let engine = open();
        engine.watch(Instant::now());
        assert_eq!(engine.over_budget(), 0);
        engine.watch(Instant::now() - BUDGET - Duration::from_millis(1));
        assert_eq!(engine.over_budget(), 1);
    }

    #[test]
    fn one_by_one_and_batched_give_equal_results() {
        contract::results_are_equal(one_by_one, batched);
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(one_by_one);
        contract::results_depend_on_the_index_alone(batched);
    }
}
