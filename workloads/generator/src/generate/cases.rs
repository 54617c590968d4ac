//! The cases: an iteration is a worker that begins anew and generates one chunk, to a shard of its own.

use anyhow::Result;
use perfplan_harness::{Checksum, Digest, Size, Suite, add, amount, gauge};

use super::day::CHUNK;
use super::network::Network;
use super::parts::{All, Formatted, Naive, Parts};
use super::shard::{Finished, Shard};
use crate::random;
use crate::subscribers::Chunks;
use crate::writer::Folder;

/// Neighbouring iterations are so many chunks apart, so that a batch sees all parts of the network.
const SPREAD: u64 = 7_919;

/// Largest size of a file, bytes before compression: a shard of the default size has two.
const ROTATE_BYTES: u64 = 120_000;

const SEED: u64 = 1;
/// The only shard.
const SHARD: u32 = 0;

pub(crate) fn register(suite: &mut Suite) {
    let what = "six hours of 100 subscribers, from the database to gzip files";
    suite.case("generate/naive", of::<Naive>).about(&format!("{what}: no part optimised")).threads(2);
    suite.case("generate/formatted", of::<Formatted>).about(&format!("{what}: every part but the numbers optimised"));
    suite.case("generate/all", of::<All>).about(&format!("{what}: every part optimised"));
    let what = "six hours of 100 subscribers of 100,000, from the database to gzip files";
    suite.case("generate/naive/100k", of_100k::<Naive>).about(&format!("{what}: no part optimised")).threads(2);
    suite.case("generate/all/100k", of_100k::<All>).about(&format!("{what}: every part optimised"));
}

fn of<P: Parts>(size: Size) -> impl FnMut(u64) -> u64 {
    generated::<P>(size, size.pick(1_000, 10_000, 1_000_000))
}

fn of_100k<P: Parts>(size: Size) -> impl FnMut(u64) -> u64 {
    generated::<P>(size, 100_000)
}

/// # Panics
/// Where there is no database or no folder to write into, or either fails later: nothing can be measured then.
fn generated<P: Parts>(size: Size, subscribers: u64) -> impl FnMut(u64) -> u64 {
    let work = Work::open(size, subscribers).unwrap_or_else(|error| panic!("{error:#}"));
    move |index| work.iteration::<P>(index).unwrap_or_else(|error| panic!("{error:#}"))
}

/// What iterations generate, and where.
struct Work {
    network: Network,
    folder: Folder,
    chunks: Chunks,
}

impl Work {
    fn open(size: Size, subscribers: u64) -> Result<Self> {
        let seconds = size.pick(amount(3_600), amount(21_600), amount(86_400)) as u64;
        let network = Network::open(subscribers, seconds, SEED)?;
        Ok(Self { network, folder: Folder::temporary("generate")?, chunks: Chunks::new(0..subscribers, CHUNK) })
    }

    /// The digest of what iteration `index` generates. Its files are removed: they are gone before they need reach the disk,
    /// and the next iteration replaces none.
    fn iteration<P: Parts>(&self, index: u64) -> Result<u64> {
        let finished = self.chunk::<P>(index)?;
        finished.written.remove(self.folder.path(), SHARD)?;
        Ok(digest(&finished))
    }

    /// The chunk of iteration `index`, and no other.
    fn chunk<P: Parts>(&self, index: u64) -> Result<Finished> {
        let nth = index.wrapping_mul(SPREAD) % self.chunks.count();
        let mut shard = Shard::<P>::create(&self.network, self.folder.path(), SHARD, ROTATE_BYTES)?;
        shard.chunk(&self.chunks, nth, &mut random::of_iteration(index))?;
        Ok(shard.finish()?)
    }
}

/// The files by their checksums, and the statistics.
fn digest(finished: &Finished) -> u64 {
    add("records", finished.written.records());
    if let Some(lookups) = finished.lookups {
        gauge("cache.hit-rate", lookups.hit_rate());
    }
    let mut checksum = Checksum::default();
    finished.written.digest(&mut checksum);
    finished.statistics.to_json(0).digest(&mut checksum);
    checksum.value()
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;
    use crate::writer::read_back;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(of::<Naive>);
        contract::results_depend_on_the_index_alone(of::<Formatted>);
        contract::results_depend_on_the_index_alone(of::<All>);
    }

    /// Not all the iterations that the harness compares: unoptimised, the case before takes its time.
    fn same<A: FnMut(u64) -> u64, B: FnMut(u64) -> u64>(before: fn(Size) -> A, after: fn(Size) -> B) {
        for size in [Size::Quick, Size::Default] {
            let (mut before, mut after) = (before(size), after(size));
            for index in 0..8 {
                assert_eq!(before(index), after(index), "iteration {index} at size {size}");
            }
        }
    }

    #[test]
    fn before_and_after_generate_the_same_files_and_statistics() {
        same(of::<Naive>, of::<All>);
    }

    #[test]
    fn formatted_numbers_are_in_the_same_files_and_statistics() {
        same(of::<Formatted>, of::<All>);
    }

    #[test]
    fn before_and_after_generate_the_same_of_a_large_network_and_other_things_than_of_a_small_one() {
        same(of_100k::<Naive>, of_100k::<All>);
        assert_ne!(of_100k::<All>(Size::Default)(3), of::<All>(Size::Default)(3));
    }

    #[test]
    fn an_iteration_leaves_its_folder_empty() {
        let work = Work::open(Size::Quick, 1_000).unwrap();
        work.iteration::<Naive>(1).unwrap();
        work.iteration::<All>(2).unwrap();
        assert_eq!(std::fs::read_dir(work.folder.path()).unwrap().count(), 0);
    }

    /// What lies in the files of iteration 3 at the default size.
    fn records<P: Parts>() -> Vec<crate::record::Record> {
        let work = Work::open(Size::Default, 10_000).unwrap();
        let finished = work.chunk::<P>(3).unwrap();
        assert_eq!(finished.written.parts.len(), 2, "files");
        let records = read_back(work.folder.path(), SHARD).unwrap();
        assert_eq!(finished.written.records(), records.len() as u64);
        assert_eq!(finished.statistics.records(), records.len() as u64);
        records
    }

    #[test]
    fn the_files_of_an_iteration_hold_the_same_records_before_and_after() {
        let (before, after) = (records::<Naive>(), records::<All>());
        assert!(before.len() > 1_500 && before == after);
    }
}
