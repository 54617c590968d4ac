//! The steps of a plan on GitHub: what does not hold stands open, what holds is folded.

use crate::report::markdown::{Section, code, prose};
use crate::report::numbers::counted;
use crate::verdict::Holds;

use super::view::{ClaimLine, StepView};
use super::words::{mark, word};

/// The steps, their claims that are not confirmed, and those that are.
pub(in crate::report) fn sections(steps: &[StepView]) -> [Option<Section>; 3] {
    [table(steps), open(steps), folded(steps)]
}

fn table(steps: &[StepView]) -> Option<Section> {
    let open = "\n#### Steps of the plan\n\n| outcome | step | before → after | change | interval |\n\
                | :-- | :-- | --: | --: | :-: |\n";
    Section::new(open.to_owned(), steps.iter().map(row).collect(), "", "step")
}

fn row(step: &StepView) -> String {
    let texts = [&step.about, &step.known].into_iter().filter(|text| !text.is_empty());
    let about: String = texts.map(|text| format!("<br><sub>{}</sub>", prose(text))).collect();
    let values = step.values.as_ref().map_or_else(String::new, |(before, after)| match before.as_str() {
        "" => after.clone(),
        before => format!("{before} → {after}"),
    });
    let interval = step.interval.as_ref().map_or_else(String::new, |(low, high)| format!("{low} … {high}"));
    format!("| {} | {}{about} | {values} | {} | {interval} |\n", outcome(step.holds), code(&step.id), step.change)
}

fn outcome(holds: Holds) -> String {
    match holds {
        Holds::Confirmed => format!("{} {}", mark(holds), word(holds)),
        Holds::Undecided | Holds::Refuted => format!("{} **{}**", mark(holds), word(holds)),
    }
}

/// The claims of all steps, each with its step.
fn claims(steps: &[StepView]) -> impl Iterator<Item = (&StepView, &ClaimLine)> {
    steps.iter().flat_map(|step| step.claims.iter().map(move |claim| (step, claim)))
}

fn open(steps: &[StepView]) -> Option<Section> {
    let mut wanted: Vec<_> = claims(steps).filter(|(_, claim)| claim.holds != Holds::Confirmed).collect();
    wanted.sort_by_key(|(_, claim)| std::cmp::Reverse(claim.holds));
    let row = |(step, claim): (&StepView, &ClaimLine)| {
        let (id, text) = (code(&step.id), code(&claim.claim));
        format!("| {} | {id} | {text} | {} | {} |\n", outcome(claim.holds), claim.measured, prose(&claim.reason))
    };
    let open = "\n| outcome | step | claim | measured | why |\n| :-- | :-- | :-- | :-- | :-- |\n";
    Section::new(open.to_owned(), wanted.into_iter().map(row).collect(), "", "claim")
}

fn folded(steps: &[StepView]) -> Option<Section> {
    let held: Vec<_> = claims(steps).filter(|(_, claim)| claim.holds == Holds::Confirmed).collect();
    let open = format!(
        "\n<details><summary>{}</summary>\n\n| step | claim | measured |\n| :-- | :-- | :-- |\n",
        counted(held.len(), "confirmed claim")
    );
    let row = |(step, claim): (&StepView, &ClaimLine)| {
        format!("| {} | {} | {} |\n", code(&step.id), code(&claim.claim), claim.measured)
    };
    Section::new(open, held.into_iter().map(row).collect(), "\n</details>\n", "claim")
}
