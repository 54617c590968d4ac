//! By whose plan a run is judged: a change can't excuse itself.

use std::path::Path;

use anyhow::{Context, Result};

use super::asked::{recorded_steps, usage};
use super::request::Request;
use crate::git::{CommitId, Repository};
use crate::plan::{self, Plan, Rules};
use crate::samples::{PlanChange, Review, Step, Waiver};

/// Puts the gate of the plan that judges in place of the plan's own, and says what the plan says otherwise. `base` is the commit
/// that the working tree is compared with: only waivers of commits since then count.
pub(super) fn review(request: &Request, root: &Path, plan: &mut Plan, base: Option<&str>) -> Result<Review> {
    let Some(base) = base else { return Ok(Review::default()) };
    let repository = Repository::around(root)?;
    let (base, head) = (repository.commit(base)?, repository.resolve("HEAD")?);
    let counts = |waiver: &Waiver| repository.is_between(&waiver.commit, base, head);
    let counting = |waivers: &[Waiver]| waivers.iter().filter(|waiver| counts(waiver)).cloned().collect();
    let Some(name) = &request.judge else {
        return Ok(Review { waivers: counting(&plan.waivers), ..Review::default() });
    };
    let commit = repository.resolve(name).map_err(|error| usage(format!("{error:#}")))?;
    let judged_by = Some(name.clone());
    let judge = match plan_at(&repository, commit, root, plan) {
        Ok(judge) => {
            if request.quick {
                judge.quick()
            } else {
                judge
            }
        }
        // Nobody could mend a plan if a broken one refused the change that mends it.
        Err(error) => {
            let (what, after) =
                ("the plan that should judge can't be read".to_owned(), "the plan here judges".to_owned());
            let changes = vec![PlanChange { what, before: Some(format!("{error:#}")), after: Some(after) }];
            return Ok(Review { judged_by, changes, waivers: Vec::new() });
        }
    };
    let changes = changes(&judge, plan)?;
    plan.gate = judge.gate;
    Ok(Review { judged_by, changes, waivers: counting(&judge.waivers) })
}

fn changes(judge: &Plan, own: &Plan) -> Result<Vec<PlanChange>> {
    let (before, after) = (recorded_steps(judge)?, recorded_steps(own)?);
    Ok(plan::changes(rules(judge, &before), rules(own, &after)))
}

fn rules<'p>(plan: &'p Plan, steps: &'p [Step]) -> Rules<'p> {
    Rules { gate: &plan.gate, steps, waivers: &plan.waivers }
}

/// The plan as it is at a commit: in the place of the plan here, else in one of the usual places, else the defaults.
fn plan_at(repository: &Repository, commit: CommitId, root: &Path, here: &Plan) -> Result<Plan> {
    let top = repository.root()?.canonicalize()?;
    let inside = |path: &Path| Some(path.canonicalize().ok()?.strip_prefix(&top).ok()?.to_owned());
    let folder = inside(root).context("the workspace lies outside of its repository")?;
    let usual = plan::PLACES.map(|place| folder.join(place));
    let own = here.path.as_deref().and_then(inside);
    for place in own.into_iter().chain(usual) {
        if let Some(text) = repository.text_at(commit, &place)? {
            return Ok(Plan::parse(&text, &place)?);
        }
    }
    Ok(Plan::parse("", Path::new("default.toml"))?)
}
