//! One day of a whole network, by as many workers as there are shards.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::failure::Failure;
use super::network::Network;
use super::parts::{All, Naive, Parts};
use super::shard::{Finished, Shard};
use crate::subscribers::{self, Chunks, Lookups};

/// Subscribers of a chunk.
pub(super) const CHUNK: u64 = 100;

/// The seed where none is said.
pub(super) const SEED: u64 = 1;

const DAY_SECONDS: u64 = 86_400;

/// What is to be generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) subscribers: u64,
    /// Whether each part is the one before its optimisation.
    pub(super) naive: bool,
    /// As many threads.
    pub(super) shards: u32,
    /// Largest size of a file, bytes before compression.
    pub(super) rotate_bytes: u64,
    pub(super) seed: u64,
    /// Whether the database stays for a later run. That of [`SEED`] does in any case: the cases have it too.
    pub(super) keep: bool,
    pub(super) out: PathBuf,
}

/// What was generated.
#[derive(Debug)]
pub(super) struct Done {
    /// Of complete shards.
    pub(super) records: u64,
    pub(super) files: u64,
    /// Without the making of the database.
    pub(super) took: Duration,
    /// Where there is a cache.
    pub(super) lookups: Option<Lookups>,
    /// Shards that could not be completed.
    pub(super) failures: Vec<Failure>,
    /// What else went wrong, in words; no record is missing for it.
    pub(super) faults: Vec<String>,
}

/// Generates what is ordered. A shard that fails does not keep the others from being completed.
///
/// # Errors
/// Where no shard could be begun: there is no database, or no empty folder.
pub(super) fn generate(order: &Order) -> Result<Done> {
    empty_folder(&order.out)?;
    let network = Network::open(order.subscribers, DAY_SECONDS, order.seed)?;
    let start = Instant::now();
    let shards = if order.naive { shards::<Naive>(order, &network) } else { shards::<All>(order, &network) };
    let mut done = Done::of(shards, start.elapsed());
    if order.seed != SEED && !order.keep {
        let removed = subscribers::remove(&network.numbering, order.seed);
        done.faults.extend(removed.err().map(|error| format!("{error:#}")));
    }
    Ok(done)
}

/// Files of an earlier run, with other parts, would be taken for this one's.
fn empty_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let mut entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    ensure!(entries.next().is_none(), "{} is not empty: give a new folder", folder.display());
    Ok(())
}

/// All shards, each by a thread of its own.
fn shards<P: Parts>(order: &Order, network: &Network) -> Vec<Result<Finished, Failure>> {
    let all = Chunks::new(0..order.subscribers, CHUNK);
    thread::scope(|scope| {
        let shares = (0..order.shards).zip(all.shares(u64::from(order.shards)));
        let workers: Vec<_> = shares
            .map(|(number, chunks)| {
                let generate = move || {
                    Shard::<P>::create(network, &order.out, number, order.rotate_bytes)?.all(&chunks, &order.out)
                };
                (number, scope.spawn(generate))
            })
            .collect();
        let joined = workers.into_iter().map(|(number, worker)| {
            // Not while it generated: the shard outlives that, and counts. While it began its files or completed them.
            let panicked = || Failure::new(number, anyhow!("its worker panicked"), None);
            worker.join().unwrap_or_else(|_| Err(panicked()))
        });
        joined.collect()
    })
}

impl Done {
    fn of(shards: Vec<Result<Finished, Failure>>, took: Duration) -> Self {
        let mut done = Self { records: 0, files: 0, took, lookups: None, failures: Vec::new(), faults: Vec::new() };
        for shard in shards {
            match shard {
                Ok(finished) => done.add(finished),
                Err(failure) => done.failures.push(failure),
            }
        }
        done
    }

