//! Tuning: measure the matrix, say what each knob bought, measure the recommended build once more, and turn it into a patch.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::asked::{Asked, usage};
use super::request::Request;
use super::{Outcome, manifests, run};
use crate::advise::patch::{self, Patch, Wanted};
use crate::advise::{Advice, Mean, Settings, advise};
use crate::matrix::Design;
use crate::measure::Starter;
use crate::plan::{Plan, Variant};
use crate::progress::Listener;
use crate::samples::{Better, Run};
use crate::verdict::{self, Judgement};

/// What the recommended build is called when it is measured.
const RECOMMENDED: &str = "recommended";
/// The part of the budget that measuring it again may take, and the least.
const CONFIRMING: u32 = 4;
const LEAST: Duration = Duration::from_secs(20);

/// What tuning came to.
#[derive(Debug)]
pub struct Tuned {
    /// The run of the matrix.
    pub run: Run,
    /// What is said of it.
    pub judgement: Judgement,
    /// The folder of the run, where it was made here.
    pub folder: Option<PathBuf>,
    /// How the matrix was designed, in a few words.
    pub design: String,
    /// What each knob bought.
    pub advice: Advice,
    /// The recommended build measured against the baseline by itself; `None` where nothing of it fits into manifests, or it was
    /// not asked for.
    pub confirmed: Option<Confirmed>,
    /// The recommendation as edits of the manifests.
    pub patch: Patch,
    /// The workspace.
    pub root: PathBuf,
    /// Whether it was broken off.
    pub interrupted: bool,
}

/// The recommended build, measured by itself: knobs that were chosen because they looked best look better than they are.
#[derive(Debug)]
pub struct Confirmed {
    /// The run.
    pub outcome: Outcome,
    /// Its settings.
    pub settings: Settings,
    /// What it changes over all cases; `None` where no case could be measured.
    pub change: Option<Mean>,
}

impl Confirmed {
    /// Why the patch should not be written after all; `None` where measuring by itself has borne the recommendation out.
    #[must_use]
    pub fn objection(&self, better: Better) -> Option<String> {
        if let Some(failure) = self.outcome.judgement.failures.first() {
            return Some(format!("the recommended build failed: {}: {}", failure.what, failure.why));
        }
        let Some(Mean { change, .. }) = &self.change else {
            return Some("the recommended build could not be measured by itself".to_owned());
        };
        let gains = match better {
            Better::Lower => change.high < 0.0,
            Better::Higher => change.low > 0.0,
        };
        (!gains).then(|| "measured by itself, the recommended build is not known to gain anything".to_owned())
    }
}

/// What is asked of tuning.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// What is measured.
    pub request: Request,
    /// A run of the matrix that was made before, in place of a new one.
    pub made: Option<Run>,
    /// Whether the recommended build is measured by itself.
    pub confirm: bool,
}

/// Measures the matrix of the plan and says what to take of it.
///
/// # Errors
/// Where the plan or the request is wrong, a manifest can't be read, or the machine does not let the tool work.
pub fn tune(tuning: &Tuning, starter: &mut dyn Starter, listener: &mut dyn Listener) -> Result<Tuned> {
    let request = Request { matrix: true, ..tuning.request.clone() };
    let asked = Asked::of(&request)?;
    let design = asked.design.as_ref().map(|design| in_words(design, asked.skipped.len())).unwrap_or_default();
    let (run, judgement, folder, mut interrupted) = match &tuning.made {
        Some(made) => (made.clone(), verdict::judge(made), None, false),
        None => {
            let Outcome { run, judgement, folder, interrupted } = run(&request, starter, listener)?;
            (run, judgement, Some(folder), interrupted)
        }
    };
    let advice = advise(&run, &judgement);
    of_this_plan(&advice, &asked.plan)?;
    let patch = patch_of(&asked, &advice)?;
    let settings = written(&advice.recommendation.settings, &patch);
    let mut confirmed = None;
    if tuning.confirm && !interrupted && !settings.is_empty() {
        let request = confirming(&request, &asked.plan, &settings)?;
        let outcome = self::run(&request, starter, listener)?;
        interrupted = outcome.interrupted;
        let change = advise(&outcome.run, &outcome.judgement).cells.iter().find_map(|cell| {
            cell.overall.filter(|_| cell.variant.as_ref().is_some_and(|variant| variant.as_str() == RECOMMENDED))
        });
        confirmed = Some(Confirmed { outcome, settings, change });
    }
    let root = asked.workspace.root.clone();
    Ok(Tuned { run, judgement, folder, design, advice, confirmed, patch, root, interrupted })
}

