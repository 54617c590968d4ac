//! `[[step]]`: two cases, and what the plan says of them.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{known, unique};
use crate::plan::claim::{self, Claim};
use crate::plan::fault::Fault;
use crate::plan::step::{Sentence, Step};
use crate::plan::values::{CaseName, Line, Name, Slug, Text};
use crate::plan::variant::Variant;
use crate::samples::CaseId;

/// The most steps of a plan: each is measured.
const MOST_STEPS: usize = 200;
/// The most claims of a step.
const MOST_CLAIMS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct WireStep {
    id: Spanned<Text<Slug>>,
    title: Option<Text<Line>>,
    before: Option<Spanned<Text<CaseName>>>,
    after: Option<Spanned<Text<CaseName>>>,
    case: Option<Spanned<Text<CaseName>>>,
    variant: Option<Spanned<Text<Name>>>,
    claims: Spanned<Vec<Spanned<String>>>,
    plan: Option<Text<Line>>,
    expect: Option<Text<Line>>,
}

/// The steps; `text` is the file that they stand in, `variants` are the plan's.
pub(super) fn steps(wires: Vec<Spanned<WireStep>>, variants: &[Variant], text: &str) -> Result<Vec<Step>, Fault> {
    if let Some(beyond) = wires.get(MOST_STEPS) {
        let problem = format!("more than {MOST_STEPS} steps");
        return Err(Fault::at(beyond, problem, "measure the rest by another plan: cargo perfplan run --plan FILE"));
    }
    let names = wires.iter().map(|wire| &wire.get_ref().id).map(|id| (id.get_ref().0.clone(), id.span()));
    unique(names, |id| format!("two steps are called {id:?}"), r#"give each its own: id = "...""#)?;
    wires.into_iter().map(|wire| step(wire, variants, text)).collect()
}

fn step(wire: Spanned<WireStep>, variants: &[Variant], text: &str) -> Result<Step, Fault> {
    let span = wire.span();
    let WireStep { id, title, before, after, case, variant, claims, plan, expect } = wire.into_inner();
    let variant = variant.map(|name| known(variants, name.get_ref().0.as_str(), name.span())).transpose()?;
    let variant = variant.map(|variant| variant.name.clone());
    let (before, after) = sides(before, after, case, variant.is_some(), span)?;
    let list = claims.span();
    let claims = claims.into_inner();
    if claims.is_empty() {
        let help = r#"say what is expected: claims = ["wall <= 0.70x before"]"#;
        return Err(Fault::new(list, "a step without a claim", help));
    }
    if let Some(beyond) = claims.get(MOST_CLAIMS) {
        return Err(Fault::at(beyond, format!("more than {MOST_CLAIMS} claims"), "make two steps of it"));
    }
    let sentences: Vec<Sentence> =
        claims.iter().map(|claim| sentence(claim, before.is_some(), text)).collect::<Result<_, _>>()?;
    let said = claims.iter().zip(&sentences).map(|(claim, said)| (said.claim.to_string(), claim.span()));
    unique(said, |claim| format!("the claim {claim:?} stands twice"), "remove one of them")?;
    Ok(Step {
        id: id.into_inner().0,
        title: title.map(|title| title.0),
        before,
        after,
        variant,
        claims: sentences,
        plan: plan.map(|plan| plan.0),
        expect: expect.map(|expect| expect.0),
    })
}

/// The cases before and after the step. Built in another way, a case alone is both.
fn sides(
    before: Option<Spanned<Text<CaseName>>>,
    after: Option<Spanned<Text<CaseName>>>,
    case: Option<Spanned<Text<CaseName>>>,
    built_otherwise: bool,
    step: Range<usize>,
) -> Result<(Option<CaseId>, CaseId), Fault> {
    let after = match (after, case) {
        (Some(_), Some(case)) => {
            return Err(Fault::at(&case, "a step has one case after it", "remove case: after says it already"));
        }
        (None, Some(case)) if before.is_some() => {
            return Err(Fault::at(&case, "case is for steps with nothing before them", "call it after"));
        }
        (after, case) => after.or(case).ok_or_else(|| {
            let help = r#"add after = "workload::case", and before = "..." where the claims compare"#;
            Fault::new(step, "a step without a case", help)
        })?,
    };
    let before = before.map(|before| before.into_inner().0);
    if built_otherwise {
        return Ok((Some(before.unwrap_or_else(|| after.get_ref().0.clone())), after.into_inner().0));
    }
    match before.as_ref() == Some(&after.get_ref().0) {
        true => Err(Fault::at(&after, "before and after are the same case", "name the case that has the change")),
        false => Ok((before, after.into_inner().0)),
    }
}

fn sentence(value: &Spanned<String>, has_before: bool, text: &str) -> Result<Sentence, Fault> {
    let said = value.get_ref();
    let claim: Claim = claim::read(said).map_err(|fault| inside(fault, value, text))?;
    if claim.needs_before() && !has_before {
        // Nothing but a percentage can stand behind the last `before`: no name of the claim is taken for it.
        let at = said.rfind("before").unwrap_or(0);
        let help = r#"add before = "workload::case" to the step, or compare with a number"#;
        let fault = Fault::new(at..at + "before".len(), "this step has no case before it", help);
        return Err(inside(fault, value, text));
    }
    Ok(Sentence { text: said.clone(), claim })
}

/// A fault of a string's content at its place in the file. Where the string has escapes, all of it is meant.
fn inside(fault: Fault, value: &Spanned<String>, text: &str) -> Fault {
    let whole = value.span();
    let written = text.get(whole.clone()).unwrap_or("");
    let content = written.find(value.get_ref().as_str()).filter(|_| !value.get_ref().is_empty());
    let span = match (content, fault.span) {
        (Some(at), Some(span)) => whole.start + at + span.start..whole.start + at + span.end,
        _ => whole,
    };
    Fault { span: Some(span), ..fault }
}