    fn add(&mut self, shard: Finished) {
        self.records += shard.written.records();
        self.files += shard.written.parts.len() as u64;
        if let Some(lookups) = shard.lookups {
            self.lookups.get_or_insert_default().add(lookups);
        }
        self.faults.extend(shard.untold);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::contacts::CIRCLE;
    use crate::fit;
    use crate::record::{Direction, Kind, Record};
    use crate::writer::read_back;

    const SUBSCRIBERS: u64 = 1_000;

    fn order(out: &Path, naive: bool, shards: u32) -> Order {
        Order {
            subscribers: SUBSCRIBERS,
            naive,
            shards,
            rotate_bytes: 400_000,
            seed: SEED,
            keep: false,
            out: out.to_owned(),
        }
    }

    /// A generated day: its records, in the order of subscribers, and its statistics.
    fn day(naive: bool, shards: u32) -> (Vec<Record>, Vec<String>) {
        let out = tempfile::tempdir().unwrap();
        let done = generate(&order(out.path(), naive, shards)).unwrap();
        assert!(done.failures.is_empty() && done.faults.is_empty(), "{done:?}");
        let records: Vec<Record> = (0..shards).flat_map(|shard| read_back(out.path(), shard).unwrap()).collect();
        assert_eq!(done.records, records.len() as u64);
        let statistics = |shard| fs::read_to_string(out.path().join(format!("stats_shard{shard}.json"))).unwrap();
        let statistics = (0..shards).map(statistics).collect();
        let files = fs::read_dir(out.path()).unwrap().count() as u64;
        assert_eq!(files, done.files + u64::from(shards), "no file but parts and statistics");
        (records, statistics)
    }

    #[test]
    fn all_optimisations_together_change_no_record_and_no_statistics() {
        let (before, after) = (day(true, 2), day(false, 2));
        assert_eq!(before.0.len(), after.0.len());
        let first = before.0.iter().zip(&after.0).position(|(before, after)| before != after);
        assert_eq!(first, None, "the first record that differs");
        assert_eq!(before.1, after.1);
    }

    #[test]
    fn the_records_of_a_day_do_not_depend_on_the_number_of_shards() {
        let [(one, _), (three, _)] = [1, 3].map(|shards| day(false, shards));
        assert_eq!(one.len(), three.len());
        assert!(one == three);
    }

    #[test]
    fn a_day_has_as_many_events_of_each_kind_as_configured() {
        let (records, _) = day(false, 1);
        let count = |kind, direction| {
            let of = |record: &&Record| record.kind == kind && record.direction == direction;
            records.iter().filter(of).count() as f64 / SUBSCRIBERS as f64
        };
        // Of 100 numbers three have no owner: they call nobody, and who is called by them has no record.
        for (kind, mean) in [(Kind::Call, 8.0), (Kind::Message, 16.0), (Kind::Data, 45.0)] {
            let originated = count(kind, Direction::MobileOriginated);
            assert!((0.95..0.99).contains(&(originated / mean)), "{kind:?}: {originated} of {mean}");
            let terminated = if kind == Kind::Data { 0.0 } else { 0.969 * originated };
            assert!((count(kind, Direction::MobileTerminated) - terminated).abs() < 0.02 * mean, "{kind:?}");
        }
    }

    #[test]
    fn contacts_are_called_as_often_as_their_weights_say_before_and_after() {
        let network = Network::open(SUBSCRIBERS, DAY_SECONDS, 1).unwrap();
        let mut expected = [0.0; CIRCLE];
        for subscriber in 0..SUBSCRIBERS {
            let contacts = network.contacts(subscriber);
            let sum: f64 = contacts.weights().iter().sum();
            expected.iter_mut().zip(contacts.weights()).for_each(|(all, weight)| *all += weight / sum);
        }
        for generate in [shards::<Naive>, shards::<All>] {
            let out = tempfile::tempdir().unwrap();
            let finished = generate(&order(out.path(), false, 1), &network).remove(0).unwrap();
            let (drawn, weights) = finished.statistics.contacts(&expected);
            assert!(drawn.iter().sum::<u64>() > 20 * SUBSCRIBERS);
            assert!(fit::chi_square(drawn, &weights) > 1e-3, "{drawn:?}");
        }
    }

    #[test]
    fn both_legs_of_a_call_name_each_other() {
        let (records, _) = day(false, 1);
        let mut pairs = 0;
        for pair in records.windows(2).filter(|pair| pair[1].direction == Direction::MobileTerminated) {
            let [caller, called] = [pair[0], pair[1]];
            assert_eq!((caller.msisdn, caller.other), (called.other, called.msisdn));
            assert_eq!((caller.kind, caller.start, caller.duration), (called.kind, called.start, called.duration));
            assert!(caller.imsi != called.imsi && caller.imei != called.imei);
            pairs += 1;
        }
        assert!(pairs > 20 * SUBSCRIBERS, "{pairs}");
    }

    #[test]
    fn a_folder_with_files_in_it_is_left_alone() {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join("mine"), "").unwrap();
        let error = generate(&order(out.path(), false, 1)).unwrap_err().to_string();
        assert!(error.contains("is not empty: give a new folder"), "{error}");
    }

    #[test]
    fn a_shard_that_cannot_be_written_is_named_and_the_others_are_completed() {
        let out = tempfile::tempdir().unwrap();
        let order = order(out.path(), false, 3);
        let network = Network::open(SUBSCRIBERS, 3_600, 1).unwrap();
        // The name of the second shard's first file is taken by a folder: even root can't write there.
        let taken = out.path().join("events_shard1_part0.csv.gz.partial");
        fs::create_dir(&taken).unwrap();
        fs::set_permissions(&taken, Permissions::from_mode(0o500)).unwrap();
        let shards = shards::<All>(&order, &network);
        assert!(shards[0].is_ok() && shards[2].is_ok());
        let done = Done::of(shards, Duration::ZERO);
        assert_eq!((done.failures.len(), done.faults.len()), (1, 0));
        let error = done.failures[0].to_string();
        let says = error.starts_with("shard 1: ") && error.contains(taken.to_str().unwrap());
        assert!(says && error.contains("; 0 records are safe, "), "{error}");
        assert!(!read_back(out.path(), 2).unwrap().is_empty());
    }

    #[test]
    fn statistics_that_cannot_be_written_are_a_fault_and_cost_no_shard() {
        let out = tempfile::tempdir().unwrap();
        let network = Network::open(SUBSCRIBERS, 3_600, 1).unwrap();
        fs::create_dir(out.path().join("stats_shard1.json")).unwrap();
        let done = Done::of(shards::<All>(&order(out.path(), false, 2), &network), Duration::ZERO);
        let read: usize = (0..2).map(|shard| read_back(out.path(), shard).unwrap().len()).sum();
        assert_eq!((done.records, done.failures.len()), (read as u64, 0));
        assert!(done.faults.len() == 1 && done.faults[0].contains("stats_shard1.json"), "{:?}", done.faults);
    }
}
