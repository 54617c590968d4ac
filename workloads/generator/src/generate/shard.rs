//! One worker's part of the network: its chunks, one after another, into one shard.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::failure::Failure;
use super::network::Network;
use super::parts::{Contact, Parts};
use super::statistics::Statistics;
use crate::record::{Direction, Kind, Record};
use crate::subscribers::{Chunks, Identities, Lookups};
use crate::writer::{Toll, WriteError, Writer, Written};

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
    /// Why there is no file of the statistics, where one was to be written: all records are there without it.
    pub(super) untold: Option<String>,
}

impl<'n, P: Parts> Shard<'n, P> {
    /// # Errors
    /// Where `folder` is none, or can't be reached.
    pub(super) fn create(
        network: &'n Network,
        folder: &Path,
        number: u32,
        rotate_bytes: u64,
    ) -> Result<Self, WriteError> {
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
    pub(super) fn finish(mut self) -> Result<Finished, WriteError> {
        self.writer.write(&self.batch)?;
        let written = self.writer.finish()?;
        Ok(Finished { written, statistics: self.statistics, lookups: self.parts.take_lookups(), untold: None })
    }

    /// Generates all of the worker's chunks and completes the shard, with a file of its statistics beside the records.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk) and [`finish`](Self::finish), and where a part of the generator panics.
    pub(super) fn all(mut self, chunks: &Chunks, folder: &Path) -> Result<Finished, Failure> {
        // After a panic nothing of the shard is used but its counts.
        let generated = panic::catch_unwind(AssertUnwindSafe(|| self.chunks(chunks)));
        let generated = generated.unwrap_or_else(|panic| Err(anyhow!("its worker panicked: {}", words(&*panic))));
        if let Err(cause) = generated {
            return Err(Failure::new(self.number, cause, Some(self.toll())));
        }
        let number = self.number;
        let mut finished = self.finish()?;
        let file = folder.join(format!("stats_shard{number}.json"));
        let told = std::fs::write(&file, finished.statistics.to_json(number));
        finished.untold = told.err().map(|error| format!("{}: {error}", file.display()));
        Ok(finished)
    }

    fn chunks(&mut self, chunks: &Chunks) -> Result<()> {
        for nth in 0..chunks.count() {
            let mut rng = self.network.events_of(chunks.nth(nth).start);
            self.chunk(chunks, nth, &mut rng)?;
        }
        Ok(())
    }

    /// What is safe and lost if nothing more is written.
    fn toll(&self) -> Toll {
        let Toll { safe, lost } = self.writer.toll();
        Toll { safe, lost: lost + self.batch.len() as u64 }
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::RangeInclusive;
    use std::sync::Arc;

    use redb::Error;

    use super::*;
    use crate::arrivals::sample_daily;
    use crate::config::DailyMeans;
    use crate::contacts::Contacts;
    use crate::generate::parts::All;
    use crate::subscribers::{SubscriberDbRedb, SubscriberSnapshotNumeric};
    use crate::writer::{EventWriter, PerBatch, read_back};

    const SUBSCRIBERS: u64 = 1_000;
    /// Identities that are found before the database fails, and so records that are generated.
    const FOUND: u64 = 3_333;

    fn network() -> Network {
        Network::open(SUBSCRIBERS, 86_400, 1).unwrap()
    }

    /// A database that fails some time, or panics.
    struct Failing<const PANICS: bool> {
        database: Arc<SubscriberDbRedb>,
        left: u64,
    }

    impl<const PANICS: bool> Identities for Failing<PANICS> {
        fn prepare(&mut self, _: &RangeInclusive<u64>) -> Result<(), Error> {
            Ok(())
        }

        fn identity_at(&mut self, msisdn: u64, time: u64) -> Result<Option<SubscriberSnapshotNumeric>, Error> {
            if self.left == 0 {
                assert!(!PANICS, "the database is gone");
                return Err(Error::Corrupted("a page is gone".to_owned()));
            }
            let found = self.database.get_subscriber_at(msisdn, time)?;
            self.left -= u64::from(found.is_some());
            Ok(found)
        }
    }

    /// The simplest parts on a failing database.
    struct Broken<W, const PANICS: bool> {
        events: DailyMeans,
        identities: Failing<PANICS>,
        writer: std::marker::PhantomData<W>,
    }

    impl<W: Writer, const PANICS: bool> Parts for Broken<W, PANICS> {
        type Circle = Contacts;
        type Identities = Failing<PANICS>;
        type Writer = W;

        fn new(network: &Network) -> Self {
            let identities = Failing { database: Arc::clone(&network.database), left: FOUND };
            Self { events: network.events, identities, writer: std::marker::PhantomData }
        }

        fn arrivals(&self, rng: &mut SmallRng) -> [u32; 3] {
            sample_daily(self.events, rng)
        }

        fn circle(contacts: Contacts) -> Contacts {
            contacts
        }

        fn contact(_: &Contacts, _: &mut SmallRng) -> Option<Contact> {
            None
        }

        fn msisdn(&self, subscriber: u64) -> u64 {
            // Those of the first range of numbers.
            79_030_000_000 + subscriber
        }

        fn duration(&self, _: &mut SmallRng) -> u32 {
            1
        }

        fn identities(&mut self) -> &mut Failing<PANICS> {
            &mut self.identities
        }

        fn take_lookups(&mut self) -> Option<Lookups> {
            None
        }
    }

    /// The failure of a shard whose parts are cut after `rotate_bytes`, and the records in its complete files.
    fn failed<P: Parts>(rotate_bytes: u64) -> (Failure, u64) {
        let (network, out) = (network(), tempfile::tempdir().unwrap());
        let shard = Shard::<P>::create(&network, out.path(), 4, rotate_bytes).unwrap();
        let failure = shard.all(&Chunks::new(0..SUBSCRIBERS, 100), out.path()).err().unwrap();
        assert!(!out.path().join("stats_shard4.json").exists());
        (failure, read_back(out.path(), 4).unwrap().len() as u64)
    }

    #[test]
    fn a_failing_database_costs_what_the_writer_says_and_the_batch_that_waited() {
        let (failure, read) = failed::<Broken<EventWriter, false>>(50_000);
        let Toll { safe, lost } = failure.toll.unwrap();
        assert!(safe > 2_000 && lost > 0, "{safe} and {lost}");
        assert_eq!((safe, safe + lost), (read, FOUND));
        let says = format!("{safe} records are safe, {lost} are lost at most");
        assert!(failure.to_string().starts_with("shard 4: the database of subscribers: "), "{failure}");
        assert!(failure.to_string().contains("a page is gone") && failure.to_string().ends_with(&says), "{failure}");
    }

    #[test]
    fn batches_that_were_written_each_for_itself_are_safe_when_the_database_fails() {
        let (failure, read) = failed::<Broken<PerBatch, false>>(u64::MAX);
        assert_eq!((failure.toll, read), (Some(Toll { safe: 3_200, lost: 133 }), 0));
    }

    #[test]
    fn a_panic_in_mid_shard_is_a_failure_with_counts() {
        let (failure, read) = failed::<Broken<EventWriter, true>>(50_000);
        assert_eq!(failure.toll, Some(Toll { safe: read, lost: FOUND - read }));
        let says = "shard 4: its worker panicked: the database is gone; ";
        assert!(read > 2_000 && failure.to_string().starts_with(says), "{failure}");
    }

    #[test]
    fn records_of_a_shard_are_complete_though_its_statistics_cannot_be_written() {
        let (network, out) = (network(), tempfile::tempdir().unwrap());
        // The name is taken by a folder: even root can't write there.
        fs::create_dir(out.path().join("stats_shard4.json")).unwrap();
        let shard = Shard::<All>::create(&network, out.path(), 4, u64::MAX).unwrap();
        let finished = shard.all(&Chunks::new(0..200, 100), out.path()).unwrap();
        assert_eq!(finished.written.records(), read_back(out.path(), 4).unwrap().len() as u64);
        assert!(finished.untold.unwrap().contains("stats_shard4.json: "));
    }
}
