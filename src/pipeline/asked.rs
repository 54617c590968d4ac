//! What a request comes to before anything is built: the plan, the variants, the other revision.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use perfplan_harness::Size;

use super::divided::Division;
use super::request::{Request, Usage};
use super::review;
use super::stage::{self, Demand};
use crate::build::{self, Fitness, Workspace};
use crate::git::Repository;
use crate::matrix::{self, Design, Drill};
use crate::plan::{self, Filters, Plan, Variant, Workload};
use crate::samples::{CaseId, Review, Skipped, Step, VariantName};

/// A request, read against its plan.
pub(super) struct Asked<'r> {
    pub(super) request: &'r Request,
    pub(super) plan: Plan,
    pub(super) workspace: Workspace,
    pub(super) workloads: Vec<Workload>,
    /// The base revision's full commit id.
    pub(super) base: Option<String>,
    /// By whose word the run is judged.
    pub(super) review: Review,
    pub(super) drills: Vec<Drill>,
    pub(super) filters: Filters,
    /// How large the cases of steps are set up: as the plan says, in a quick run too.
    pub(super) claimed_size: Size,
    /// The steps whose claims are judged: none where a matrix is measured, or recommended builds are confirmed.
    pub(super) steps: Vec<Step>,
    /// What is built, the baseline first.
    pub(super) variants: Vec<Variant>,
    /// The target triple that all are built for.
    pub(super) host: String,
    /// What can't be built or run here.
    pub(super) skipped: Vec<Skipped>,
    /// How the variants came to be, where they are the plan's matrix.
    pub(super) design: Option<Design>,
    /// How the run is divided; `None` where it is not.
    pub(super) division: Option<Division>,
}

impl<'r> Asked<'r> {
    pub(super) fn of(request: &'r Request) -> Result<Self> {
        let workspace = Workspace::of(&request.folder)?;
        let plan = plan::load(&workspace.root, request.plan.as_deref()).map_err(usage)?;
        // What a plan says of its steps, it says of its own size.
        let claimed_size = plan.measure.size;
        let mut plan = if request.quick { plan.quick() } else { plan };
        let mut drills = matrix::drills(&request.handicaps).map_err(usage)?;
        let filters = Filters::new(&request.filters).map_err(usage)?;
        let design = request.matrix.then(|| matrix::design(&plan)).transpose().map_err(usage)?;
        let mut steps = steps(&plan, request, &filters)?;
        let base = request.base.as_ref().map(|base| commit(&workspace.root, base)).transpose()?;
        let review = review::review(request, &workspace.root, &mut plan, base.as_deref())?;
        if let Some(tolerance) = request.tolerance {
            plan.gate.tolerance = tolerance;
            plan.gate.tolerances.clear();
        }
        let variants = variants(&plan, design.as_ref(), &steps, request)?;
        let paired = request.base.is_some();
        // Before this machine is asked what it can build: all machines have to divide alike.
        let (division, variants) = match request.shard {
            Some(shard) => {
                let cut = Division::cut(shard, variants, paired, request.claims_only);
                cut.map(|(division, own)| (Some(division), own))?
            }
            None => (None, variants),
        };
        if division.as_ref().is_some_and(|division| division.leaves_drills(paired)) {
            drills.clear();
        }
        let fitness = Fitness::of(&workspace.root)?;
        let (variants, mut skipped) = fit(variants, &fitness, &workspace, request)?;
        let workloads = stage::workloads(&plan, &workspace)?;
        skipped.extend(not_asked_for(&mut steps, &plan.baseline, &variants, &skipped));
        Ok(Self {
            request,
            plan,
            workspace,
            workloads,
            base,
            review,
            drills,
            filters,
            claimed_size,
            steps,
            variants,
            host: fitness.host().to_owned(),
            skipped,
            design,
            division,
        })
    }

    /// What is to be built.
    pub(super) fn demand(&self) -> Demand<'_> {
        Demand {
            workspace: &self.workspace,
            variants: &self.variants,
            base: self.base.as_deref(),
            training: &self.plan.training,
            timeout: self.plan.measure.timeout,
            jobs: self.jobs(),
            disk_limit: Some(self.plan.building.disk_limit),
        }
    }

    /// As many compilers at once as there are CPUs, where nobody says otherwise.
    pub(super) fn jobs(&self) -> usize {
        let planned = || self.plan.building.jobs.and_then(|jobs| usize::try_from(jobs).ok());
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.request.jobs.or_else(planned).unwrap_or_else(all)
    }
}

pub(super) fn usage(error: impl std::fmt::Display) -> Usage {
    Usage(error.to_string())
}

/// The steps of the plan that the filters mean, where what is measured is the build that ships. A filter means a step by its own
/// name, or by its case after the step.
fn steps(plan: &Plan, request: &Request, filters: &Filters) -> Result<Vec<Step>> {
    if request.matrix || !request.these.is_empty() {
        return Ok(Vec::new());
    }
    if request.claims_only && plan.steps.is_empty() {
        return Err(usage("the plan makes no claims: add a [[step]] to perfplan.toml (docs/claims.md)").into());
    }
    let meant = |step: &Step| filters.matches_any(&[&step.case, &step.after]);
    Ok(recorded_steps(plan)?.into_iter().filter(meant).collect())
}