/// The design, and its resolution as far as cells left out allow.
fn in_words(design: &Design, skipped: usize) -> String {
    let left_out = design.excluded.len() + skipped;
    match design.resolution {
        Some(resolution) if left_out > 0 => {
            format!("{}, resolution {resolution} before {left_out} cells were left out", design.kind.as_str())
        }
        Some(resolution) => format!("{}, resolution {resolution}", design.kind.as_str()),
        None => design.kind.as_str().to_owned(),
    }
}

/// A run of another plan, or a stranger's, may recommend what nobody here has put into the matrix: nothing of that is written down.
fn of_this_plan(advice: &Advice, plan: &Plan) -> Result<()> {
    for (knob, value) in &advice.recommendation.settings {
        let mut known = plan.matrix.axes.iter().flat_map(|axis| &axis.values);
        if !known.any(|setting| setting.knob().as_str() == knob && setting.value() == *value) {
            let text = format!(
                "the run is not of this plan's matrix: it recommends {knob}={value}, which [matrix] does not have"
            );
            return Err(usage(text).into());
        }
    }
    Ok(())
}

fn patch_of(asked: &Asked<'_>, advice: &Advice) -> Result<Patch> {
    let mut settings = advice.recommendation.settings.clone();
    if let (false, Some(profile)) = (settings.is_empty(), advice.baseline.get("profile")) {
        // What was measured was built with this profile: its keys are the ones to set.
        settings.entry("profile".to_owned()).or_insert_with(|| profile.clone());
    }
    let evidence = advice.recommendation.why.iter().filter(|reason| reason.taken).filter_map(|reason| {
        let Mean { change, cases } = reason.change?;
        let shown = |share| crate::units::signed_percent(share, 1);
        let (estimate, low, high) = (shown(change.estimate), shown(change.low), shown(change.high));
        let bare = reason.value == "true" || reason.value == "false" || reason.value.parse::<u32>().is_ok();
        let value = if bare { reason.value.clone() } else { format!("{:?}", reason.value) };
        let line = format!("{} = {value}: {estimate} ({low} to {high}) over {cases} cases", reason.knob);
        Some((reason.knob.clone(), line))
    });
    let wanted = Wanted { settings, evidence: evidence.collect() };
    Ok(patch::patch(&wanted, &manifests::read(asked)?)?)
}

/// The settings that the patch can write down.
fn written(settings: &Settings, patch: &Patch) -> Settings {
    let by_hand = |knob: &String| !patch::is_written(knob) || patch.by_hand.iter().any(|note| note.knob == *knob);
    settings.iter().filter(|(knob, _)| !by_hand(knob)).map(|(knob, value)| (knob.clone(), value.clone())).collect()
}

/// The request that measures the baseline and the recommended build alone.
fn confirming(request: &Request, plan: &Plan, settings: &Settings) -> Result<Request> {
    let baseline = plan.variant(&plan.baseline).ok_or_else(|| usage("the plan has no baseline"))?;
    let mut recommended = with(baseline, plan, settings);
    recommended.name = RECOMMENDED.parse().map_err(usage)?;
    let budget = request.budget.unwrap_or(plan.measure.budget);
    Ok(Request {
        these: vec![baseline.clone(), recommended],
        budget: Some((budget / CONFIRMING).max(LEAST)),
        variants: Vec::new(),
        matrix: false,
        resume: None,
        ..request.clone()
    })
}

/// A variant with these settings of the matrix.
fn with(baseline: &Variant, plan: &Plan, settings: &BTreeMap<String, String>) -> Variant {
    let known = plan.matrix.axes.iter().flat_map(|axis| &axis.values);
    let taken =
        known.filter(|setting| settings.get(setting.knob().as_str()).is_some_and(|value| *value == setting.value()));
    taken.fold(baseline.clone(), |variant, setting| variant.with(setting))
}
