//! Checksums of results: proof that every build did the same work, and a use of the result that the optimiser can't remove.

/// Accumulates the digest of a batch. Order matters; not cryptographic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum(u64);

impl Checksum {
    /// Mixes one word in: rotate, xor, multiply (the scheme of FxHash), about a nanosecond.
    #[inline]
    pub fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// The digest so far.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }
}

/// A result that a checksum can be taken of.
pub trait Digest {
    /// Mixes `self` into `checksum`.
    fn digest(&self, checksum: &mut Checksum);
}

macro_rules! digest_as_word {
    ($($t:ty),*) => {$(
        impl Digest for $t {
            #[inline]
            fn digest(&self, checksum: &mut Checksum) {
                checksum.add(*self as u64);
            }
        }
    )*};
}
digest_as_word!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool, char);

impl Digest for f64 {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(self.to_bits());
    }
}

impl Digest for f32 {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(u64::from(self.to_bits()));
    }
}

impl Digest for () {
    #[inline]
    fn digest(&self, _: &mut Checksum) {}
}

impl Digest for str {
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(self.len() as u64);
        for chunk in self.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            checksum.add(u64::from_le_bytes(word));
        }
    }
}

impl Digest for String {
    fn digest(&self, checksum: &mut Checksum) {
        self.as_str().digest(checksum);
    }
}

impl<T: Digest> Digest for [T] {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(self.len() as u64);
        self.iter().for_each(|item| item.digest(checksum));
    }
}

impl<T: Digest, const N: usize> Digest for [T; N] {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        self.as_slice().digest(checksum);
    }
}

impl<T: Digest> Digest for Vec<T> {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        self.as_slice().digest(checksum);
    }
}

impl<T: Digest> Digest for Option<T> {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(u64::from(self.is_some()));
        if let Some(inner) = self {
            inner.digest(checksum);
        }
    }
}

impl<T: Digest + ?Sized> Digest for &T {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        (**self).digest(checksum);
    }
}

impl<A: Digest, B: Digest> Digest for (A, B) {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        self.0.digest(checksum);
        self.1.digest(checksum);
    }
}

impl<A: Digest, B: Digest, C: Digest> Digest for (A, B, C) {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        self.0.digest(checksum);
        self.1.digest(checksum);
        self.2.digest(checksum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: impl Digest) -> u64 {
        let mut checksum = Checksum::default();
        value.digest(&mut checksum);
        checksum.value()
    }

    #[test]
    fn order_length_and_presence_all_count() {
        assert_ne!(of(vec![1_u32, 2]), of(vec![2_u32, 1]));
        assert_ne!(of(vec![0_u8; 3]), of(vec![0_u8; 4]));
        assert_ne!(of(Some(0_u8)), of(None::<u8>));
        assert_ne!(of("ab"), of("ab\0"));
        assert_ne!(of(0.0_f64), of(-0.0_f64));
    }

    #[test]
    fn equal_values_have_equal_digests() {
        assert_eq!(of("twelve bytes"), of(String::from("twelve bytes")));
        assert_eq!(of([1_u64, 2, 3]), of(vec![1_u64, 2, 3]));
    }
}
