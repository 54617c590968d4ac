//! `cargo perfplan run`.

use std::ffi::OsString;

use anyhow::{Context, Result};

use super::against::Against;
use super::args::{OutputArgs, RunArgs};
use super::bar::Bar;
use super::console::Console;
use super::judged::{self, Shown};
use super::{Exit, baseline};
use crate::measure::Processes;
use crate::pipeline::{self, Outcome, Request, Resume, Usage};
use crate::process::Spec;
use crate::samples::Run;
use crate::verdict::{self, Judgement};

/// `words` are the arguments as they were given: a shard's record says how the others are measured.
pub(super) fn run(arguments: RunArgs, words: &[OsString], console: &Console) -> Result<Exit> {
    let RunArgs { choice, scope, own_gate, handicap, save, resume, claims_only, strict, output } = arguments;
    let folder = std::env::current_dir().context("finding the current folder")?;
    // A name that can't be saved under is found out now, not after the measuring.
    let save = save.as_deref().map(baseline::named).transpose()?;
    if save.is_some() {
        baseline::repository(&folder)?;
        if scope.shard.is_some() {
            return Err(Usage(baseline::PARTIAL.to_owned()).into());
        }
    }
    let against = scope.against.map(|name| Against::of(&folder, &name)).transpose()?;
    let request = Request {
        base: against.as_ref().and_then(Against::revision),
        judge: against.as_ref().and_then(Against::judge).filter(|_| !own_gate),
        handicaps: handicap,
        shard: scope.shard,
        claims_only,
        command: whole(words),
        resume: resume.map(|id| id.map_or(Resume::Latest, Resume::Run)),
        ..choice.request(folder.clone())
    };
    let mut bar = Bar::new(console);
    let outcome = pipeline::run(&request, &mut Processes, &mut bar);
    bar.finish();
    let mut outcome = outcome?;
    let judgement = match &against {
        Some(Against::Stored(old)) => {
            outcome.run.against = judged::stored(old);
            against_stored(old, &outcome.run)?
        }
        _ => outcome.judgement.clone(),
    };
    let shown = Shown { run: &outcome.run, judgement: &judgement, differences: Vec::new() };
    shown.print(console, &output)?;
    shown.write(&outcome.folder)?;
    ended(&outcome, &output, console);
    if let Some(name) = save {
        baseline::save(&folder, &name, &outcome.run, console)?;
    }
    Ok(if outcome.interrupted { Exit::Interrupted } else { Exit::of(&judgement, strict) })
}

/// The command line that asks for all of a divided run: without what is this shard's alone, its number, where its report goes,
/// and which of its runs it goes on with.
fn whole(words: &[OsString]) -> String {
    const OWN: [&str; 4] = ["--shard", "--out", "--format", "--resume"];
    let mut kept = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        match &*word.to_string_lossy() {
            "--resume" => drop(words.next_if(|next| !next.as_encoded_bytes().starts_with(b"-"))),
            option if OWN.contains(&option) => drop(words.next()),
            option if option.split_once('=').is_some_and(|(option, _)| OWN.contains(&option)) => {}
            // Filters follow, which need no such sign; an option put behind it would be one of them.
            "--" => {}
            _ => kept.push(word),
        }
    }
    Spec::new("cargo").arg("perfplan").args(kept).command_line()
}

fn against_stored(old: &Run, new: &Run) -> Result<Judgement> {
    judged::refuse_other_machine(old, new, false)?;
    Ok(verdict::judge_stored(old, new, verdict::BETWEEN_RUNS))
}

fn ended(outcome: &Outcome, output: &OutputArgs, console: &Console) {
    if outcome.interrupted {
        console.say(&format!("interrupted; what was measured is kept: cargo perfplan run --resume={}", outcome.run.id));
    } else if output.out.is_none() {
        console.say(&format!("the run and its plots: {}", outcome.folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_of_a_divided_run_is_asked_for_without_its_shard_and_in_words_that_a_shell_takes() {
        let of = |words: &[&str]| whole(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["run", "--matrix", "--shard", "2/3"]), "cargo perfplan run --matrix");
        assert_eq!(of(&["run", "--shard=2/3", "--quick", "--resume=x"]), "cargo perfplan run --quick");
        assert_eq!(of(&["run", "--resume", "--shard", "1/2", "--", "a*"]), "cargo perfplan run 'a*'");
        assert_eq!(of(&["run", "--out", "x", "--format=json", "y"]), "cargo perfplan run y");
        assert_eq!(of(&["run", "--resume", "x", "--handicap", "a=2%"]), "cargo perfplan run --handicap a=2%");
    }
}
