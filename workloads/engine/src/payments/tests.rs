//! The two implementations against each other, and the service over its socket.

mod both;
mod load;
mod socket;

use std::sync::{Arc, Mutex};

use super::after::After;
use super::before::Before;
use super::opening::{self, Opened};
use super::service::{Answer, Payments, Shared};

/// Accounts of a small ledger; those whose number is 0 to 4, or 80 to 84, have nothing.
pub(super) const ACCOUNTS: usize = 160;

/// Keys that it remembers.
pub(super) const KEYS: usize = 64;

fn accounts() -> Vec<Opened> {
    opening::accounts(ACCOUNTS)
}

/// Both implementations, with their names.
fn each() -> [(&'static str, Box<dyn Payments>); 2] {
    let (before, after) = (Before::open(accounts(), KEYS), After::open(accounts(), KEYS));
    [("before", Box::new(before)), ("after", Box::new(after))]
}

/// Both of them as a server shares them.
fn each_shared() -> [(&'static str, Shared); 2] {
    let (before, after) = (Before::open(accounts(), KEYS), After::open(accounts(), KEYS));
    [("before", Arc::new(Mutex::new(before))), ("after", Arc::new(Mutex::new(after)))]
}

fn pay(payments: &mut dyn Payments, key: &str, body: &str) -> (u16, String) {
    let mut answer = Answer::default();
    payments.pay(Some(key.as_bytes()), body.as_bytes(), &mut answer);
    (answer.status, String::from_utf8(answer.body).unwrap())
}

fn statement(payments: &dyn Payments, id: &str) -> (u16, String) {
    let mut answer = Answer::default();
    payments.account(id, &mut answer);
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// 12.50 euros between two accounts that have funds.
const PAYMENT: &str = r#"{"from":"acct-000085","to":"acct-000090","amount":1250,"currency":"EUR","reference":"rent"}"#;

const RECEIPT: &str =
    r#"{"status":"booked","from":"acct-000085","to":"acct-000090","amount":1250,"currency":"EUR","reference":"rent"}"#;

const PAID: &str = r#"{"id":"acct-000085","currency":"EUR","balance":999999998750}"#;
