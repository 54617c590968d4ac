//! The engine's whole path under load: the plan's `latency_under_load`.

use std::sync::Arc;
use std::time::Instant;

use perfplan_harness::{Size, Suite, amount};

use crate::batch::{self, Batcher};
use crate::cache::{Cache, NOW};
use crate::tape::Random;

const TRANSACTIONS: usize = amount(100);

/// Bursts per second at load 1.0: a million transactions per second, ten times what the plan asks for.
const BASE: f64 = 10_000.0;

/// What may be moved where the cache holds no limit.
const STANDARD: u64 = 200;

pub(crate) fn register(suite: &mut Suite) {
    let mut at = |load: f64, bursts: &str| {
        suite
            .latency(&format!("latency_under_load/load_factor/{load:.1}"), load * BASE, burst)
            .about(&format!(
                "{bursts} bursts per second of 100 transactions each: limit looked up in the cache, ring, batch, booking; a burst ends with its last batch"
            ))
            .operations(TRANSACTIONS as u64);
    };
    at(1.0, "10000");
    at(5.0, "50000");
}

/// What each account may move at a time: one in sixteen limits has expired.
fn limits(accounts: u32) -> Cache {
    let (cache, mut random) = (Cache::empty(), Random::seeded(27));
    for account in 0..accounts {
        let expires = if random.below(16) == 0 { NOW } else { NOW + 1 };
        cache.insert(u64::from(account), 100 + u64::from(random.below(400)), expires);
    }
    cache
}

/// Whether the sender may move so much.
#[inline]
fn allowed(limits: &Cache, from: u32, amount: u64) -> bool {
    amount <= limits.get(u64::from(from), NOW).unwrap_or(STANDARD)
}

/// A burst: who was refused, and what became of the others. When a batch falls due depends on the clock, which transactions
/// are booked and in which order does not.
fn burst(size: Size) -> impl FnMut(u64) -> (u64, u64) {
    let (engine, transactions) = batch::scene(size, batch::LITTLE);
    let limits = limits(batch::accounts(size));
    let mut batcher = Batcher::before(Arc::new(engine));
    let mut outcomes = Vec::with_capacity(TRANSACTIONS);
    move |index| {
        batcher.engine.reopen();
        outcomes.clear();
        let mut refused = 0_u64;
        for &transaction in transactions.window(index, TRANSACTIONS) {
            if allowed(&limits, transaction.from, transaction.amount) {
                batcher.submit(transaction, Instant::now(), &mut outcomes);
            } else {
                refused = refused.rotate_left(1) ^ transaction.id;
            }
        }
        batcher.flush(&mut outcomes);
        (refused, batch::digest(&outcomes))
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    /// A burst without ring and batches.
    fn plainly(size: Size) -> impl FnMut(u64) -> (u64, u64) {
        let (engine, transactions) = batch::scene(size, batch::LITTLE);
        let limits = limits(batch::accounts(size));
        move |index| {
            engine.reopen();
            let burst: Vec<_> = transactions.window(index, TRANSACTIONS).collect();
            let (allowed, refused): (Vec<_>, Vec<_>) =
                burst.into_iter().partition(|transaction| allowed(&limits, transaction.from, transaction.amount));
            assert!(allowed.len() > refused.len() / 4 && refused.len() > 10, "{} were refused", refused.len());
            let outcomes: Vec<_> = allowed.into_iter().map(|transaction| engine.process(transaction)).collect();
            let refused = refused.into_iter().fold(0_u64, |sum, transaction| sum.rotate_left(1) ^ transaction.id);
            (refused, batch::digest(&outcomes))
        }
    }

    #[test]
    fn a_burst_books_what_is_allowed_in_the_order_it_came() {
        contract::results_are_equal(plainly, burst);
    }

    #[test]
    fn an_account_moves_no_more_than_its_limit_or_the_standard_one() {
        let limits = Cache::empty();
        limits.insert(1, 300, NOW + 1);
        limits.insert(2, 300, NOW);
        for (account, limit) in [(1, 300), (2, STANDARD), (3, STANDARD)] {
            assert!(allowed(&limits, account, limit), "{account}");
            assert!(!allowed(&limits, account, limit + 1), "{account}");
        }
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(burst);
    }
}
