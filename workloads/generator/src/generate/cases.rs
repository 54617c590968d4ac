//! The cases: an iteration is a worker that begins anew and generates one chunk, to a shard of its own.

use perfplan_harness::{Checksum, Digest, Size, Suite, add, amount, gauge};

use super::day::CHUNK;
use super::network::Network;
use super::parts::{All, Naive, Parts};
use super::shard::{Finished, Shard};
use crate::random;
use crate::subscribers::Chunks;
use crate::writer::Folder;

/// Neighbouring iterations are so many chunks apart, so that a batch sees all parts of the network.
const SPREAD: u64 = 7_919;

/// Largest size of a file, bytes before compression: a shard of the default size has two.
const ROTATE_BYTES: u64 = 120_000;

const SEED: u64 = 1;

pub(crate) fn register(suite: &mut Suite) {
    let what = "six hours of 100 subscribers, from the database to gzip files";
    suite.case("generate/naive", generated::<Naive>).about(&format!("{what}: no part optimised")).threads(2);
    suite.case("generate/all", generated::<All>).about(&format!("{what}: every part optimised"));
}

/// Seconds of an iteration, and subscribers of the network that its chunk is in.
fn extent(size: Size) -> (u64, u64) {
    let seconds = size.pick(amount(3_600), amount(21_600), amount(86_400)) as u64;
    (seconds, size.pick(1_000, 10_000, 1_000_000))
}

/// # Panics
/// Where there is no database or no folder to write into, or either fails later: nothing can be measured then.
fn generated<P: Parts>(size: Size) -> impl FnMut(u64) -> u64 {
    let (seconds, subscribers) = extent(size);
    let network = Network::open(subscribers, seconds, SEED).unwrap_or_else(|error| panic!("{error:#}"));
    let folder = Folder::temporary("generate").unwrap_or_else(|error| panic!("no folder to write into: {error}"));
    let chunks = Chunks::new(0..subscribers, CHUNK);
    move |index| {
        let finished = chunk::<P>(&network, &folder, &chunks, index);
        digest(&finished.unwrap_or_else(|error| panic!("{error:#}")))
    }
}

/// The chunk of iteration `index`, and no other.
fn chunk<P: Parts>(network: &Network, folder: &Folder, chunks: &Chunks, index: u64) -> anyhow::Result<Finished> {
    let nth = index.wrapping_mul(SPREAD) % chunks.count();
    let mut shard = Shard::<P>::create(network, folder.path(), 0, ROTATE_BYTES)?;
    shard.chunk(chunks, nth, &mut random::of_iteration(index))?;
    shard.finish()
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
        contract::results_depend_on_the_index_alone(generated::<Naive>);
        contract::results_depend_on_the_index_alone(generated::<All>);
    }

    // Not all the iterations that the harness compares: unoptimised, the case before takes its time.
    #[test]
    fn before_and_after_generate_the_same_files_and_statistics() {
        for size in [Size::Quick, Size::Default] {
            let (mut before, mut after) = (generated::<Naive>(size), generated::<All>(size));
            for index in 0..8 {
                assert_eq!(before(index), after(index), "iteration {index} at size {size}");
            }
        }
    }

    /// What lies in the files of iteration 3 at the default size.
    fn records<P: Parts>() -> Vec<crate::record::Record> {
        let (seconds, subscribers) = extent(Size::Default);
        let network = Network::open(subscribers, seconds, SEED).unwrap();
        let folder = Folder::temporary("generate-test").unwrap();
        let finished = chunk::<P>(&network, &folder, &Chunks::new(0..subscribers, CHUNK), 3).unwrap();
        assert_eq!(finished.written.parts.len(), 2, "files");
        let records = read_back(folder.path(), 0).unwrap();
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
