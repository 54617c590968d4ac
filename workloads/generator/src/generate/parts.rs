//! The parts of the generator: all before their optimisation, all after it, and all after it but one.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand_distr::LogNormal;

use super::network::Network;
use crate::arrivals::{DailySamplers, sample_daily};
use crate::config::DailyMeans;
use crate::contacts::{Contacts, PreparedContacts};
use crate::durations::{Calls, Logarithm, RebuildingCalls};
use crate::msisdn::{compose_msisdn, format_msisdn};
use crate::subscribers::{Identities, KEPT, Lookups, Numbering, SubscriberDbRedb, WorkerCache};
use crate::writer::{EventWriter, PerBatch, Writer};

/// Someone to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    /// The place in the circle, from 0, those called most often first.
    pub(super) place: usize,
    pub(super) subscriber: u64,
}

impl Contact {
    fn of(pool: &[u32], place: usize) -> Self {
        Self { place, subscriber: u64::from(pool[place]) }
    }
}

/// What a worker generates with. Equal random numbers give equal results, whichever parts they are.
pub(super) trait Parts {
    /// Who is called by whom, ready for draws.
    type Circle;
    type Identities: Identities;
    type Writer: Writer;

    fn new(network: &Network) -> Self;

    /// Events of a subscriber in the period: calls, messages, data sessions.
    fn arrivals(&self, rng: &mut SmallRng) -> [u32; 3];
    fn circle(contacts: Contacts) -> Self::Circle;
    /// `None` where there is nobody to call.
    fn contact(circle: &Self::Circle, rng: &mut SmallRng) -> Option<Contact>;
    fn msisdn(&self, subscriber: u64) -> u64;
    /// Of a call, in seconds.
    fn duration(&self, rng: &mut SmallRng) -> u32;
    fn identities(&mut self) -> &mut Self::Identities;
    /// Where look-ups found their answer, if there are several places.
    fn take_lookups(&mut self) -> Option<Lookups>;
}

/// How a subscriber's number is put together.
pub(super) trait Numbers {
    fn of(numbering: &Numbering) -> Self;
    fn msisdn(&self, subscriber: u64) -> u64;
}

/// By formatting its parts and parsing the text.
pub(super) struct Formatting {
    prefixes: Vec<String>,
    numbering: Numbering,
}

impl Numbers for Formatting {
    fn of(numbering: &Numbering) -> Self {
        Self { prefixes: numbering.prefixes().iter().map(u64::to_string).collect(), numbering: numbering.clone() }
    }

    fn msisdn(&self, subscriber: u64) -> u64 {
        let (range, number) = self.numbering.place(subscriber);
        format_msisdn(&self.prefixes[range], number)
    }
}

/// By arithmetic.
pub(super) struct Composing {
    numbering: Numbering,
}

impl Numbers for Composing {
    fn of(numbering: &Numbering) -> Self {
        Self { numbering: numbering.clone() }
    }

    fn msisdn(&self, subscriber: u64) -> u64 {
        let (range, number) = self.numbering.place(subscriber);
        compose_msisdn(self.numbering.prefixes()[range], number)
    }
}

/// Before.
pub(super) struct Naive {
    events: DailyMeans,
    calls: RebuildingCalls,
    numbers: Formatting,
    database: Arc<SubscriberDbRedb>,
}

impl Parts for Naive {
    type Circle = Contacts;
    type Identities = Arc<SubscriberDbRedb>;
    type Writer = PerBatch;

    fn new(network: &Network) -> Self {
        Self {
            events: network.events,
            calls: RebuildingCalls { logarithm: network.call_duration.into() },
            numbers: Formatting::of(&network.numbering),
            database: Arc::clone(&network.database),
        }
    }

    fn arrivals(&self, rng: &mut SmallRng) -> [u32; 3] {
        sample_daily(self.events, rng)
    }

    fn circle(contacts: Contacts) -> Contacts {
        contacts
    }

    fn contact(circle: &Contacts, rng: &mut SmallRng) -> Option<Contact> {
        circle.place(rng).map(|place| Contact::of(circle.pool(), place))
    }

    fn msisdn(&self, subscriber: u64) -> u64 {
        self.numbers.msisdn(subscriber)
    }

    fn duration(&self, rng: &mut SmallRng) -> u32 {
        self.calls.duration(rng)
    }

    fn identities(&mut self) -> &mut Arc<SubscriberDbRedb> {
        &mut self.database
    }

    fn take_lookups(&mut self) -> Option<Lookups> {
        None
    }
}

/// After.
pub(super) type All = Prepared<Composing>;

/// After, but for the subscriber numbers: what they bring to a whole record is the rest of the way to [`All`].
pub(super) type Formatted = Prepared<Formatting>;

/// All that is prepared once instead of for every record.
pub(super) struct Prepared<N> {
    events: DailySamplers,
    calls: Calls,
    numbers: N,
    cache: WorkerCache,
}

impl<N: Numbers> Parts for Prepared<N> {
    type Circle = PreparedContacts;
    type Identities = WorkerCache;
    type Writer = EventWriter;

    fn new(network: &Network) -> Self {
        let durations: LogNormal<f64> = Logarithm::from(network.call_duration).distribution();
        Self {
            events: network.events.into(),
            calls: Calls { durations },
            numbers: N::of(&network.numbering),
            cache: WorkerCache::new(Arc::clone(&network.database), KEPT),
        }
    }

    fn arrivals(&self, rng: &mut SmallRng) -> [u32; 3] {
        self.events.sample(rng)
    }

    fn circle(contacts: Contacts) -> PreparedContacts {
        contacts.into()
    }

    fn contact(circle: &PreparedContacts, rng: &mut SmallRng) -> Option<Contact> {
        circle.place(rng).map(|place| Contact::of(circle.pool(), place))
    }

    fn msisdn(&self, subscriber: u64) -> u64 {
        self.numbers.msisdn(subscriber)
    }

    fn duration(&self, rng: &mut SmallRng) -> u32 {
        self.calls.duration(rng)
    }

    fn identities(&mut self) -> &mut WorkerCache {
        &mut self.cache
    }

    fn take_lookups(&mut self) -> Option<Lookups> {
        Some(self.cache.take_lookups())
    }
}
