//! The cases: an iteration is a shard of two parts, sent to the writer task in batches.

use std::path::Path;

use perfplan_harness::{Size, Suite, add, amount};
use rand::RngExt;
use tokio::sync::mpsc::{self, Sender};

use super::contract::Written;
use super::disk::Disk;
use super::event::EventWriter;
use super::folder::Folder;
use super::per_batch::{Appender, Namer};
use super::read::read_back;
use super::{WriteError, runtime, task};
use crate::random;
use crate::record::{Direction, Kind, Record};

/// Batches of an iteration.
const BATCHES: usize = 24;
/// Batches that wait for the task at most.
const QUEUE: usize = 4;
/// The only shard.
const SHARD: u32 = 0;
/// Iterations begin at so many different records.
const BEGINNINGS: usize = 10_007;
/// Limit of a part in bytes per record of an iteration: lines are 70 to 80 bytes long, so that there are two parts, the
/// second of them shorter, with and without `one-percent-more`.
const LIMIT: u64 = 45;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("writer/per-batch", per_batch)
        .about("24 batches of 200 records to one shard, two parts: a blocking job and a gzip member for each batch")
        .threads(2);
    suite
        .case("writer/persistent", persistent)
        .about("24 batches of 200 records to one shard, two parts: one writer, which keeps its file open");
}

/// What iterations write, and where.
struct Shard {
    folder: Folder,
    records: Vec<Record>,
    batch: usize,
}

impl Shard {
    fn of(size: Size) -> Self {
        let batch = size.pick(amount(100), amount(200), amount(1_000));
        let folder = Folder::temporary("writer").unwrap_or_else(|error| panic!("no folder to write into: {error:#}"));
        let mut rng = random::of_inputs(5);
        let records = (0..BEGINNINGS + BATCHES * batch).map(|second| record(second as u64, &mut rng)).collect();
        Self { folder, records, batch }
    }

    /// The records of iteration `index`.
    fn records(&self, index: u64) -> &[Record] {
        let first = (index.wrapping_mul(101) % BEGINNINGS as u64) as usize;
        &self.records[first..first + BATCHES * self.batch]
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn rotate_bytes(&self) -> u64 {
        LIMIT * (BATCHES * self.batch) as u64
    }

    /// Writes iteration 0 and compares what lies on the disk with what was to be written.
    fn check(&self, written: Result<Written, WriteError>) {
        let written = written.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(written.parts.len(), 2, "parts of a shard");
        match read_back(self.folder(), SHARD) {
            Ok(records) => assert!(records == self.records(0), "what was written is not what is read back"),
            Err(error) => panic!("what was written can't be read back: {error}"),
        }
        self.remove(&written);
    }

    /// The end of an iteration. Files that are gone soon need not reach the disk, and the next iteration replaces none: that
    /// would make some file systems write the new one at once.
    fn done(&self, written: Result<Written, WriteError>) -> Written {
        let written = written.unwrap_or_else(|error| panic!("{error}"));
        self.remove(&written);
        written
    }

    fn remove(&self, written: &Written) {
        written.remove(self.folder(), SHARD).unwrap_or_else(|error| panic!("{error:#}"));
    }
}

/// Numbers as long as real ones, nearly none of them twice.
fn record(second: u64, rng: &mut impl rand::Rng) -> Record {
    let kind = [Kind::Call, Kind::Message, Kind::Data][rng.random_range(0..3)];
    let direction = [Direction::MobileOriginated, Direction::MobileTerminated][rng.random_range(0..2)];
    Record {
        kind,
        direction,
        start: 1_700_000_000 + second,
        duration: if kind == Kind::Message { 0 } else { rng.random_range(1..3_600) },
        msisdn: 79_160_000_000 + rng.random_range(0..10_000_000),
        other: 79_000_000_000 + rng.random_range(0..1_000_000_000),
        imsi: 250_010_000_000_000 + rng.random_range(0..10_000_000_000),
        imei: 350_000_000_000_000 + rng.random_range(0..10_000_000_000_000),
    }
}

fn per_batch(size: Size) -> impl FnMut(u64) -> Written {
    let shard = Shard::of(size);
    let runtime = runtime::shared().unwrap_or_else(|error| panic!("no runtime: {error}"));
    shard.check(runtime.block_on(write_per_batch(&shard, 0)));
    move |index| shard.done(runtime.block_on(write_per_batch(&shard, index)))
}

fn persistent(size: Size) -> impl FnMut(u64) -> Written {
    let shard = Shard::of(size);
    let runtime = runtime::shared().unwrap_or_else(|error| panic!("no runtime: {error}"));
    shard.check(runtime.block_on(write_persistent(&shard, 0)));
    move |index| {
        // So that the metric is there to be compared: this way has no blocking job at all.
        add("spawn_blocking", 0);
        shard.done(runtime.block_on(write_persistent(&shard, index)))
    }
}

async fn write_per_batch(shard: &Shard, index: u64) -> Result<Written, WriteError> {
    let mut namer = Namer::new(shard.folder(), SHARD, shard.rotate_bytes());
    let appender = Appender::on(Disk, shard.folder(), SHARD)?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    let task = tokio::spawn(task::per_batch(receiver, appender));
    let batches = shard.records(index).chunks(shard.batch).flat_map(|records| namer.batches(records));
    send(sender, batches).await;
    joined(task.await)
}

async fn write_persistent(shard: &Shard, index: u64) -> Result<Written, WriteError> {
    let writer = EventWriter::on(Disk, shard.folder(), SHARD, shard.rotate_bytes())?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    let task = tokio::spawn(task::persistent(receiver, writer));
    send(sender, shard.records(index).chunks(shard.batch).map(<[Record]>::to_vec)).await;
    joined(task.await)
}

/// Sends until there is no more, or nobody reads any more: the task then says why.
async fn send<M>(sender: Sender<M>, batches: impl Iterator<Item = M>) {
    for batch in batches {
        if sender.send(batch).await.is_err() {
            return;
        }
    }
}

fn joined<T>(task: Result<T, tokio::task::JoinError>) -> T {
    task.unwrap_or_else(|panic| panic!("the writer task: {panic}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(per_batch);
        contract::results_depend_on_the_index_alone(persistent);
    }

    #[test]
    fn before_and_after_write_the_same_records_into_the_same_parts() {
        contract::results_are_equal(per_batch, persistent);
    }

    #[test]
    fn an_iteration_leaves_its_folder_empty_and_the_work_takes_the_folder_with_it() {
        let shard = Shard::of(Size::Quick);
        let folder = shard.folder().to_owned();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let runtime = runtime::shared().unwrap();
        shard.done(runtime.block_on(write_persistent(&shard, 1)));
        shard.done(runtime.block_on(write_per_batch(&shard, 2)));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        drop(shard);
        assert!(!folder.exists());
    }

    #[test]
    #[should_panic(expected = "what was written is not what is read back")]
    fn a_set_up_that_reads_other_records_than_it_wrote_ends_the_case() {
        let shard = Shard::of(Size::Quick);
        let other = runtime::shared().unwrap().block_on(write_persistent(&shard, 1));
        shard.check(other);
    }
}
