//! One worker's part of the network: its chunks, one after another, into one shard.

use std::path::Path;

use anyhow::{Context, Result};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::network::Network;
use super::parts::{Contact, Parts};
use super::statistics::Statistics;
use crate::record::{Direction, Kind, Record};
use crate::subscribers::{Chunks, Identities, Lookups};
use crate::writer::{Writer, Written};

/// Records that are written at once.
const BATCH: usize = 200;

/// The longest data session, seconds; all lengths up to it are equally likely.
const SESSION: u32 = 1_800;

/// A shard that is being generated.
pub(super) struct Shard<'n, P: Parts> {
    network: &'n Network,
    parts: P,
    writer: P::Writer,
    number: u32,
    /// Records that wait to be written, less than [`BATCH`].
    batch: Vec<Record>,
    statistics: Statistics,
}

/// A shard that is complete.
pub(super) struct Finished {
    pub(super) written: Written,
    pub(super) statistics: Statistics,
    pub(super) lookups: Option<Lookups>,
}

impl<'n, P: Parts> Shard<'n, P> {
    /// # Errors
    /// Where `folder` is none, or can't be reached.
    pub(super) fn create(network: &'n Network, folder: &Path, number: u32, rotate_bytes: u64) -> Result<Self> {
        let writer = P::Writer::create(folder, number, rotate_bytes)?;
        let batch = Vec::with_capacity(BATCH);
        Ok(Self { network, parts: P::new(network), writer, number, batch, statistics: Statistics::new() })
    }

    /// Generates the events of chunk `nth` of the worker's `chunks`.
    ///
    /// # Errors
    /// Where the database can't be read or the shard can't be written.
    pub(super) fn chunk(&mut self, chunks: &Chunks, nth: u64, rng: &mut SmallRng) -> Result<()> {
        for near in chunks.around(nth) {
            let keys = self.network.numbering.keys(&near);
            self.parts.identities().prepare(&keys).context("the database of subscribers")?;
        }
        chunks.nth(nth).try_for_each(|subscriber| self.subscriber(subscriber, rng))
    }

    fn subscriber(&mut self, subscriber: u64, rng: &mut SmallRng) -> Result<()> {
        let circle = P::circle(self.network.contacts(subscriber));
        let [calls, messages, data_sessions] = self.parts.arrivals(rng);
        for (kind, count) in [(Kind::Call, calls), (Kind::Message, messages), (Kind::Data, data_sessions)] {
            for _ in 0..count {
                self.event(kind, subscriber, &circle, rng)?;
            }
        }
        Ok(())
    }

    /// Generates one event: the record of the subscriber's leg, and the one of the other party's.
    fn event(&mut self, kind: Kind, subscriber: u64, circle: &P::Circle, rng: &mut SmallRng) -> Result<()> {
        let start = rng.random_range(self.network.period());
        let duration = self.duration(kind, rng);
        let contact = if kind == Kind::Data { None } else { self.contact(circle, rng) };
        let msisdn = self.parts.msisdn(subscriber);
        let other = contact.map_or(0, |contact| self.parts.msisdn(contact.subscriber));
        let direction = Direction::MobileOriginated;
        let leg = Record { kind, direction, start, duration, msisdn, other, imsi: 0, imei: 0 };
        if !self.leg(leg)? {
            self.statistics.without_caller += 1;
            return Ok(());
        }
        if kind == Kind::Call {
            self.statistics.call(duration);
        }
        let answered = Record { direction: Direction::MobileTerminated, msisdn: other, other: msisdn, ..leg };
        if contact.is_some() && !self.leg(answered)? {
            self.statistics.without_called += 1;
        }
        Ok(())
    }

    fn duration(&self, kind: Kind, rng: &mut SmallRng) -> u32 {
        match kind {
            Kind::Call => self.parts.duration(rng),
            Kind::Message => 0,
            Kind::Data => rng.random_range(1..=SESSION),
        }
    }

    fn contact(&mut self, circle: &P::Circle, rng: &mut SmallRng) -> Option<Contact> {
        let contact = P::contact(circle, rng)?;
        self.statistics.contact(contact.place);
        Some(contact)
    }

    /// Keeps the record of one leg with the identity behind its number; whether the number belonged to anybody.
    fn leg(&mut self, leg: Record) -> Result<bool> {
        let identity = self.parts.identities().identity_at(leg.msisdn, leg.start);
        let Some(identity) = identity.context("the database of subscribers")? else { return Ok(false) };
        let record = Record { imsi: identity.imsi, imei: identity.imei, ..leg };
        self.statistics.record(&record);
        self.batch.push(record);
        if self.batch.len() == BATCH {
            self.writer.write(&self.batch)?;
            self.batch.clear();
        }
        Ok(true)
    }

    /// Completes the shard's files.
    ///
    /// # Errors
    /// Where they can't be written.
    pub(super) fn finish(mut self) -> Result<Finished> {
        self.writer.write(&self.batch)?;
        let written = self.writer.finish()?;
        Ok(Finished { written, statistics: self.statistics, lookups: self.parts.take_lookups() })
    }

    /// Generates all of the worker's chunks and completes the shard, with a file of its statistics beside the records.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk) and [`finish`](Self::finish).
    pub(super) fn all(mut self, chunks: &Chunks, folder: &Path) -> Result<Finished> {
        for nth in 0..chunks.count() {
            let mut rng = self.network.events_of(chunks.nth(nth).start);
            self.chunk(chunks, nth, &mut rng)?;
        }
        let number = self.number;
        let finished = self.finish()?;
        let file = folder.join(format!("stats_shard{number}.json"));
        let text = finished.statistics.to_json(number);
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
        Ok(finished)
    }
}
