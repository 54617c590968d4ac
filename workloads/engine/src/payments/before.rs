//! The service as it is written at first: owned strings everywhere, the standard library's hasher, copies out of the maps and
//! back in. Nothing of it is wrong, and each copy is the shortest way past the borrow checker.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher};

use serde::{Deserialize, Serialize};

use super::opening::Opened;
use super::rules::{self, CURRENCIES, Refusal};
use super::service::{Answer, Payments};

/// SipHash as the standard library's maps have it, with one key for all: the same table in every process.
type Map<V> = HashMap<String, V, BuildHasherDefault<DefaultHasher>>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentRequest {
    from: String,
    to: String,
    amount: i64,
    currency: String,
    #[serde(default)]
    reference: String,
}

#[derive(Clone, Debug, Serialize)]
struct Receipt {
    status: String,
    from: String,
    to: String,
    amount: i64,
    currency: String,
    reference: String,
}

#[derive(Clone, Debug, Serialize)]
struct Account {
    id: String,
    currency: String,
    balance: i64,
}

#[derive(Clone, Debug, Serialize)]
struct Failure {
    error: String,
}

#[derive(Clone, Debug)]
struct Response {
    status: u16,
    body: String,
}

/// An answer that stands for a key, and the request that it answered.
#[derive(Clone, Debug)]
struct Stored {
    request: String,
    response: Response,
}

/// Accounts by their id, and answers by their key.
pub(crate) struct Before {
    accounts: Map<Account>,
    answers: Map<Stored>,
    /// Keys, the oldest first.
    order: VecDeque<String>,
    most_keys: usize,
}

impl Before {
    /// A ledger with these accounts that remembers the last `most_keys` keys.
    pub(crate) fn open(accounts: Vec<Opened>, most_keys: usize) -> Self {
        let account = |opened: Opened| {
            let currency = opened.currency.to_owned();
            (opened.id.clone(), Account { id: opened.id, currency, balance: opened.balance })
        };
        let accounts = accounts.into_iter().map(account).collect();
        Self { accounts, answers: Map::default(), order: VecDeque::new(), most_keys }
    }

    fn respond(&mut self, key: Option<&[u8]>, body: &[u8]) -> Result<Response, Refusal> {
        let key = key.ok_or(Refusal::MissingKey)?.to_vec();
        rules::check_key(&key)?;
        let key = String::from_utf8(key).map_err(|_| Refusal::InvalidKey)?;
        let body = String::from_utf8(body.to_vec()).map_err(|_| Refusal::MalformedJson)?;
        if let Some(stored) = self.answers.get(&key).cloned() {
            return if stored.request == body { Ok(stored.response) } else { Err(Refusal::KeyReused) };
        }
        let request: PaymentRequest = serde_json::from_str(&body)?;
        validate(&request)?;
        let response = match self.book(&request) {
            Ok(receipt) => Response { status: 201, body: serde_json::to_string(&receipt)? },
            Err(Refusal::InsufficientFunds) => refused(Refusal::InsufficientFunds)?,
            Err(refusal) => return Err(refusal),
        };
        self.remember(key, Stored { request: body, response: response.clone() });
        Ok(response)
    }

    fn book(&mut self, request: &PaymentRequest) -> Result<Receipt, Refusal> {
        let mut from = self.accounts.get(&request.from).cloned().ok_or(Refusal::UnknownAccount)?;
        let mut to = self.accounts.get(&request.to).cloned().ok_or(Refusal::UnknownAccount)?;
        if from.currency != request.currency || to.currency != request.currency {
            return Err(Refusal::CurrencyMismatch);
        }
        if from.balance < request.amount {
            return Err(Refusal::InsufficientFunds);
        }
        from.balance -= request.amount;
        to.balance += request.amount;
        self.accounts.insert(from.id.clone(), from);
        self.accounts.insert(to.id.clone(), to);
        Ok(Receipt {
            status: "booked".to_owned(),
            from: request.from.clone(),
            to: request.to.clone(),
            amount: request.amount,
            currency: request.currency.clone(),
            reference: request.reference.clone(),
        })
    }

    fn remember(&mut self, key: String, stored: Stored) {
        if self.order.len() >= self.most_keys
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.answers.insert(key, stored);
    }
}

fn validate(request: &PaymentRequest) -> Result<(), Refusal> {
    rules::check(&request.from, &request.to, request.amount, &request.reference)?;
    let known = CURRENCIES.contains(&request.currency.as_str());
    if known { Ok(()) } else { Err(Refusal::UnknownCurrency) }
}

fn refused(refusal: Refusal) -> Result<Response, Refusal> {
    let body = serde_json::to_string(&Failure { error: refusal.code().to_owned() })?;
    Ok(Response { status: refusal.status(), body })
}

impl Payments for Before {
    fn pay(&mut self, key: Option<&[u8]>, body: &[u8], answer: &mut Answer) {
        match self.respond(key, body).or_else(refused) {
            Ok(response) => *answer = Answer { status: response.status, body: response.body.into_bytes() },
            Err(refusal) => answer.refuse(refusal),
        }
    }

    fn account(&self, id: &str, answer: &mut Answer) {
        let account = self.accounts.get(id).cloned().ok_or(Refusal::NoSuchAccount);
        match account.and_then(|account| Ok(serde_json::to_string(&account)?)) {
            Ok(body) => *answer = Answer { status: 200, body: body.into_bytes() },
            Err(refusal) => answer.refuse(refusal),
        }
    }

    fn sum(&self) -> i64 {
        self.accounts.values().map(|account| account.balance).sum()
    }
}
