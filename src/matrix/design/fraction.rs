//! Regular fractions of a factorial design, over the field of two elements.
//!
//! 2^m runs are the vectors x of m bits. A knob of L levels owns the least number of generators g, vectors of m bits as well,
//! whose 2^d codes are enough for its levels; the bits of its code in run x are the scalar products x·g. Two knobs are told
//! from each other when their generators span spaces that share only zero, and so on: a sum of one vector each, none zero, of
//! k knobs that is zero is a word of length k, and says that what some of the k do together looks like what the others do.
//! The **resolution** is the length of the shortest word (Box and Hunter 1961, "The 2^(k-p) fractional factorial designs",
//! Technometrics 3), a knob of several generators counting once (Wu and Zhang 1993, "Minimum aberration designs with
//! two-level and four-level factors", Biometrika 80). Where the levels are no power of two, codes are collapsed onto them:
//! levels then occur in proportional, not equal numbers, which leaves main effects clear of each other (Addelman 1962,
//! "Orthogonal main-effect plans for asymmetrical factorial experiments", Technometrics 4).

/// How many vectors the search looks at for one number of runs before it gives up and tries twice as many. Seven knobs of up
/// to eight levels never need that many: their fractions are the smallest that there are.
const MOST_STEPS: usize = 5_000_000;

/// A vector of bits, or a sum of such.
type Bits = usize;

/// A regular fraction.
pub(super) struct Fraction {
    /// m: there are 2^m runs.
    bits: u32,
    /// Per knob.
    levels: Vec<usize>,
    /// Per knob.
    generators: Vec<Vec<Bits>>,
}

impl Fraction {
    /// The first fraction of at least this resolution (3 or more) with as few runs as the search can do with, at most
    /// 2^`most_bits`; `None` where there is none. `levels` are the numbers of levels per knob, each at least 2. The same
    /// question always has the same answer.
    pub(super) fn find(levels: &[usize], resolution: usize, most_bits: u32) -> Option<Self> {
        let mut order: Vec<usize> = (0..levels.len()).collect();
        order.sort_by_key(|knob| std::cmp::Reverse(levels[*knob]));
        let widths: Vec<u32> = order.iter().map(|knob| width(levels[*knob])).collect();
        let most = most_bits.min(widths.iter().sum());
        let (bits, placed) = (least_bits(&widths, resolution)..=most).find_map(|bits| {
            let mut search = Search { widths: &widths, bits, steps: MOST_STEPS, placed: Vec::new() };
            search.succeeds(resolution).then_some((bits, search.placed))
        })?;
        let mut generators = vec![Vec::new(); levels.len()];
        for (knob, placed) in order.into_iter().zip(placed) {
            generators[knob] = placed;
        }
        Some(Self { bits, levels: levels.to_vec(), generators })
    }

    /// The resolution; `None` where there is no word at all, as in a full design.
    pub(super) fn resolution(&self) -> Option<usize> {
        let nothing = Sums::none(self.bits, self.levels.len());
        let sums = self.generators.iter().fold(nothing, |sums, generators| sums.with(generators));
        (1..=self.levels.len()).find(|knobs| sums.0[*knobs][0])
    }

    /// The runs: a level per knob, the first run all zeros.
    pub(super) fn runs(&self) -> impl Iterator<Item = Vec<usize>> {
        let level = |run: usize, knob: usize| {
            let bits = self.generators[knob].iter().enumerate();
            let code: usize = bits.map(|(at, generator)| ((run & generator).count_ones() as usize % 2) << at).sum();
            code % self.levels[knob]
        };
        (0..1_usize << self.bits).map(move |run| (0..self.levels.len()).map(|knob| level(run, knob)).collect())
    }
}

/// The generators that a knob of so many levels needs.
fn width(levels: usize) -> u32 {
    levels.next_power_of_two().ilog2()
}

