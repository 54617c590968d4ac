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

/// Before.
pub(super) struct Naive {
    events: DailyMeans,
    calls: RebuildingCalls,
    prefixes: Vec<String>,
    numbering: Numbering,
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
            prefixes: texts(&network.numbering),
            numbering: network.numbering.clone(),
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
        let (range, number) = self.numbering.place(subscriber);
        format_msisdn(&self.prefixes[range], number)
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
pub(super) struct All {
    events: DailySamplers,
    calls: Calls,
    numbering: Numbering,
    cache: WorkerCache,
}

impl Parts for All {
    type Circle = PreparedContacts;
    type Identities = WorkerCache;
    type Writer = EventWriter;

    fn new(network: &Network) -> Self {
        let durations: LogNormal<f64> = Logarithm::from(network.call_duration).distribution();
        Self {
            events: network.events.into(),
            calls: Calls { durations },
            numbering: network.numbering.clone(),
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
        let (range, number) = self.numbering.place(subscriber);
        compose_msisdn(self.numbering.prefixes()[range], number)
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

/// After, but for the subscriber numbers: what they bring to a whole record is the rest of the way to [`All`].
pub(super) struct Formatted {
    prefixes: Vec<String>,
    all: All,
}

impl Parts for Formatted {
    type Circle = PreparedContacts;
    type Identities = WorkerCache;
    type Writer = EventWriter;

    fn new(network: &Network) -> Self {
        Self { prefixes: texts(&network.numbering), all: All::new(network) }
    }

    fn arrivals(&self, rng: &mut SmallRng) -> [u32; 3] {
        self.all.arrivals(rng)
    }

    fn circle(contacts: Contacts) -> PreparedContacts {
        All::circle(contacts)
    }

    fn contact(circle: &PreparedContacts, rng: &mut SmallRng) -> Option<Contact> {
        All::contact(circle, rng)
    }

    fn msisdn(&self, subscriber: u64) -> u64 {
        let (range, number) = self.all.numbering.place(subscriber);
        format_msisdn(&self.prefixes[range], number)
    }

    fn duration(&self, rng: &mut SmallRng) -> u32 {
        self.all.duration(rng)
    }

    fn identities(&mut self) -> &mut WorkerCache {
        self.all.identities()
    }

    fn take_lookups(&mut self) -> Option<Lookups> {
        self.all.take_lookups()
    }
}

/// The prefixes of a network's numbers, for [`format_msisdn`].
fn texts(numbering: &Numbering) -> Vec<String> {
    numbering.prefixes().iter().map(u64::to_string).collect()
}
