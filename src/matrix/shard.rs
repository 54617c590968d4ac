//! Which part of a matrix one machine measures. Comparisons never straddle machines: every shard has the baseline.

use crate::plan::Variant;
use crate::samples::{CaseId, Shard};

/// What a shard measures of what was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The variants, in the order in which they were given.
    pub variants: Vec<Variant>,
    /// The shards' cases are divided by [`Shard::has_case`]; `None` where each has all cases.
    pub cases: Option<Shard>,
}

impl Shard {
    /// What this shard has of `all` variants. Without a base revision the first is the baseline, which every shard measures;
    /// with one (`paired`), each variant brings a baseline of its own. The candidates are dealt out in turn. Where there are
    /// fewer of them than shards, every shard has all of them, and the cases are divided instead.
    #[must_use]
    pub fn share(self, all: Vec<Variant>, paired: bool) -> Share {
        let shared = usize::from(!paired).min(all.len());
        if all.len() - shared < self.count() {
            return Share { variants: all, cases: Some(self) };
        }
        let own = |at: usize| at < shared || (at - shared) % self.count() == self.index();
        let variants = all.into_iter().enumerate().filter(|(at, _)| own(*at)).map(|(_, variant)| variant).collect();
        Share { variants, cases: None }
    }

    /// Whether a case is this shard's, where cases are divided: by a digest of its name, which is the same on every machine
    /// and does not change when other cases come or go.
    #[must_use]
    pub fn has_case(self, case: &CaseId) -> bool {
        // FNV-1a, and its upper half folded in: the lowest bit alone is little more than the parity of the letters.
        let digest = case
            .to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let folded = digest ^ (digest >> 32);
        (folded % self.count() as u64) as usize == self.index()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fastrand::Rng;

    use super::*;

    fn variants(count: usize) -> Vec<Variant> {
        (0..count).map(|at| Variant::plain(format!("v{at}").parse().unwrap())).collect()
    }

    fn names(share: &Share) -> Vec<&str> {
        share.variants.iter().map(|variant| variant.name.as_str()).collect()
    }

    fn shards(count: u16) -> Vec<Shard> {
        Shard::new(1, count).unwrap().all().collect()
    }

    #[test]
    fn candidates_are_dealt_out_in_turn_and_every_shard_has_the_baseline() {
        let of = |shard: &str, paired| shard.parse::<Shard>().unwrap().share(variants(6), paired);
        assert_eq!(names(&of("1/3", false)), ["v0", "v1", "v4"]);
        assert_eq!(names(&of("2/3", false)), ["v0", "v2", "v5"]);
        assert_eq!(names(&of("3/3", false)), ["v0", "v3"]);
        assert_eq!(names(&of("1/3", true)), ["v0", "v3"], "against a revision, each variant brings its baseline");
        assert_eq!(of("1/5", false).cases, None);
        assert_eq!(of("1/6", false).cases, Some("1/6".parse().unwrap()));
        assert_eq!(of("1/6", false).variants, variants(6));
    }

    #[test]
    fn the_shards_of_any_count_are_disjoint_and_together_everything() {
        let mut rng = Rng::with_seed(11);
        for _ in 0..300 {
            let (count, all, paired) = (rng.u16(1..=40), variants(rng.usize(1..40)), rng.bool());
            let cases: Vec<CaseId> =
                (0..rng.usize(0..60)).map(|at| format!("w{}::c{at}", rng.u8(..)).parse().unwrap()).collect();
            let shared = usize::from(!paired);
            let mut seen: Vec<(String, CaseId)> = Vec::new();
            for shard in shards(count) {
                let share = shard.share(all.clone(), paired);
                assert!(share.variants.starts_with(&all[..shared]), "{shard} lacks the baseline");
                let mine = |case: &&CaseId| share.cases.is_none_or(|shard| shard.has_case(case));
                for case in cases.iter().filter(mine) {
                    seen.extend(share.variants[shared..].iter().map(|v| (v.name.to_string(), case.clone())));
                }
            }
            let distinct: BTreeSet<_> = seen.iter().cloned().collect();
            assert_eq!(distinct.len(), seen.len(), "two of {count} shards measure the same comparison");
            assert_eq!(seen.len(), (all.len() - shared) * cases.len(), "{count} shards leave something out");
        }
    }

    #[test]
    fn cases_are_divided_about_evenly_and_the_same_way_on_every_machine() {
        let cases: Vec<CaseId> = (0..600).map(|at| format!("engine::case/{at}").parse().unwrap()).collect();
        for count in [2, 3, 4, 8] {
            for shard in shards(count) {
                let mine = cases.iter().filter(|case| shard.has_case(case)).count();
                let fair = 600 / usize::from(count);
                assert!(mine > fair * 2 / 3 && mine < fair * 4 / 3, "{shard} has {mine} of 600");
            }
        }
        let of = |case: &str| shards(3).iter().position(|shard| shard.has_case(&case.parse().unwrap())).unwrap();
        assert_eq!(["small::sum", "small::boxes", "engine::fees/cached"].map(of), [0, 0, 1]);
    }
}