/// Fewer bits can't do, for `widths` in falling order: any `resolution - 1` knobs are independent, and the sums that the
/// resolution keeps apart need room.
fn least_bits(widths: &[u32], resolution: usize) -> u32 {
    let independent: u32 = widths.iter().take(resolution - 1).sum();
    let sizes: Vec<u128> = widths.iter().map(|width| (1 << width) - 1).collect();
    let ones: u128 = sizes.iter().sum();
    let first = sizes.first().copied().unwrap_or(0);
    let kept_apart = match resolution {
        ..=3 => 1 + ones,
        4 => (1 + first) * (1 + ones - first),
        _ => 1 + ones + (ones * ones - sizes.iter().map(|size| size * size).sum::<u128>()) / 2,
    };
    independent.max(kept_apart.next_power_of_two().ilog2())
}

/// Which vectors are sums of one vector each, none zero, of exactly k of the knobs: `0[k][vector]`.
struct Sums(Vec<Vec<bool>>);

impl Sums {
    /// Those of no knobs, for sums of up to `most` of them.
    fn none(bits: u32, most: usize) -> Self {
        let mut sums = vec![vec![false; 1 << bits]; most + 1];
        sums[0][0] = true;
        Self(sums)
    }

    /// With one knob more.
    fn with(&self, generators: &[Bits]) -> Self {
        let mut sums = self.0.clone();
        for (fewer, more) in self.0.iter().zip(&mut sums[1..]) {
            for sum in (0..fewer.len()).filter(|sum| fewer[*sum]) {
                span(generators).skip(1).for_each(|vector| more[sum ^ vector] = true);
            }
        }
        Self(sums)
    }

    /// Whether a knob with this vector would make too short a word.
    fn blocks(&self, vector: Bits) -> bool {
        self.0[1..].iter().any(|sums| sums[vector])
    }
}

/// All sums of some of the generators; the first is zero.
fn span(generators: &[Bits]) -> impl Iterator<Item = Bits> {
    let bit = |at: usize, set: usize| set >> at & 1;
    (0..1_usize << generators.len())
        .map(move |set| generators.iter().enumerate().fold(0, |sum, (at, g)| sum ^ (g * bit(at, set))))
}

/// A search in depth, knob by knob. Up to a change of coordinates, the vectors of a knob that leave the span of the knobs
/// before it are the next unit vectors; so only those inside the span have to be tried out.
struct Search<'a> {
    /// Generators per knob, in falling order.
    widths: &'a [u32],
    bits: u32,
    steps: usize,
    placed: Vec<Vec<Bits>>,
}

