//! Builds that are guided by a profile: build to count, train, merge, build again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::build::pgo::{self, Diagnostics, Search};
use crate::build::{Artifact, Builder, Order, Profiling};
use crate::git;
use crate::measure::{Course, Starter, train};
use crate::plan::{TrainingPlan, Variant};
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
    /// Builds `orders` as `variant` says, guided by a profile of their training. A training of the same programs on the same
    /// cases is not repeated.
    pub(super) fn build(
        &self,
        builder: &Builder,
        variant: &Variant,
        orders: &[Order],
        starter: &mut dyn Starter,
        listener: &mut dyn Listener,
    ) -> Result<(Vec<Artifact>, bool, Training)> {
        // Before minutes of building: without the tool that merges, all of it would be in vain.
        let tool = Search::of(self.root).find()?;
        let mut told = |line: &str| listener.event(&Event::BuildLine(line));
        let (counting, _) = builder.build(variant, &Profiling::Train, orders, &mut told)?;
        let folder = self.folder.join(self.key(&tool, &counting, variant)?);
        let known = fs::read(folder.join(RECORD)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut training: Training = match known {
            Some(training) => training,
            None => self.train(&tool, &folder, &counting, variant, starter)?,
        };
        let profile = folder.join(format!("{}.profdata", training.profile));
        let mut diagnostics = Diagnostics::default();
        let (made, fresh) = builder.build(variant, &Profiling::Use(profile.clone()), orders, &mut |line| {
            diagnostics.take(&profile, line);
            listener.event(&Event::BuildLine(line));
        })?;
        if let Some(why) = diagnostics.unread {
            bail!("the compiler could not use the profile {}: {why}", profile.display());
        }
        training.mismatched = diagnostics.mismatched.len() as u64;
        training.lost = diagnostics.lost(&pgo::ran(&tool, &profile)?).count() as u64;
        Ok((made, fresh, training))
    }

    /// All that decides what a training yields.
    fn key(&self, tool: &pgo::Profdata, counting: &[Artifact], variant: &Variant) -> Result<String> {
        let programs: Vec<String> = counting.iter().map(|artifact| artifact.program.display().to_string()).collect();
        let cases = format!("{:?}", self.plan.cases);
        git::content_id(&serde_json::to_vec(&(programs, cases, self.plan.size.as_str(), &variant.env, &tool.version))?)
    }

    fn train(
        &self,
        tool: &pgo::Profdata,
        folder: &Path,
        counting: &[Artifact],
        variant: &Variant,
        starter: &mut dyn Starter,
    ) -> Result<Training> {
        let raw = folder.join("counts");
        // A training that was broken off has left counts of programs that were killed.
        let _ = fs::remove_dir_all(&raw);
        fs::create_dir_all(&raw).with_context(|| format!("creating {}", raw.display()))?;
        let (cases, mut warnings) = self.run(&raw, counting, variant, starter)?;
        if cases.is_empty() {
            bail!("no case matches `train` in [pgo], so there is nothing to train on{}", list(&warnings));
        }
        let merged = pgo::merge(tool, &raw, folder)?;
        warnings.extend(merged.warnings());
        let name = merged.profile.file_stem().and_then(|name| name.to_str()).context("a profile without a name")?;
        let training = Training {
            profile: name.to_owned(),
            cases,
            size: self.plan.size.as_str().to_owned(),
            functions: merged.coverage.functions,
            ran: merged.coverage.ran,
            mismatched: 0,
            lost: 0,
            warnings,
        };
        fs::write(folder.join(RECORD), serde_json::to_vec(&training)?).context("recording a training")?;
        fs::remove_dir_all(&raw).context("clearing what a training counted")?;
        Ok(training)
    }

    /// Runs the training cases of all programs.
    fn run(
        &self,
        raw: &Path,
        counting: &[Artifact],
        variant: &Variant,
        starter: &mut dyn Starter,
    ) -> Result<(Vec<CaseId>, Vec<String>)> {
        // One file per program and process.
        let file = raw.join("%m-%p.profraw").display().to_string();
        let mut env: Vec<(String, String)> = variant.env.clone().into_iter().collect();
        env.push((Profiling::FILE.to_owned(), file));
        let (mut cases, mut warnings) = (Vec::new(), Vec::new());
        for artifact in counting {
            let course = Course {
                program: &artifact.program,
                workload: &artifact.workload,
                env: &env,
                size: self.plan.size.as_str(),
                timeout: self.timeout,
            };
            let (ran, failed) = train(starter, &course, &|case| self.plan.cases.matches(case))?;
            cases.extend(ran);
            warnings.extend(failed);
        }
        Ok((cases, warnings))
    }
}

fn list(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("\n  {warning}")).collect()
}
