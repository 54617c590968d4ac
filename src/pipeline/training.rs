//! Builds that are guided by a profile: build to count, train, merge, build again; and programs whose code is put in order by
//! one: link again, make them count, train, merge, put in order. Both are trained alike, on the cases of `[pgo]`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::build::bolt::{self, Bolt};
use crate::build::pgo::{self, Diagnostics, Search};
use crate::build::{Artifact, Builder, Profiling};
use crate::git;
use crate::measure::{Course, Starter, train};
use crate::plan::{TrainingPlan, Variant};
use crate::process::FileLock;
use crate::progress::{Event, Listener};
use crate::samples::{CaseId, Training};

/// The file in a training's folder that says what came of it. It is written last.
const RECORD: &str = "training.json";

/// Where and how to train.
pub(super) struct School<'a> {
    /// The folder whose toolchain counts.
    pub(super) root: &'a Path,
    /// The folder of all trainings.
    pub(super) folder: PathBuf,
    pub(super) plan: &'a TrainingPlan,
    pub(super) timeout: Duration,
}

impl School<'_> {
    /// Builds the tree as `variant` says: guided by a profile, its code put in order by BOLT, or both, the compiler's part first.
    /// A training of the same programs on the same cases is not repeated.
    ///
    /// # Errors
    /// Where a tool is missing, a build or a training fails, or BOLT can't process a program: in their own words.
    pub(super) fn build(
        &self,
        builder: &Builder<'_>,
        variant: &Variant,
        starter: &mut dyn Starter,
        listener: &mut dyn Listener,
    ) -> Result<(Vec<Artifact>, Training)> {
        if !variant.bolt {
            return self.guided(builder, variant, starter, listener);
        }
        // Before minutes of building: without the tool, all of it would be in vain.
        let tool = bolt::Search::here().find()?;
        let (plain, guided) = if variant.pgo {
            let (made, training) = self.guided(builder, variant, starter, listener)?;
            (made, Some(training))
        } else {
            (builder.build(variant, &Profiling::None, &mut |line| listener.event(&Event::BuildLine(line)))?, None)
        };
        let (mut made, mut trainings) = (Vec::new(), Vec::new());
        for artifact in &plain {
            let ordered = self.ordered(&tool, artifact, variant, starter);
            let (program, training) = ordered.with_context(|| format!("BOLT and {}", artifact.workload))?;
            let link = Err(bolt::NO_LAYOUT.to_owned());
            made.push(Artifact { link, ..builder.tree().adopt(&artifact.workload, &variant.name, &program)? });
            trainings.push(training);
        }
        Ok((made, as_one(guided, trainings)?))
    }

    /// All that the profile of a variant depends on beside its sources and flags.
    pub(super) fn curriculum(&self, variant: &Variant) -> Result<String> {
        let merger = variant.pgo.then(|| Search::of(self.root).find()).transpose()?.map(|tool| tool.version);
        let bolt = variant.bolt.then(|| bolt::Search::here().find()).transpose()?.map(|tool| tool.version);
        Ok(format!("{:?} {:?} {merger:?} {bolt:?}", self.plan, variant.env))
    }

    /// Builds guided by a profile of a build that counts.
    fn guided(
        &self,
        builder: &Builder<'_>,
        variant: &Variant,
        starter: &mut dyn Starter,
        listener: &mut dyn Listener,
    ) -> Result<(Vec<Artifact>, Training)> {
        let tool = Search::of(self.root).find()?;
        let mut told = |line: &str| listener.event(&Event::BuildLine(line));
        let counting = builder.build(variant, &Profiling::Train, &mut told)?;
        let folder = self.folder.join(self.key(&tool.version, &counting, variant)?);
        let alone = alone(&folder)?;
        let mut training = match recorded(&folder) {
            Some(training) => training,
            None => self.train(&tool, &folder, &counting, variant, starter)?,
        };
        drop(alone);
        let profile = folder.join(format!("{}.profdata", training.profile));
        let mut diagnostics = Diagnostics::default();
        let made = builder.build(variant, &Profiling::Use(profile.clone()), &mut |line| {
            diagnostics.take(&profile, line);
            listener.event(&Event::BuildLine(line));
        })?;
        if let Some(why) = diagnostics.unread {
            bail!("the compiler could not use the profile {}: {why}", profile.display());
        }
        training.mismatched = diagnostics.mismatched.len() as u64;
        training.lost = diagnostics.lost(&pgo::ran(&tool, &profile)?).count() as u64;
        Ok((made, training))
    }

    fn train(
        &self,
        tool: &pgo::Profdata,
        folder: &Path,
        counting: &[Artifact],
        variant: &Variant,
        starter: &mut dyn Starter,
    ) -> Result<Training> {
        let counts = empty(folder.join("counts"))?;
        // One file per program and process.
        let file = counts.join("%m-%p.profraw").display().to_string();
        let lesson = self.run(counting, variant, Some((Profiling::FILE, file)), starter)?;
        let merged = pgo::merge(tool, &counts, folder)?;
        let covered = (merged.coverage.functions, merged.coverage.ran);
        let training = self.account(lesson, &merged.profile, covered, merged.warnings())?;
        record(folder, &training)?;
        fs::remove_dir_all(&counts).context("clearing what a training counted")?;
        Ok(training)
    }

    /// The artifact's program with its code put in order, and what it was trained on: the very program, made to count.
    fn ordered(
        &self,
        tool: &Bolt,
        plain: &Artifact,
        variant: &Variant,
        starter: &mut dyn Starter,
    ) -> Result<(PathBuf, Training)> {
        let link = plain.link.as_ref().map_err(|why| anyhow!("it has to be linked again, with relocations: {why}"))?;
        let key = self.key(&format!("BOLT {}", tool.version), std::slice::from_ref(plain), variant)?;
        let folder = self.folder.join(key);
        let [linked, counting, program] = ["linked", "counting", "ordered"].map(|name| folder.join(name));
        let _alone = alone(&folder)?;
        if let Some(training) = recorded(&folder).filter(|_| program.is_file()) {
            return Ok((program, training));
        }
        let counts = empty(folder.join("counts"))?;
        bolt::relink(link, &linked)?;
        tool.instrument(&linked, &counting, &counts)?;
        let pupil = Artifact { program: counting.clone(), ..plain.clone() };
        let lesson = self.run(&[pupil], variant, None, starter)?;
        let merged = bolt::merge(&counts, &folder)?;
        let coverage = tool.reorder(&linked, &merged.profile, &program)?;
        let covered = (coverage.functions, coverage.ran);
        let training = self.account(lesson, &merged.profile, covered, merged.warnings())?;
        record(&folder, &training)?;
        fs::remove_dir_all(&counts).context("clearing what a training counted")?;
        // They only take room; a training is not repeated.
        let _ = fs::remove_file(&linked).and_then(|()| fs::remove_file(&counting));
        Ok((program, training))
    }

    /// All that decides what a training yields.
    fn key(&self, tool: &str, programs: &[Artifact], variant: &Variant) -> Result<String> {
        let programs: Vec<String> = programs.iter().map(|artifact| artifact.program.display().to_string()).collect();
        let cases = format!("{:?}", self.plan.cases);
        git::content_id(&serde_json::to_vec(&(programs, cases, self.plan.size.as_str(), &variant.env, tool))?)
    }

    /// Runs the training cases of all programs, with a further variable in their environment where they need one to count.
    fn run(
        &self,
        programs: &[Artifact],
        variant: &Variant,
        variable: Option<(&str, String)>,
        starter: &mut dyn Starter,
    ) -> Result<Lesson> {
        let mut env: Vec<(String, String)> = variant.env.clone().into_iter().collect();
        env.extend(variable.map(|(name, value)| (name.to_owned(), value)));
        let mut lesson = Lesson::default();
        for artifact in programs {
            let course = Course {
                program: &artifact.program,
                workload: &artifact.workload,
                env: &env,
                size: self.plan.size.as_str(),
                timeout: self.timeout,
            };
            let (ran, failed) = train(starter, &course, &|case| self.plan.cases.matches(case))?;
            lesson.cases.extend(ran);
            lesson.warnings.extend(failed);
        }
        if lesson.cases.is_empty() {
            let names: Vec<&str> = programs.iter().map(|artifact| artifact.workload.as_str()).collect();
            let (names, why) = (names.join(" or "), list(&lesson.warnings));
            bail!("no case of {names} matches `train` in [pgo], so there is nothing to train on{why}");
        }
        Ok(lesson)
    }

    /// What is told of a training. `covered` are the functions that could run and those that did.
    fn account(&self, lesson: Lesson, profile: &Path, covered: (u64, u64), left_out: Vec<String>) -> Result<Training> {
        let name = profile.file_stem().and_then(|name| name.to_str()).context("a profile without a name")?;
        let (functions, ran) = covered;
        Ok(Training {
            profile: name.to_owned(),
            cases: lesson.cases,
            size: self.plan.size.as_str().to_owned(),
            functions,
            ran,
            mismatched: 0,
            lost: 0,
            warnings: lesson.warnings.into_iter().chain(left_out).collect(),
        })
    }
}