impl Search<'_> {
    /// Whether it comes to an end with all knobs placed, and no word shorter than the resolution.
    fn succeeds(&mut self, resolution: usize) -> bool {
        self.place(&Sums::none(self.bits, resolution - 2), 0)
    }

    /// Places the knobs that are left behind those of `sums`, which span the first `rank` bits.
    fn place(&mut self, sums: &Sums, rank: u32) -> bool {
        let Some(&width) = self.widths.get(self.placed.len()) else { return rank == self.bits };
        let most = width.min(self.bits - rank);
        // Of knobs with two levels, those that leave the span may come first.
        let least = if width == 1 { most } else { 0 };
        (least..=most).rev().any(|fresh| self.inside(sums, rank, fresh, &mut Vec::new()))
    }

    /// Completes `basis`, vectors of the next knob inside the span, and adds `fresh` unit vectors.
    fn inside(&mut self, sums: &Sums, rank: u32, fresh: u32, basis: &mut Vec<Bits>) -> bool {
        let wanted = (self.widths[self.placed.len()] - fresh) as usize;
        if basis.len() == wanted {
            let units = (rank..rank + fresh).map(|bit| 1 << bit);
            let generators: Vec<Bits> = basis.iter().copied().chain(units).collect();
            let sums = sums.with(&generators);
            self.placed.push(generators);
            return self.place(&sums, rank + fresh) || self.placed.pop().is_none();
        }
        for vector in self.first_inside(basis)..1 << rank {
            if self.steps == 0 {
                return false;
            }
            self.steps -= 1;
            let reduced = basis.iter().all(|earlier| vector >> earlier.ilog2() & 1 == 0);
            if reduced && !span(basis).any(|sum| sums.blocks(sum ^ vector)) {
                basis.push(vector);
                if self.inside(sums, rank, fresh, basis) {
                    return true;
                }
                basis.pop();
            }
        }
        false
    }

    /// Where the next vector of a basis may begin: bases are in reduced echelon form, so that each space is met once, and
    /// knobs with two levels rise, as their order does not matter.
    fn first_inside(&self, basis: &[Bits]) -> Bits {
        match (basis.last(), self.placed.last().map(Vec::as_slice)) {
            (Some(earlier), _) => 2 << earlier.ilog2(),
            (None, Some([before])) if !before.is_power_of_two() => before + 1,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn bits(levels: &[usize], resolution: usize) -> u32 {
        let fraction = Fraction::find(levels, resolution, 9).unwrap();
        assert!(fraction.resolution().is_none_or(|reached| reached >= resolution), "{levels:?} {resolution}");
        fraction.bits
    }

    /// The resolution by its definition: all choices of one code per knob.
    fn slow_resolution(fraction: &Fraction) -> Option<usize> {
        let mut words = vec![(0, 0)];
        for generators in &fraction.generators {
            let longer = |(length, sum): (usize, usize)| {
                span(generators)
                    .map(move |vector| (length + usize::from(vector != 0), sum ^ vector))
                    .collect::<Vec<_>>()
            };
            words = words.into_iter().flat_map(longer).collect();
        }
        words.into_iter().filter(|(length, sum)| *length > 0 && *sum == 0).map(|(length, _)| length).min()
    }

    /// How often each combination of levels of the knobs occurs.
    fn counts(fraction: &Fraction, knobs: &[usize]) -> BTreeMap<Vec<usize>, usize> {
        let mut counts = BTreeMap::new();
        for run in fraction.runs() {
            *counts.entry(knobs.iter().map(|knob| run[*knob]).collect()).or_default() += 1;
        }
        counts
    }

    /// All lists of 2 to `most` knobs with levels from `choice`, in rising order.
    fn all_levels(choice: &[usize], most: usize) -> Vec<Vec<usize>> {
        let mut all: Vec<Vec<usize>> = choice.iter().map(|levels| vec![*levels]).collect();
        let mut from = 0;
        while all[from].len() < most {
            let longer: Vec<Vec<usize>> = choice
                .iter()
                .filter(|levels| **levels >= all[from][all[from].len() - 1])
                .map(|levels| [all[from].as_slice(), &[*levels]].concat())
                .collect();
            all.extend(longer);
            from += 1;
        }
        all.retain(|levels| levels.len() > 1);
        all
    }

    #[test]
    fn runs_are_as_few_as_in_the_published_tables_for_two_levels() {
        // Box and Hunter 1961; for many knobs, the longest binary linear codes of distance 3, 4 and 5.
        let expected = [
            (3, [(3, 2), (4, 3), (7, 3), (8, 4), (15, 4)].as_slice()),
            (4, &[(4, 3), (5, 4), (8, 4), (9, 5), (15, 5)]),
            (5, &[(5, 4), (6, 5), (7, 6), (8, 6), (9, 7), (11, 7), (12, 8), (15, 8)]),
        ];
        for (resolution, table) in expected {
            for (knobs, expected) in table {
                assert_eq!(bits(&vec![2; *knobs], resolution), *expected, "{knobs} knobs, resolution {resolution}");
            }
        }
    }

    #[test]
    fn runs_are_as_few_as_can_be_for_more_levels() {
        // Five planes that share only zero fill four bits (Wu 1989, a grouping scheme).
        assert_eq!(bits(&[4; 5], 3), 4);
        assert_eq!(bits(&[4, 4, 2, 2, 2, 2], 4), 5);
        assert_eq!(bits(&[3, 2, 2, 2, 3, 2], 4), 5);
        assert_eq!(bits(&[8, 8], 3), 6);
    }

    #[test]
    fn any_two_knobs_at_resolution_3_and_any_three_at_4_have_each_combination_equally_often() {
        for levels in all_levels(&[2, 4], 6) {
            for (resolution, together) in [(3, 2), (4, 3), (5, 4)] {
                let Some(fraction) = Fraction::find(&levels, resolution, 9) else { continue };
                let subsets = (0..1_usize << levels.len()).filter(|set| set.count_ones() as usize == together);
                for set in subsets {
                    let knobs: Vec<usize> = (0..levels.len()).filter(|knob| set >> knob & 1 == 1).collect();
                    let combinations: usize = knobs.iter().map(|knob| levels[*knob]).product();
                    let counts = counts(&fraction, &knobs);
                    let expected = (1 << fraction.bits) / combinations;
                    assert!(counts.len() == combinations && counts.values().all(|n| *n == expected), "{levels:?}");
                }
            }
        }
    }

    #[test]
    fn collapsed_levels_occur_in_proportion_whatever_another_knob_has() {
        for levels in all_levels(&[2, 3, 5, 6], 4) {
            let fraction = Fraction::find(&levels, 3, 9).unwrap();
            let runs = 1 << fraction.bits;
            for (one, other) in (0..levels.len()).flat_map(|one| (0..one).map(move |other| (one, other))) {
                let (ones, others) = (counts(&fraction, &[one]), counts(&fraction, &[other]));
                assert_eq!((ones.len(), others.len()), (levels[one], levels[other]));
                for (pair, count) in counts(&fraction, &[one, other]) {
                    assert_eq!(count * runs, ones[&pair[..1]] * others[&pair[1..]], "{levels:?}");
                }
            }
        }
    }

    #[test]
    fn the_resolution_is_the_length_of_the_shortest_word() {
        for levels in all_levels(&[2, 3, 4], 5) {
            for resolution in 3..=5 {
                let fraction = Fraction::find(&levels, resolution, 10).unwrap();
                assert_eq!(fraction.resolution(), slow_resolution(&fraction), "{levels:?}");
            }
        }
    }

    #[test]
    fn a_smaller_fraction_of_this_resolution_does_not_exist() {
        // Every choice of one nonzero vector per knob of two levels, by brute force, in one bit less.
        for (knobs, resolution) in [(4, 3), (5, 3), (5, 4), (5, 5)] {
            let bits = bits(&vec![2; knobs], resolution) - 1;
            let vectors = (1_usize << bits) - 1;
            for choice in 0..vectors.pow(u32::try_from(knobs).unwrap()) {
                let vector = |knob: usize| vec![choice / vectors.pow(u32::try_from(knob).unwrap()) % vectors + 1];
                let generators = (0..knobs).map(vector).collect();
                let fraction = Fraction { bits, levels: vec![2; knobs], generators };
                if fraction.resolution().is_none_or(|reached| reached >= resolution) {
                    panic!("{knobs} knobs reach resolution {resolution} with {bits} bits");
                }
            }
        }
    }

    #[test]
    fn with_up_to_seven_knobs_no_search_gives_up() {
        for levels in all_levels(&[2, 4, 8], 7) {
            let widths: Vec<u32> = levels.iter().rev().map(|levels| width(*levels)).collect();
            for resolution in 3..=5 {
                let most = widths.iter().sum::<u32>().min(9);
                let found = (least_bits(&widths, resolution)..=most).find(|bits| {
                    let mut search = Search { widths: &widths, bits: *bits, steps: MOST_STEPS, placed: Vec::new() };
                    let found = search.succeeds(resolution);
                    assert!(search.steps > 0, "{levels:?} {resolution}");
                    found
                });
                assert_eq!(found.is_some(), Fraction::find(&levels, resolution, 9).is_some(), "{levels:?}");
            }
        }
    }

    #[test]
    fn the_first_run_is_the_baseline_and_the_search_repeats_itself() {
        for levels in all_levels(&[2, 3], 7) {
            let found = || Fraction::find(&levels, 4, 9).unwrap().runs().collect::<Vec<_>>();
            assert_eq!(found()[0], vec![0; levels.len()]);
            assert_eq!(found(), found());
        }
    }

    #[test]
    fn what_does_not_fit_is_not_found() {
        assert!(Fraction::find(&[2; 15], 5, 7).is_none());
        assert!(Fraction::find(&[16, 16, 16], 4, 9).is_none());
        assert_eq!(Fraction::find(&[], 3, 9).unwrap().runs().collect::<Vec<_>>(), [Vec::<usize>::new()]);
    }
}
