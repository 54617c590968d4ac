//! The accounts that a ledger opens with.

use super::rules::CURRENCIES;

/// What an account that pays has at first, in minor units: enough for ten thousand million of the traffic's payments, as
/// answers must not depend on how many were made before. A million accounts have less than `i64` holds.
const FUNDS: i64 = 1_000_000_000_000;

/// One in so many accounts of a currency has nothing and gets nothing: what it tries to pay is refused.
pub(crate) const POOR: usize = 16;

/// An account as it is opened.
pub(crate) struct Opened {
    pub(crate) id: String,
    pub(crate) currency: &'static str,
    /// Minor units.
    pub(crate) balance: i64,
}

/// The name of an account by its number.
pub(crate) fn id(number: usize) -> String {
    format!("acct-{number:06}")
}

/// The currency of an account by its number.
pub(crate) fn currency(number: usize) -> &'static str {
    CURRENCIES[number % CURRENCIES.len()]
}

/// Whether the account has no funds.
pub(crate) fn is_poor(number: usize) -> bool {
    (number / CURRENCIES.len()).is_multiple_of(POOR)
}

/// So many accounts, `acct-000000` and on; and per currency the world outside, `world-EUR`, which owes what all others have.
pub(crate) fn accounts(count: usize) -> Vec<Opened> {
    let balance = |number| if is_poor(number) { 0 } else { FUNDS };
    let mut all: Vec<Opened> = (0..count)
        .map(|number| Opened { id: id(number), currency: currency(number), balance: balance(number) })
        .collect();
    for currency in CURRENCIES {
        let owed: i64 = all.iter().filter(|account| account.currency == currency).map(|account| account.balance).sum();
        all.push(Opened { id: format!("world-{currency}"), currency, balance: -owed });
    }
    all
}
