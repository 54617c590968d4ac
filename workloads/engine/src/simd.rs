//! Hashing and comparing four words at a time: a scalar reference, and AVX2 where the machine has it.

use perfplan_harness::{Size, Suite, amount};

use crate::tape::Tape;

const BATCHES: usize = amount(100);

/// Groups in one call.
const GROUPS: usize = 32;

/// Four words, one AVX2 register.
type Group = [u64; 4];

type Batch = [Group; GROUPS];

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("simd/hash/scalar", |size| hashing(Kernel::Scalar, size))
        .about("hashes 100 batches of 128 words, scalar");
    suite
        .case("simd/hash/avx2", |size| hashing(Kernel::best(), size))
        .about("hashes 100 batches of 128 words, with AVX2 where the machine has it");
    suite
        .case("simd/compare/scalar", |size| comparing(Kernel::Scalar, size))
        .about("compares 100 pairs of batches of 128 words, scalar");
    suite
        .case("simd/compare/avx2", |size| comparing(Kernel::best(), size))
        .about("compares 100 pairs of batches of 128 words, with AVX2 where the machine has it");
}

/// A way to compute, chosen at run time.
#[derive(Clone, Copy)]
enum Kernel {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Detected),
}

impl Kernel {
    /// The fastest that this machine has.
    fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(detected) = avx2::Detected::here() {
            return Self::Avx2(detected);
        }
        Self::Scalar
    }

    /// Hashes every group of `input` into the same place of `output`; the shorter of the two decides how many.
    #[inline]
    fn hash_batch(self, input: &[Group], output: &mut [Group]) {
        match self {
            Self::Scalar => scalar::hash_batch(input, output),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(detected) => detected.hash_batch(input, output),
        }
    }

    /// For every pair of groups a mask: bit `n` is set where the words at `n` are equal. The shortest slice decides how many.
    #[inline]
    fn compare_batch(self, left: &[Group], right: &[Group], masks: &mut [u32]) {
        match self {
            Self::Scalar => scalar::compare_batch(left, right, masks),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(detected) => detected.compare_batch(left, right, masks),
        }
    }
}

/// What the results have to be.
mod scalar {
    use super::Group;

    /// The golden ratio's bits, as the plan has it.
    pub(super) const FACTOR: u32 = 0x9e37_79b9;

    fn half(x: u32) -> u32 {
        let product = x.wrapping_mul(FACTOR);
        product ^ (product >> 16)
    }

    /// Each 32-bit half of a word for itself: the plan multiplies with `mullo_epi32`, which knows no 64-bit lanes.
    pub(super) fn hash(word: u64) -> u64 {
        u64::from(half((word >> 32) as u32)) << 32 | u64::from(half(word as u32))
    }

    #[inline(never)]
    pub(super) fn hash_batch(input: &[Group], output: &mut [Group]) {
        for (group, hashed) in input.iter().zip(output) {
            *hashed = group.map(hash);
        }
    }

