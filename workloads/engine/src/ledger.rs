//! Balances in a hash map: look-ups and updates at random places.

use std::collections::HashMap;

use perfplan_harness::{Size, Suite, amount};

use crate::hasher::Plain;
use crate::tape::{Random, Tape};

const TRANSFERS: usize = amount(100);

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("ledger/hash", speculate)
        .about("100 transfers between accounts in a HashMap are executed speculatively, then rolled back");
}

/// An amount that moves between two accounts.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    from: u64,
    to: u64,
    amount: u64,
}

/// Balances by account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ledger {
    balances: HashMap<u64, u64, Plain>,
}

impl Ledger {
    fn opened(accounts: &[u64], balance: u64) -> Self {
        Self { balances: accounts.iter().map(|&account| (account, balance)).collect() }
    }

    /// Moves the amount and says what the sender has left. `None`, and nothing moved, where an account is unknown or the
    /// balance does not suffice.
    fn transfer(&mut self, transfer: &Transfer) -> Option<u64> {
        let left = self.balances.get(&transfer.from)?.checked_sub(transfer.amount)?;
        *self.balances.get_mut(&transfer.to)? += transfer.amount;
        let sender = self.balances.get_mut(&transfer.from)?;
        // From the balance as it is now: sender and receiver may be the same account.
        *sender -= transfer.amount;
        Some(left)
    }

    /// Undoes a transfer that succeeded, when all later ones are undone.
    fn revert(&mut self, transfer: &Transfer) {
        if let Some(sender) = self.balances.get_mut(&transfer.from) {
            *sender += transfer.amount;
        }
        if let Some(receiver) = self.balances.get_mut(&transfer.to) {
            *receiver -= transfer.amount;
        }
    }
}

/// One in sixteen asks for more than anyone has, one in sixteen names an account that does not exist.
fn transfer(random: &mut Random, accounts: &[u64]) -> Transfer {
    let mut account = || accounts[random.below(accounts.len() as u32) as usize];
    let (from, to) = (account(), account());
    let amount = 1 + u64::from(random.below(100));
    match random.below(16) {
        0 => Transfer { from, to, amount: u64::MAX },
        1 => Transfer { from, to: random.word(), amount },
        _ => Transfer { from, to, amount },
    }
}

fn speculate(size: Size) -> impl FnMut(u64) -> u64 {
    let mut random = Random::seeded(5);
    let accounts: Vec<u64> = (0..size.pick(256, 16_384, 1_000_000)).map(|_| random.word()).collect();
    let mut ledger = Ledger::opened(&accounts, 10_000);
    let transfers = Tape::record(16_384, 6, |random| transfer(random, &accounts));
    let mut done = Vec::with_capacity(TRANSFERS);
    move |index| {
        let mut sum = 0_u64;
        for transfer in transfers.window(index, TRANSFERS) {
            match ledger.transfer(transfer) {
                Some(left) => {
                    done.push(*transfer);
                    sum = sum.rotate_left(5).wrapping_add(left ^ transfer.to);
                }
                None => sum = sum.rotate_left(9),
            }
        }
        while let Some(transfer) = done.pop() {
            ledger.revert(&transfer);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn a_transfer_moves_its_amount_or_nothing() {
        let mut ledger = Ledger::opened(&[1, 2], 100);
        assert_eq!(ledger.transfer(&Transfer { from: 1, to: 2, amount: 30 }), Some(70));
        let after = ledger.clone();
        assert_eq!(ledger.transfer(&Transfer { from: 1, to: 2, amount: 71 }), None, "more than there is");
        assert_eq!(ledger.transfer(&Transfer { from: 1, to: 3, amount: 1 }), None, "to nobody");
        assert_eq!(ledger.transfer(&Transfer { from: 3, to: 1, amount: 1 }), None, "from nobody");
        assert_eq!(ledger, after);
        assert_eq!((ledger.balances[&1], ledger.balances[&2]), (70, 130));
    }

    #[test]
    fn a_transfer_to_oneself_changes_nothing() {
        let mut ledger = Ledger::opened(&[1], 100);
        ledger.transfer(&Transfer { from: 1, to: 1, amount: 40 });
        assert_eq!(ledger.balances[&1], 100);
    }

    #[test]
    fn rolling_back_restores_every_balance() {
        let accounts: Vec<u64> = (0..20).collect();
        let before = Ledger::opened(&accounts, 150);
        let mut ledger = before.clone();
        let mut random = Random::seeded(7);
        let tried: Vec<Transfer> = (0..1_000).map(|_| transfer(&mut random, &accounts)).collect();
        let done: Vec<&Transfer> = tried.iter().filter(|transfer| ledger.transfer(transfer).is_some()).collect();
        assert!(done.len() > 500 && done.len() < 1_000, "{} of 1000 went through", done.len());
        assert_ne!(ledger, before);
        done.iter().rev().for_each(|transfer| ledger.revert(transfer));
        assert_eq!(ledger, before);
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(speculate);
    }
}