/// The steps of a plan as runs keep them.
pub(super) fn recorded_steps(plan: &Plan) -> Result<Vec<Step>> {
    plan.steps.iter().map(recorded).collect()
}

/// Takes the steps out that need a build which this run does not make, and says for each such build how many there are.
fn not_asked_for(
    steps: &mut Vec<Step>,
    baseline: &VariantName,
    variants: &[Variant],
    skipped: &[Skipped],
) -> Vec<Skipped> {
    let built = |name: &VariantName| variants.iter().any(|variant| variant.name == *name);
    let told = |name: &VariantName| skipped.iter().any(|skip| skip.variant == *name);
    let lacks = |step: &Step| {
        let needed = [Some(baseline), step.variant.as_ref()];
        needed.into_iter().flatten().find(|name| !built(name) && !told(name)).cloned()
    };
    let mut left_out: BTreeMap<VariantName, usize> = BTreeMap::new();
    steps.retain(|step| {
        let lacking = lacks(step);
        lacking.iter().for_each(|name| *left_out.entry(name.clone()).or_default() += 1);
        lacking.is_none()
    });
    let why = |count: usize| format!("not built in this run, and {count} steps of the plan need it");
    left_out.into_iter().map(|(variant, count)| Skipped { variant, why: why(count) }).collect()
}

/// A step as a run keeps it: what the plan says, in its own words.
fn recorded(step: &plan::Step) -> Result<Step> {
    let plan::Step { id, title, before, after, variant, claims, plan, expect } = step;
    Ok(Step {
        case: CaseId::new(Step::WORKLOAD, id).map_err(anyhow::Error::msg)?,
        title: title.clone().unwrap_or_default(),
        source: plan.clone().unwrap_or_default(),
        expect: expect.clone().unwrap_or_default(),
        before: before.clone(),
        after: after.clone(),
        variant: variant.clone(),
        claims: claims.iter().map(|claim| claim.text.clone()).collect(),
    })
}

/// The variants that are asked for, the baseline first.
fn variants(plan: &Plan, design: Option<&Design>, steps: &[Step], request: &Request) -> Result<Vec<Variant>> {
    let all = match design {
        Some(design) => &design.variants,
        None if request.these.is_empty() => &plan.variants,
        None => &request.these,
    };
    let asked = named(all, design.is_some(), &request.variants)?;
    let baseline = all.iter().find(|variant| variant.name == plan.baseline);
    let alone = request.base.is_some() || request.baseline_alone || request.claims_only;
    let mut chosen: Vec<Variant> = match (asked.is_empty(), alone && design.is_none()) {
        // Against another revision, the build that ships is what counts.
        (true, true) => {
            let whole = (request.claims_only || request.baseline_alone) && request.base.is_none();
            let steps = if whole { steps } else { &[] };
            let of_a_step = |variant: &&Variant| steps.iter().any(|step| step.variant.as_ref() == Some(&variant.name));
            baseline.into_iter().chain(all.iter().filter(of_a_step)).cloned().collect()
        }
        (true, false) => all.iter().filter(|variant| !variant.explicit).cloned().collect(),
        (false, _) => asked,
    };
    if request.base.is_none() && !chosen.iter().any(|variant| variant.name == plan.baseline) {
        chosen.extend(baseline.cloned());
    }
    chosen.sort_by_key(|variant| variant.name != plan.baseline);
    Ok(chosen)
}

/// The variants of these names.
fn named(all: &[Variant], matrix: bool, names: &[String]) -> Result<Vec<Variant>> {
    let find = |name: &String| {
        let name: VariantName = name.parse().map_err(usage)?;
        let found = all.iter().find(|variant| variant.name == name).cloned();
        found.ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|variant| variant.name.as_str()).collect();
            let place = if matrix { "matrix" } else { "plan" };
            Usage(format!("the {place} has no variant {name}; it has {}", known.join(", "))).into()
        })
    };
    names.iter().map(find).collect()
}

/// The variants that can be built and run here, and those that can't.
fn fit(
    variants: Vec<Variant>,
    fitness: &Fitness,
    workspace: &Workspace,
    request: &Request,
) -> Result<(Vec<Variant>, Vec<Skipped>)> {
    let (mut fit, mut skipped) = (Vec::new(), Vec::new());
    for variant in variants {
        let lacking = if request.matrix { lacking_feature(&variant, workspace) } else { None };
        match lacking.map_or_else(|| fitness.unfit(&variant), |why| Ok(Some(why)))? {
            None => fit.push(variant),
            Some(why) if fit.is_empty() => return Err(usage(format!("the baseline {}: {why}", variant.name)).into()),
            Some(why) => skipped.push(Skipped { variant: variant.name, why }),
        }
    }
    Ok((fit, skipped))
}

/// The allocators of a matrix are for packages that have features of that name; nobody has asked for them one by one.
fn lacking_feature(variant: &Variant, workspace: &Workspace) -> Option<String> {
    let feature = build::allocator_feature(variant.allocator?)?;
    let mut without =
        workspace.packages.iter().filter(|package| !package.features.iter().any(|known| known == feature));
    without.next().map(|package| format!("package {} has no feature {feature:?}", package.name))
}

fn commit(root: &Path, revision: &str) -> Result<String> {
    let repository = Repository::around(root)?;
    let commit = repository.resolve(revision).map_err(|error| usage(format!("{error:#}")))?;
    Ok(commit.to_string())
}
