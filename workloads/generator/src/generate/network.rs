//! What all workers share: who is in the network, and which time is generated.

use std::sync::Arc;

use anyhow::Result;
use rand::rngs::SmallRng;

use crate::config::{Config, DailyMeans, Quantiles};
use crate::contacts::{CIRCLE, Contacts};
use crate::random::{self, Purpose};
use crate::subscribers::{self, DAY, Numbering, SubscriberDbRedb};

/// A network for a period of time.
pub(super) struct Network {
    pub(super) numbering: Numbering,
    pub(super) database: Arc<SubscriberDbRedb>,
    pub(super) call_duration: Quantiles,
    /// Of the period.
    pub(super) events: DailyMeans,
    /// Its length from the first second of the day on.
    seconds: u64,
    seed: u64,
}

impl Network {
    /// # Errors
    /// Where the database can't be opened or made.
    pub(super) fn open(subscribers: u64, seconds: u64, seed: u64) -> Result<Self> {
        let config = Config::load();
        let numbering = Numbering::new(&config, subscribers);
        let database = subscribers::open(&numbering, seed)?;
        let Config { call_duration, daily, .. } = config;
        Ok(Self { numbering, database, call_duration, events: daily.within(seconds), seconds, seed })
    }

    /// The seconds of the period, since 1970.
    pub(super) fn period(&self) -> std::ops::Range<u64> {
        DAY..DAY + self.seconds
    }

    /// Whom a subscriber calls.
    pub(super) fn contacts(&self, subscriber: u64) -> Contacts {
        let mut rng = random::of(self.seed, Purpose::Circle, subscriber);
        // Subscribers are less than `u32` counts: a network has 50 million numbers.
        let pool = (0..CIRCLE).map(|_| self.numbering.acquaintance(subscriber, &mut rng) as u32).collect();
        Contacts::of(pool, &mut rng)
    }

    /// The generator of the events of the chunk that begins with subscriber `first`, whoever generates it.
    pub(super) fn events_of(&self, first: u64) -> SmallRng {
        random::of(self.seed, Purpose::Events, first)
    }
}
