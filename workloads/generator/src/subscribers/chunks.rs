//! A worker's subscribers, chunk by chunk.

use std::ops::Range;

/// Subscribers in a row, in chunks of equal length but the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    subscribers: Range<u64>,
    length: u64,
}

impl Chunks {
    /// Chunks of `length` subscribers, which is above 0.
    pub(crate) fn new(subscribers: Range<u64>, length: u64) -> Self {
        Self { subscribers, length }
    }

    pub(crate) fn count(&self) -> u64 {
        (self.subscribers.end - self.subscribers.start).div_ceil(self.length)
    }

    /// Chunk `nth`, from 0.
    pub(crate) fn nth(&self, nth: u64) -> Range<u64> {
        let start = self.subscribers.start + nth * self.length;
        start..(start + self.length).min(self.subscribers.end)
    }

    /// Chunk `nth` and the ones before and after it, where the acquaintances of its subscribers are.
    pub(crate) fn around(&self, nth: u64) -> impl Iterator<Item = Range<u64>> {
        (nth.saturating_sub(1)..(nth + 2).min(self.count())).map(|near| self.nth(near))
    }

    /// A share of the chunks for each of `workers`, as equal as can be. Where there are less chunks than workers, some get
    /// none.
    pub(crate) fn shares(&self, workers: u64) -> impl Iterator<Item = Self> {
        let edge = move |worker: u64| {
            let chunks = self.count() * worker / workers;
            (self.subscribers.start + chunks * self.length).min(self.subscribers.end)
        };
        (0..workers).map(move |worker| Self::new(edge(worker)..edge(worker + 1), self.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &Chunks) -> Vec<Range<u64>> {
        (0..chunks.count()).map(|nth| chunks.nth(nth)).collect()
    }

    #[test]
    fn the_last_chunk_is_what_is_left() {
        assert_eq!(all(&Chunks::new(10..35, 10)), [10..20, 20..30, 30..35]);
        assert_eq!(all(&Chunks::new(0..0, 10)), []);
    }

    #[test]
    fn around_the_first_and_the_last_chunk_there_is_one_less() {
        let chunks = Chunks::new(0..30, 10);
        let around = |nth| chunks.around(nth).collect::<Vec<_>>();
        assert_eq!(
            [around(0), around(1), around(2)],
            [vec![0..10, 10..20], vec![0..10, 10..20, 20..30], vec![10..20, 20..30]]
        );
        assert!(Chunks::new(0..5, 10).around(0).eq(std::iter::once(0..5)));
    }

    #[test]
    fn workers_share_the_same_chunks_whatever_their_number() {
        let chunks = Chunks::new(0..1_005, 10);
        for workers in [1, 2, 3, 7, 200] {
            let shared: Vec<Range<u64>> = chunks.shares(workers).flat_map(|share| all(&share)).collect();
            assert_eq!(shared, all(&chunks), "{workers} workers");
            let most = chunks.shares(workers).map(|share| share.count()).max();
            assert!(most <= Some(101_u64.div_ceil(workers)), "{workers} workers: {most:?}");
        }
    }
}
