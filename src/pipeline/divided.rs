//! What a shard of a divided run says of the whole, so that shards of one run are known from others.

use std::collections::BTreeMap;

use anyhow::Result;

use super::asked::Asked;
use super::seats::Chosen;
use crate::git::content_id;
use crate::matrix::Share;
use crate::plan::{Plan, Variant, Workload};
use crate::samples::{Divided, Shard};

/// How a run is divided, and which part of it is asked for.
pub(super) struct Division {
    shard: Shard,
    /// How many candidates all shards measure together.
    candidates: usize,
    /// How many of them are this shard's, machines that can't build them included.
    own: usize,
    /// The shard whose cases are measured; `None` where each shard has all cases.
    pub(super) cases: Option<Shard>,
    variants: String,
}

impl Division {
    /// Cuts this shard's part from `all` variants, the baseline first unless there is a base revision (`paired`). Where claims
    /// alone are judged, the steps are divided, whatever they are built as.
    pub(super) fn cut(shard: Shard, all: Vec<Variant>, paired: bool, claims: bool) -> Result<(Self, Vec<Variant>)> {
        let candidates = all.len().saturating_sub(usize::from(!paired));
        let digest = content_id(format!("{all:?}").as_bytes())?;
        let Share { variants, cases } =
            if claims { Share { variants: all, cases: Some(shard) } } else { shard.share(all, paired) };
        let own = variants.len().saturating_sub(usize::from(!paired));
        Ok((Self { shard, candidates, own, cases, variants: digest }, variants))
    }

    /// Comparisons that the other shards make at most, each pair of arms in all `metrics`, where this shard has `here` of all
    /// `cases`.
    fn elsewhere(&self, here: usize, cases: usize, metrics: usize) -> usize {
        let pairs = self.candidates.saturating_mul(cases).saturating_sub(self.own.saturating_mul(here));
        pairs.saturating_mul(metrics)
    }

    /// Whether another shard has the arm that a drill adds to the candidates.
    pub(super) fn leaves_drills(&self, paired: bool) -> bool {
        !paired && self.cases.is_none() && self.shard.index() > 0
    }
}

/// What the record of a shard says of the whole; `None` where the run is not divided.
pub(super) fn divided(asked: &Asked<'_>, chosen: &Chosen) -> Result<Option<Divided>> {
    let Some(division) = &asked.division else { return Ok(None) };
    let here = chosen.subjects.len() + chosen.missing.len();
    // Which metrics a case will have is not known yet: of the gated ones, all.
    let metrics = asked.plan.gate.metrics.len();
    let cases = here.saturating_add(chosen.elsewhere);
    Ok(Some(Divided {
        plan: shared(asked, division)?,
        command: asked.request.command.clone(),
        shard: Some(division.shard),
        elsewhere: division.elsewhere(here, cases, metrics),
        parts: Vec::new(),
    }))
}

/// All that the shards have in common beside what every run says of itself (commit, tool, gate). Values that are not words
/// stand there by their digest.
fn shared(asked: &Asked<'_>, division: &Division) -> Result<BTreeMap<String, String>> {
    let digest = |value: String| content_id(value.as_bytes());
    let Plan { measure, training, .. } = &asked.plan;
    let mut workloads: Vec<&Workload> = asked.workloads.iter().collect();
    workloads.sort_by_key(|workload| &workload.name);
    let facts = [
        ("base revision", asked.base.clone().unwrap_or_else(|| "none".to_owned())),
        ("filters", digest(format!("{:?}", asked.request.filters))?),
        ("handicaps", digest(format!("{:?}", asked.request.handicaps))?),
        ("size", measure.size.as_str().to_owned()),
        ("training", digest(format!("{training:?}"))?),
        ("variants", division.variants.clone()),
        ("workloads", digest(format!("{workloads:?}"))?),
    ];
    Ok(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_shards_compare_counts_in_every_metric() {
        let variants: Vec<Variant> = (0..5).map(|at| Variant::plain(format!("v{at}").parse().unwrap())).collect();
        let (by_variant, _) = Division::cut("1/3".parse().unwrap(), variants.clone(), false, false).unwrap();
        assert_eq!((by_variant.candidates, by_variant.own), (4, 2));
        assert_eq!(by_variant.elsewhere(10, 10, 3), 2 * 10 * 3);
        let (by_case, _) = Division::cut("1/9".parse().unwrap(), variants.clone(), false, false).unwrap();
        assert_eq!(by_case.elsewhere(2, 10, 3), 4 * 8 * 3);
        assert_eq!(by_case.elsewhere(2, usize::MAX, 3), usize::MAX);
        let (of_claims, own) = Division::cut("1/3".parse().unwrap(), variants, false, true).unwrap();
        assert!(own.len() == 5 && of_claims.cases.is_some(), "steps are divided, and each shard builds what they need");
    }
}
