//! The service after the optimisation: what is parsed borrows from the request, ids become numbers at the door, the hasher is
//! a fast one, and answers are written into buffers that are used again. Once those have grown, a request allocates where its
//! text has escapes or is no payment, for the parser's error, and nowhere else.
//!
//! The fast hasher has no secret. Clients choose the keys, so one who means harm can make them collide; the standard
//! library's slower hasher is there to prevent that.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::opening::Opened;
use super::rules::{self, CURRENCIES, LONGEST_KEY, Refusal};
use super::service::{Answer, Payments};
use crate::hasher::Plain;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    to: Cow<'a, str>,
    amount: i64,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow, default)]
    reference: Cow<'a, str>,
}

#[derive(Serialize)]
struct Receipt<'a> {
    status: &'static str,
    from: &'a str,
    to: &'a str,
    amount: i64,
    currency: &'static str,
    reference: &'a str,
}

#[derive(Serialize)]
struct Statement<'a> {
    id: &'a str,
    currency: &'static str,
    balance: i64,
}

struct Account {
    /// By its place in [`CURRENCIES`].
    currency: usize,
    balance: i64,
}

/// An idempotency key in place, without an allocation of its own.
#[derive(Clone, Copy)]
struct Key {
    bytes: [u8; LONGEST_KEY],
    length: u8,
}

impl Key {
    fn of(key: &[u8]) -> Result<Self, Refusal> {
        rules::check_key(key)?;
        let mut bytes = [0; LONGEST_KEY];
        bytes[..key.len()].copy_from_slice(key);
        Ok(Self { bytes, length: key.len() as u8 })
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
    }
}

/// An answer that stands for a key, and the request that it answered.
struct Stored {
    key: Key,
    request: Vec<u8>,
    answer: Answer,
}

/// The last answers in a ring. A new one overwrites the oldest, buffers and all.
struct Answers {
    places: HashMap<Key, usize, Plain>,
    ring: Vec<Stored>,
    most: usize,
    /// Where the oldest stands once the ring is full.
    oldest: usize,
}

impl Answers {
    fn new(most: usize) -> Self {
        Self { places: HashMap::default(), ring: Vec::new(), most, oldest: 0 }
    }

    fn get(&self, key: &Key) -> Option<&Stored> {
        self.places.get(key).and_then(|place| self.ring.get(*place))
    }

    fn remember(&mut self, key: Key, request: &[u8], answer: &Answer) {
        if self.ring.len() < self.most {
            self.places.insert(key, self.ring.len());
            self.ring.push(Stored { key, request: request.to_vec(), answer: answer.clone() });
        } else if let Some(oldest) = self.ring.get_mut(self.oldest) {
            self.places.remove(&oldest.key);
            self.places.insert(key, self.oldest);
            oldest.key = key;
            oldest.request.clear();
            oldest.request.extend_from_slice(request);
            oldest.answer.repeat(answer);
            self.oldest = (self.oldest + 1) % self.most;
        }
    }
}

/// Accounts in a table, and answers by their key.
pub(crate) struct After {
    numbers: HashMap<Box<str>, usize, Plain>,
    accounts: Vec<Account>,
    answers: Answers,
}

impl After {
    /// A ledger with these accounts that remembers the last `most_keys` keys.
    pub(crate) fn open(accounts: Vec<Opened>, most_keys: usize) -> Self {
        let place = |currency| CURRENCIES.iter().position(|known| *known == currency).unwrap_or(0);
        let table = accounts.iter().map(|opened| Account { currency: place(opened.currency), balance: opened.balance });
        let table = table.collect();
        let numbers = accounts.into_iter().enumerate().map(|(number, opened)| (opened.id.into_boxed_str(), number));
        Self { numbers: numbers.collect(), accounts: table, answers: Answers::new(most_keys) }
    }

    fn respond(&mut self, key: Option<&[u8]>, body: &[u8], answer: &mut Answer) -> Result<(), Refusal> {
        let key = Key::of(key.ok_or(Refusal::MissingKey)?)?;
        let text = std::str::from_utf8(body).map_err(|_| Refusal::MalformedJson)?;
        if let Some(stored) = self.answers.get(&key) {
            if stored.request != body {
                return Err(Refusal::KeyReused);
            }
            answer.repeat(&stored.answer);
            return Ok(());
        }
        let payment: Payment<'_> = serde_json::from_str(text)?;
        match self.book(&payment) {
            Ok(receipt) => {
                answer.status = 201;
                answer.body.clear();
                serde_json::to_writer(&mut answer.body, &receipt)?;
            }
            Err(Refusal::InsufficientFunds) => answer.refuse(Refusal::InsufficientFunds),
            Err(refusal) => return Err(refusal),
        }
        self.answers.remember(key, body, answer);
        Ok(())
    }

    fn book<'p>(&mut self, payment: &'p Payment<'_>) -> Result<Receipt<'p>, Refusal> {
        let Payment { from, to, amount, currency, reference } = payment;
        rules::check(from, to, *amount, reference)?;
        let currency = CURRENCIES.iter().position(|known| known == currency).ok_or(Refusal::UnknownCurrency)?;
        let number = |id: &str| self.numbers.get(id).copied().ok_or(Refusal::UnknownAccount);
        // Two different ids are two different places.
        let Ok([payer, payee]) = self.accounts.get_disjoint_mut([number(from)?, number(to)?]) else {
            return Err(Refusal::SameAccount);
        };
        if payer.currency != currency || payee.currency != currency {
            return Err(Refusal::CurrencyMismatch);
        }
        if payer.balance < *amount {
            return Err(Refusal::InsufficientFunds);
        }
        payer.balance -= amount;
        payee.balance += amount;
        Ok(Receipt { status: "booked", from, to, amount: *amount, currency: CURRENCIES[currency], reference })
    }

    fn state(&self, id: &str, answer: &mut Answer) -> Result<(), Refusal> {
        let account =
            self.numbers.get(id).and_then(|number| self.accounts.get(*number)).ok_or(Refusal::NoSuchAccount)?;
        answer.status = 200;
        answer.body.clear();
        let currency = CURRENCIES[account.currency];
        Ok(serde_json::to_writer(&mut answer.body, &Statement { id, currency, balance: account.balance })?)
    }
}

impl Payments for After {
    fn pay(&mut self, key: Option<&[u8]>, body: &[u8], answer: &mut Answer) {
        if let Err(refusal) = self.respond(key, body, answer) {
            answer.refuse(refusal);
        }
    }

    fn account(&self, id: &str, answer: &mut Answer) {
        if let Err(refusal) = self.state(id, answer) {
            answer.refuse(refusal);
        }
    }

    fn sum(&self) -> i64 {
        self.accounts.iter().map(|account| account.balance).sum()
    }
}