/// What ran in a training, and a sentence for each case that did not.
#[derive(Default)]
struct Lesson {
    cases: Vec<CaseId>,
    warnings: Vec<String>,
}

/// The training that this folder holds, if it came to its end.
fn recorded(folder: &Path) -> Option<Training> {
    fs::read(folder.join(RECORD)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

fn record(folder: &Path, training: &Training) -> Result<()> {
    fs::write(folder.join(RECORD), serde_json::to_vec(training)?).context("recording a training")
}

/// Waits until no other process trains in this folder, and keeps others from it while the value lives.
fn alone(folder: &Path) -> Result<FileLock> {
    let lock = FileLock::open(&folder.with_extension("lock"))?;
    lock.wait_alone()?;
    Ok(lock)
}

/// Makes the folder, without what a training that was broken off has left: counts of programs that were killed.
fn empty(folder: PathBuf) -> Result<PathBuf> {
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}

/// The trainings behind one variant as one. Where the compiler was guided too, the figures are those of its training: BOLT trains
/// what the compiler made, and would count its functions again.
fn as_one(guided: Option<Training>, ordered: Vec<Training>) -> Result<Training> {
    let all: Vec<&Training> = guided.iter().chain(&ordered).collect();
    let (first, rest) = all.split_first().context("nothing was trained")?;
    let mut one = (*first).clone();
    for training in rest {
        let new = training.cases.iter().filter(|case| !first.cases.contains(case));
        one.cases.extend(new.cloned());
        one.warnings.extend(training.warnings.iter().cloned());
        if guided.is_none() {
            one.functions += training.functions;
            one.ran += training.ran;
        }
    }
    if !rest.is_empty() {
        let profiles: Vec<&str> = all.iter().map(|training| training.profile.as_str()).collect();
        one.profile = git::content_id(profiles.join("\n").as_bytes())?;
    }
    Ok(one)
}

fn list(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("\n  {warning}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(profile: &str, case: &str, functions: u64) -> Training {
        Training {
            profile: profile.to_owned(),
            cases: vec![CaseId::new("w", case).unwrap()],
            size: "quick".to_owned(),
            functions,
            ran: functions / 2,
            mismatched: 3,
            lost: 1,
            warnings: vec![format!("of {profile}")],
        }
    }

    #[test]
    fn one_training_is_told_as_it_was() {
        assert_eq!(as_one(None, vec![training("a", "x", 10)]).unwrap(), training("a", "x", 10));
        assert!(as_one(None, Vec::new()).is_err());
    }

    #[test]
    fn programs_in_order_add_up_and_their_profiles_name_one_together() {
        let one = as_one(None, vec![training("a", "x", 10), training("b", "y", 20)]).unwrap();
        assert_eq!((one.functions, one.ran, one.cases.len()), (30, 15, 2));
        assert_eq!(one.warnings, ["of a", "of b"]);
        assert_eq!(one.profile, git::content_id(b"a\nb").unwrap());
    }

    #[test]
    fn what_guided_the_compiler_is_not_counted_again_where_bolt_puts_it_in_order() {
        let one = as_one(Some(training("a", "x", 10)), vec![training("b", "x", 20)]).unwrap();
        assert_eq!((one.functions, one.ran, one.mismatched, one.cases.len()), (10, 5, 3, 1));
        assert_ne!(one.profile, "a");
    }
}
