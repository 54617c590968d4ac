//! Inputs: a table made once from a seed, into which an iteration's index points.

/// A random sequence that is the same on every machine: SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
/// pseudorandom number generators", figure 16).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, from the word's high half (Lemire 2019); the bias, at most `bound / 2^32`, is of no account here.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.word() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// All of `0..count`, shuffled (Fisher and Yates).
    pub(crate) fn permutation(&mut self, count: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, self.below(last as u32 + 1) as usize);
        }
        order
    }
}

/// Inputs in a ring whose length is a power of two.
pub(crate) struct Tape<T> {
    items: Box<[T]>,
}

/// How far apart two iterations start. Odd, so that every place of the ring is a start once; the same with and without
/// `one-percent-more`, so that both read the same inputs.
const STRIDE: usize = 127;

impl<T> Tape<T> {
    /// At least `length` inputs: the next power of two.
    pub(crate) fn record(length: usize, seed: u64, mut make: impl FnMut(&mut Random) -> T) -> Self {
        let mut random = Random::seeded(seed);
        Self { items: (0..length.next_power_of_two()).map(|_| make(&mut random)).collect() }
    }

    /// The `count` inputs of iteration `index`.
    #[inline]
    pub(crate) fn window(&self, index: u64, count: usize) -> impl Iterator<Item = &T> {
        let start = (index as usize).wrapping_mul(STRIDE);
        let mask = self.items.len() - 1;
        (0..count).map(move |step| &self.items[start.wrapping_add(step) & mask])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_splitmix64() {
        // The first words for seed 1234567 as published with the reference implementation (prng.di.unimi.it).
        let mut random = Random::seeded(1_234_567);
        assert_eq!(random.word(), 6_457_827_717_110_365_317);
        assert_eq!(random.word(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_permutation_holds_everything_once_in_another_order() {
        let order = Random::seeded(1).permutation(1_000);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1_000).collect::<Vec<u32>>());
        assert_ne!(order, sorted);
    }

    #[test]
    fn a_window_wraps_around_and_starts_elsewhere_for_another_index() {
        let mut next = 0;
        let tape = Tape::record(5, 0, |_| {
            next += 1;
            next
        });
        assert_eq!(tape.window(0, 10).copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 1, 2]);
        assert_eq!(tape.window(1, 2).copied().collect::<Vec<_>>(), [8, 1]);
        assert_eq!(tape.window(u64::MAX, 1).count(), 1);
    }
}
