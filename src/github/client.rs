//! The client: asks, waits, asks again, and reads what came.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde::de::DeserializeOwned;

use super::address::ApiUrl;
use super::ask::Ask;
use super::fault::Fault;
use super::names::RepositoryName;
use super::page::{self, Page};
use super::patience::{Clock, Patience, System, Turned};
use super::refusal::{Cause, Refusal};
use super::token::Token;
use super::transport::{Answer, Transport};

/// How many pages of a list are read where all of it is wanted.
const MOST_PAGES: u32 = 20;

/// Speaks with GitHub about one repository.
///
/// What is asked and does nothing twice (GET, PATCH, DELETE) is asked again where the answer is lost or GitHub fails. A POST
/// is asked again only where it surely did nothing; otherwise the refusal comes at once, and the caller looks first.
pub struct Client {
    transport: Transport,
    repository: RepositoryName,
    patience: Patience,
    clock: Box<dyn Clock>,
    /// What is gone of the patience.
    spent: Cell<Duration>,
}

impl Client {
    /// A client that connects only when it is asked something.
    ///
    /// # Errors
    /// Where the machine has no certificates of those who vouch for servers.
    pub fn new(api: ApiUrl, repository: RepositoryName, token: Token, patience: Patience) -> Result<Self> {
        let (transport, clock) = (Transport::new(api, token)?, Box::new(System));
        Ok(Self { transport, repository, patience, clock, spent: Cell::default() })
    }

    /// The same with another clock to wait by.
    #[must_use]
    pub fn with_clock(self, clock: Box<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The repository that it speaks about.
    #[must_use]
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Who the token belongs to. `None` for the token of a workflow run or of an app, which belong to nobody.
    ///
    /// # Errors
    /// Where GitHub doesn't answer, or doesn't know the token.
    pub fn login(&self) -> Result<Option<String>, Refusal> {
        #[derive(serde::Deserialize)]
        struct User {
            login: String,
        }
        match self.get(&Ask::get("/user"), |user: User| Ok(user.login)) {
            Err(refusal) if refusal.cause == Cause::Forbidden => Ok(None),
            answered => answered.map(Some),
        }
    }

    /// The path of something that belongs to the repository.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.repository)
    }

    /// Asks, and makes `T` of the JSON that came.
    pub(super) fn get<W: DeserializeOwned, T>(
        &self,
        ask: &Ask,
        make: impl Fn(W) -> Result<T, String>,
    ) -> Result<T, Refusal> {
        self.patiently(ask, || understood(&self.ask(ask)?, &make))
    }

    /// Asks, and is content with not being refused.
    pub(super) fn tell(&self, ask: &Ask) -> Result<(), Refusal> {
        self.patiently(ask, || self.ask(ask).map(drop))
    }

    /// Asks for one page of a list. `make` leaves no item out, since their number can tell whether there is a page after it.
    pub(super) fn page<W: DeserializeOwned, T>(
        &self,
        ask: &Ask,
        make: impl Fn(W) -> Result<Vec<T>, String>,
    ) -> Result<Page<T>, Refusal> {
        self.patiently(ask, || {
            let answer = self.ask(ask)?;
            let items = understood(&answer, &make)?;
            let more = page::more(&answer.headers, items.len());
            Ok(Page { items, more })
        })
    }

    /// Asks for all pages of a list that is never long.
    pub(super) fn all<W: DeserializeOwned, T>(
        &self,
        page: impl Fn(u32) -> Ask,
        make: impl Fn(W) -> Result<Vec<T>, String>,
    ) -> Result<Vec<T>, Refusal> {
        let mut items = Vec::new();
        for number in 1..=MOST_PAGES {
            let found = self.page(&page(number), &make)?;
            items.extend(found.items);
            if !found.more {
                break;
            }
        }
        Ok(items)
    }

    /// Asks for a file of at most so many bytes.
    pub(super) fn download(&self, ask: &Ask, most: u64) -> Result<Vec<u8>, Refusal> {
        let Patience { per_request, all_together, .. } = self.patience;
        self.patiently(ask, || self.transport.download(ask, most, per_request, all_together))
    }

    fn ask(&self, ask: &Ask) -> Result<Answer, Fault> {
        self.transport.ask(ask, self.patience.per_request)
    }

    /// Tries until there is an answer, or a refusal that stands.
    fn patiently<T>(&self, ask: &Ask, attempt: impl Fn() -> Result<T, Fault>) -> Result<T, Refusal> {
        let mut tries = 1;
        loop {
            let begun = self.clock.now();
            let fault = match attempt() {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let now = self.clock.now();
            self.spend(now.duration_since(begun).unwrap_or_default());
            if !self.wait(ask, &fault, tries, now) {
                return Err(Refusal::new(ask, &fault, tries, self.transport.token()));
            }
            tries += 1;
        }
    }

    /// Waits before the next attempt, and says whether there is one.
    fn wait(&self, ask: &Ask, fault: &Fault, tries: u32, now: SystemTime) -> bool {
        let turned = Turned { method: &ask.method, fault, now };
        let Some(pause) = self.patience.pause(&turned, tries, self.spent.get(), fastrand::f64()) else { return false };
        self.spend(pause);
        self.clock.pause(pause)
    }

    fn spend(&self, time: Duration) {
        self.spent.set(self.spent.get().saturating_add(time));
    }
}

/// Makes something of an answer's JSON.
fn understood<W: DeserializeOwned, T>(answer: &Answer, make: impl Fn(W) -> Result<T, String>) -> Result<T, Fault> {
    let read = serde_json::from_slice(&answer.body).map_err(|error| error.to_string());
    read.and_then(make).map_err(|why| Fault::Unusable(format!("the answer can't be understood: {why}")))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("repository", &self.repository).finish_non_exhaustive()
    }
}
