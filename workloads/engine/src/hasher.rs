//! A hasher without a random seed: the same table, in the same order, in every process.

use std::hash::{BuildHasherDefault, Hasher};

/// For `HashMap`s whose keys nobody hostile chooses.
pub(crate) type Plain = BuildHasherDefault<Fx>;

/// Multiply, add, and rotate at the end, the scheme of rustc-hash 2: the multiplication pushes entropy up and the rotation
/// brings it down to where hashbrown looks for the bucket.
#[derive(Default)]
pub(crate) struct Fx(u64);

const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;

impl Hasher for Fx {
    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.wrapping_add(word).wrapping_mul(FACTOR);
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn neighbouring_keys_spread_over_the_low_bits() {
        let buckets: HashSet<u64> = (0_u64..1_024).map(|key| Plain::default().hash_one(key) & 1_023).collect();
        assert!(buckets.len() > 512, "1024 keys fill only {} of 1024 buckets", buckets.len());
    }

    #[test]
    fn bytes_and_the_word_they_make_hash_alike() {
        let (mut bytes, mut word) = (Fx::default(), Fx::default());
        bytes.write(&42_u64.to_le_bytes());
        word.write_u64(42);
        assert_eq!(bytes.finish(), word.finish());
    }
}
