//! The requests that the cases send: mostly payments that are booked, and some of every other kind.

use super::opening;
use super::rules::CURRENCIES;
use crate::tape::Random;

/// The bytes of a key: a UUID's.
pub(crate) const KEY: usize = 36;

/// Every so many requests one is a repetition, as of a client that saw no answer in time.
const REPEATED: u64 = 20;
/// How far back the request is that is repeated: never a repetition itself.
const BACK: u64 = 7;

/// Every so many requests one has a key that another body came with, a little before: an error of the client.
const CLASHING: u64 = 50;

/// Bodies in a ring, whose length is a power of two.
pub(crate) struct Traffic {
    bodies: Box<[String]>,
}

/// One request: the place of its key in the sequence of all keys, and its body.
pub(crate) struct Sent<'a> {
    pub(crate) key: u64,
    pub(crate) body: &'a str,
}

impl Traffic {
    /// At least `length` bodies over so many accounts: the next power of two.
    pub(crate) fn record(length: usize, accounts: usize, seed: u64) -> Self {
        let mut random = Random::seeded(seed);
        Self { bodies: (0..length.next_power_of_two()).map(|_| body(&mut random, accounts)).collect() }
    }

    fn body(&self, place: u64) -> &str {
        &self.bodies[place as usize & (self.bodies.len() - 1)]
    }

    /// Request `position` of a sequence that begins at body `start`: a new payment, or the repetition of an earlier one.
    /// Whichever of the two arrives first, both get the same answer, so that they may be in flight together.
    pub(crate) fn request(&self, start: u64, position: u64) -> Sent<'_> {
        let repeated = position % REPEATED == REPEATED - 1;
        let key = if repeated { position - BACK } else { position };
        Sent { key, body: self.body(start.wrapping_add(key)) }
    }

    /// As [`Traffic::request`], with keys that were used before for another payment; for requests that come in order.
    pub(crate) fn request_in_order(&self, start: u64, position: u64) -> Sent<'_> {
        let sent = self.request(start, position);
        let clashing = position % CLASHING == CLASHING / 2;
        if clashing { Sent { key: position - BACK, ..sent } } else { sent }
    }
}

/// The key with a number, in the form of a UUID.
pub(crate) fn key(number: u64) -> [u8; KEY] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut key = *b"5b1f0000-0000-4000-8000-000000000000";
    for (place, byte) in key.iter_mut().rev().take(12).enumerate() {
        *byte = DIGITS[(number >> (4 * place)) as usize & 15];
    }
    key
}

/// Four in five are booked; of the others some can't be parsed, some not be done, and some not be afforded.
fn body(random: &mut Random, accounts: usize) -> String {
    let (payment, kind) = (Draft::random(random, accounts), random.below(50));
    match kind {
        0 => payment.text().replace(r#"","to""#, r#","to""#),
        1 => payment.text().split_once(r#","currency""#).map_or_else(String::new, |(cut, _)| cut.to_owned()),
        2 => payment.text().replace("amount", "amounts"),
        3 => Draft { amount: "0".to_owned(), ..payment }.text(),
        4 => Draft { amount: r#""12""#.to_owned(), ..payment }.text(),
        5 => Draft { to: payment.from.clone(), ..payment }.text(),
        6 => Draft { to: "acct-999999x".to_owned(), ..payment }.text(),
        7 => Draft { currency: "XAU", ..payment }.text(),
        8..10 => Draft { from: poor(random, payment.number, accounts), ..payment }.text(),
        10..13 => Draft { reference: r#"caf\u00e9 \"Zum L\u00f6wen\", table 7"#.to_owned(), ..payment }.text(),
        _ => payment.text(),
    }
}

/// A payment before it is text.
struct Draft {
    /// The payer's number.
    number: usize,
    from: String,
    to: String,
    amount: String,
    currency: &'static str,
    reference: String,
}

impl Draft {
    /// Between two accounts of one currency, neither of them a poor one.
    fn random(random: &mut Random, accounts: usize) -> Self {
        let number = funded(random, accounts, random_currency);
        let to = loop {
            let other = funded(random, accounts, |_| number % CURRENCIES.len());
            if other != number {
                break other;
            }
        };
        Self {
            number,
            from: opening::id(number),
            to: opening::id(to),
            amount: (1 + random.below(100_000)).to_string(),
            currency: opening::currency(number),
            reference: format!("invoice {:08}", random.below(100_000_000)),
        }
    }

    fn text(&self) -> String {
        let Self { from, to, amount, currency, reference, .. } = self;
        format!(
            r#"{{"from":"{from}","to":"{to}","amount":{amount},"currency":"{currency}","reference":"{reference}"}}"#
        )
    }
}

fn random_currency(random: &mut Random) -> usize {
    random.below(CURRENCIES.len() as u32) as usize
}

/// The number of an account that has funds, of a currency by its place.
fn funded(random: &mut Random, accounts: usize, currency: impl Fn(&mut Random) -> usize) -> usize {
    let currency = currency(random);
    loop {
        let number = random.below((accounts / CURRENCIES.len()) as u32) as usize * CURRENCIES.len() + currency;
        if !opening::is_poor(number) {
            return number;
        }
    }
}

/// The id of a poor account in the currency of account `like`.
fn poor(random: &mut Random, like: usize, accounts: usize) -> String {
    let step = opening::POOR * CURRENCIES.len();
    let number = random.below(accounts.div_ceil(step) as u32) as usize * step + like % CURRENCIES.len();
    opening::id(number)
}
