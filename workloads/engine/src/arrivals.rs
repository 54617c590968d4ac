//! Transactions that arrive one by one, and wait for their batch to fill or for the first of it to lose its patience.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use perfplan_harness::{Arrival, Load, Size, Suite, add};

use crate::batch::{self, Batcher, Outcome};
use crate::journal::Transaction;
use crate::queue::RING;

/// Transactions per second. Patience runs out with every batch about half full.
const RATE: f64 = 100_000.0;

/// What each account has: more than arrives between two snapshots, so that whether a transaction is booked depends on it
/// alone, and not on how many came before it.
const PLENTY: u64 = 1 << 40;

pub(crate) fn register(suite: &mut Suite) {
    suite.load("batch/single-arrivals", RATE, single).about(
        "transactions arrive one by one at a fixed rate and are booked in batches of 32, or of what there is after 150 us; waiting for the batch counts",
    );
}

/// One thread that takes transactions as they come, and polls the batcher while it waits for the next.
struct Intake {
    batcher: Batcher,
    /// Those that are not booked, in order.
    waiting: VecDeque<Arrival>,
    outcomes: Vec<Outcome>,
}

impl Intake {
    fn take(&mut self, load: &Load, arrival: Arrival, transaction: Transaction) {
        let mut now = Instant::now();
        while now < arrival.due {
            self.poll(load, now);
            now = Instant::now();
        }
        self.waiting.push_back(arrival);
        self.batcher.submit(transaction, now, &mut self.outcomes);
        self.note(load);
    }

    fn poll(&mut self, load: &Load, now: Instant) {
        self.batcher.poll(now, &mut self.outcomes);
        self.note(load);
    }

    /// Waits until the last batch is booked.
    fn finish(&mut self, load: &Load) {
        while !self.waiting.is_empty() {
            self.poll(load, Instant::now());
        }
    }

    /// Batches are booked in the order in which their transactions came.
    fn note(&mut self, load: &Load) {
        if self.outcomes.is_empty() {
            return;
        }
        let ended = Instant::now();
        for (arrival, outcome) in self.waiting.drain(..self.outcomes.len()).zip(self.outcomes.drain(..)) {
            load.done(arrival, ended, &outcome.decision());
        }
    }
}

fn single(size: Size) -> impl FnMut(&Load) {
    let (engine, transactions) = batch::scene(size, PLENTY);
    let (waiting, outcomes) = (VecDeque::with_capacity(RING), Vec::with_capacity(RING));
    let mut intake = Intake { batcher: Batcher::before(Arc::new(engine)), waiting, outcomes };
    move |load| {
        let before = intake.batcher.engine.over_budget();
        for arrival in load.arrivals() {
            if arrival.index.is_multiple_of(Load::ARRIVALS) {
                // Or the journal would grow, and now and then all of it would move.
                intake.batcher.engine.reopen();
            }
            for &transaction in transactions.window(arrival.index, 1) {
                intake.take(load, arrival, transaction);
            }
        }
        intake.finish(load);
        // Names that begin with `batch` are perfplan's own.
        add("over-budget", intake.batcher.engine.over_budget() - before);
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    /// Without batches: each is booked when it is due.
    fn plainly(size: Size) -> impl FnMut(&Load) {
        let (engine, transactions) = batch::scene(size, PLENTY);
        move |load| {
            for arrival in load.arrivals() {
                for transaction in transactions.window(arrival.index, 1) {
                    load.done(arrival, arrival.due, &engine.process(transaction).decision());
                }
            }
        }
    }

    #[test]
    fn every_transaction_gets_the_answer_that_it_would_get_alone() {
        contract::loads_are_equal(RATE, plainly, single);
        let sums = [1e9, RATE].map(|rate| Load::run(rate, 3 * Load::ARRIVALS, single(Size::Quick)).checksum);
        assert_eq!(sums[0], sums[1], "however the batches fall");
    }

    /// A latency of a batch of so many transactions, a microsecond between them; nanoseconds.
    fn latency(metric: &str, transactions: u64) -> f64 {
        let sample = Load::run(1e6, transactions, single(Size::Quick));
        sample.values.iter().find(|(name, _)| name == metric).unwrap().1
    }

    #[test]
    fn what_does_not_fill_a_batch_waits_until_patience_runs_out_and_its_latency_says_so() {
        let waited = latency("latency.max", 3);
        // The histogram keeps three digits.
        assert!(waited >= 149_000.0, "{waited} ns");
        let waited = latency("latency.mean", 32);
        assert!(waited >= 15_000.0, "{waited} ns, where each of 32 waits for the last of them");
    }
}