    #[inline(never)]
    pub(super) fn compare_batch(left: &[Group], right: &[Group], masks: &mut [u32]) {
        for ((left, right), mask) in left.iter().zip(right).zip(masks) {
            *mask = (0..4).fold(0, |mask, n| mask | u32::from(left[n] == right[n]) << n);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_castsi256_pd, _mm256_cmpeq_epi64, _mm256_loadu_si256, _mm256_movemask_pd, _mm256_mullo_epi32,
        _mm256_set1_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_xor_si256,
    };

    use super::{Group, scalar};

    /// Proof that this machine has AVX2: there is no other way to one than asking.
    #[derive(Clone, Copy)]
    pub(super) struct Detected(());

    impl Detected {
        pub(super) fn here() -> Option<Self> {
            is_x86_feature_detected!("avx2").then_some(Self(()))
        }

        #[inline]
        pub(super) fn hash_batch(self, input: &[Group], output: &mut [Group]) {
            // SAFETY: `self` proves that the machine has AVX2.
            unsafe { hash_batch(input, output) }
        }

        #[inline]
        pub(super) fn compare_batch(self, left: &[Group], right: &[Group], masks: &mut [u32]) {
            // SAFETY: `self` proves that the machine has AVX2.
            unsafe { compare_batch(left, right, masks) }
        }
    }

    #[target_feature(enable = "avx2")]
    fn load(group: &Group) -> __m256i {
        // SAFETY: a group is 32 readable bytes, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(group.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    fn hash_batch(input: &[Group], output: &mut [Group]) {
        let factor = _mm256_set1_epi32(scalar::FACTOR.cast_signed());
        for (group, hashed) in input.iter().zip(output) {
            let product = _mm256_mullo_epi32(load(group), factor);
            let folded = _mm256_xor_si256(product, _mm256_srli_epi32::<16>(product));
            // SAFETY: a group is 32 writable bytes, and the store needs no alignment.
            unsafe { _mm256_storeu_si256(hashed.as_mut_ptr().cast(), folded) };
        }
    }

    #[target_feature(enable = "avx2")]
    fn compare_batch(left: &[Group], right: &[Group], masks: &mut [u32]) {
        for ((left, right), mask) in left.iter().zip(right).zip(masks) {
            let equal = _mm256_cmpeq_epi64(load(left), load(right));
            *mask = _mm256_movemask_pd(_mm256_castsi256_pd(equal)).cast_unsigned();
        }
    }
}

/// How many batches of 1 KB to hash, and pairs of them to compare: 16 and 32 KB at the default size, 4 and 8 MB at the full one.
fn batches(size: Size) -> usize {
    size.pick(8, 16, 4_096)
}

fn hashing(kernel: Kernel, size: Size) -> impl FnMut(u64) -> u64 {
    let inputs = Tape::record(batches(size), 20, |random| -> Batch {
        std::array::from_fn(|_| std::array::from_fn(|_| random.word()))
    });
    let mut output: Batch = [[0; 4]; GROUPS];
    move |index| {
        let mut sum = index;
        for input in inputs.window(index, BATCHES) {
            kernel.hash_batch(input, &mut output);
            // All of the output is compared in tests; reading all of it here would cost more than AVX2's hashing.
            for word in [output[0][0], output[GROUPS / 2][1], output[GROUPS - 1][3]] {
                sum = sum.rotate_left(7).wrapping_add(word);
            }
        }
        sum
    }
}

/// Two batches of which about every other word agrees.
struct Pair {
    left: Batch,
    right: Batch,
}

fn comparing(kernel: Kernel, size: Size) -> impl FnMut(u64) -> u64 {
    let pairs = Tape::record(batches(size), 21, |random| {
        let left: Batch = std::array::from_fn(|_| std::array::from_fn(|_| random.word()));
        let right = left.map(|group| group.map(|word| word ^ u64::from(random.below(2))));
        Pair { left, right }
    });
    let mut masks = [0; GROUPS];
    move |index| {
        let mut sum = index;
        for pair in pairs.window(index, BATCHES) {
            kernel.compare_batch(&pair.left, &pair.right, &mut masks);
            for mask in [masks[0], masks[GROUPS / 2], masks[GROUPS - 1]] {
                sum = sum.rotate_left(7).wrapping_add(u64::from(mask));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;
    use crate::tape::Random;

    /// Words on the edges of halves and signs, and random ones.
    fn word(random: &mut Random) -> u64 {
        const EDGES: [u64; 7] = [0, 1, u64::MAX, 1 << 31, 1 << 32, 0x7fff_ffff_ffff_ffff, 0x8000_0000_8000_0000];
        let kind = random.below(16) as usize;
        EDGES.get(kind).copied().unwrap_or_else(|| random.word())
    }

    fn groups(random: &mut Random, count: usize) -> Vec<Group> {
        (0..count).map(|_| std::array::from_fn(|_| word(random))).collect()
    }

    #[test]
    fn the_reference_multiplies_each_half_for_itself() {
        assert_eq!(scalar::hash(0), 0);
        assert_eq!(scalar::hash(1), 0x9e37_79b9 ^ 0x9e37);
        assert_eq!(scalar::hash(1 << 32), (0x9e37_79b9 ^ 0x9e37) << 32, "no carry into or out of the other half");
        assert_eq!(scalar::hash(2), 0x3c6e_f372 ^ 0x3c6e, "the product is cut to 32 bits");
    }

    #[test]
    fn the_reference_sets_a_bit_per_equal_word() {
        let mut masks = [u32::MAX; 2];
        scalar::compare_batch(&[[1, 2, 3, 4]; 2], &[[1, 0, 3, 0], [0, 2, 3, 4]], &mut masks);
        assert_eq!(masks, [0b0101, 0b1110]);
    }

    #[test]
    fn the_best_kernel_agrees_with_the_reference_bit_by_bit() {
        let mut random = Random::seeded(22);
        let rounds = if cfg!(miri) { 70 } else { 2_000 };
        for round in 0..rounds {
            let count = round % 70;
            let left = groups(&mut random, count);
            // Agrees in some words, differs in one bit or entirely in the others.
            let right: Vec<Group> = left
                .iter()
                .map(|group| group.map(|word| if random.below(2) == 0 { word } else { word ^ 1 << random.below(64) }))
                .collect();
            let (mut hashed, mut expected) = (vec![[7; 4]; count], vec![[8; 4]; count]);
            Kernel::best().hash_batch(&left, &mut hashed);
            Kernel::Scalar.hash_batch(&left, &mut expected);
            assert_eq!(hashed, expected);
            let (mut masks, mut wanted) = (vec![77; count], vec![88; count]);
            Kernel::best().compare_batch(&left, &right, &mut masks);
            Kernel::Scalar.compare_batch(&left, &right, &mut wanted);
            assert_eq!(masks, wanted);
        }
    }

    #[test]
    fn a_short_output_is_not_written_beyond_its_end() {
        let mut output = [[9; 4]; 3];
        for kernel in [Kernel::Scalar, Kernel::best()] {
            kernel.hash_batch(&[[1; 4]; 3], &mut output[..2]);
            assert_eq!(output[2], [9; 4]);
            let mut masks = [5; 2];
            kernel.compare_batch(&[[1; 4]; 1], &[[1; 4]; 3], &mut masks);
            assert_eq!(masks, [15, 5]);
        }
    }

    #[test]
    fn scalar_and_avx2_give_equal_results() {
        contract::results_are_equal(|size| hashing(Kernel::Scalar, size), |size| hashing(Kernel::best(), size));
        contract::results_are_equal(|size| comparing(Kernel::Scalar, size), |size| comparing(Kernel::best(), size));
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(|size| hashing(Kernel::best(), size));
        contract::results_depend_on_the_index_alone(|size| comparing(Kernel::best(), size));
    }
}
