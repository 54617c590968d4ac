//! A case as it was measured: arms, rounds, batches; or why it could not be.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseId, Metric, Profile, Shard, VariantName};

/// What [`Arm::revision`] says of sources that are not a commit's.
pub const WORKING_TREE: &str = "working tree";

/// Case x variant x revision: the thing that gets timed. (The case is the measurement's.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// How it was built.
    pub variant: VariantName,
    /// What it runs, where that is another case than the measurement's: the two sides of a plan's step do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// How many operations one iteration does, where the case says so.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub operations: u64,
    /// How the variant differs from the plain release profile, in the plan's words: `lto` is `fat`, `pgo` is `true`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub knobs: BTreeMap<String, String>,
    /// Which source: `working tree`, or the commit's full id.
    pub revision: String,
    /// The arm that it is compared with, by its index; `None` for a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<usize>,
    /// Extra iterations really done and not reported, as a share: 0.02 is 2 %. 0 outside self-tests and drills.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handicap: f64,
    /// Whether it is measured against its baseline though it is the same code: self-tests do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_test: bool,
    /// Identity of the machine code: equal ids are equal code. Empty for commands that were not built here.
    pub code: String,
    /// Whether results may differ from the baseline's: such arms are left out of the checksum comparison.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_results: bool,
    /// Environment variables that it runs with, beside the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Why no fresh layout is drawn per round; `None` where one is.
    #[serde(default)]
    pub no_layout: Option<String>,
    /// Sizes of the binary's sections and the like, one value each.
    #[serde(default)]
    pub sizes: BTreeMap<Metric, f64>,
    /// The training behind a build that is guided by a profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
}

/// What a profile-guided build was trained on, and how well the profile fitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Training {
    /// Content address of the profile.
    pub profile: String,
    /// The cases that ran.
    pub cases: Vec<CaseId>,
    /// How large they were set up.
    pub size: String,
    /// Functions that had counters.
    pub functions: u64,
    /// Functions that ran.
    pub ran: u64,
    /// Functions whose code was not that of the profile any more, so that it was not used for them.
    pub mismatched: u64,
    /// Functions that ran in training and have no counterpart in the final build.
    pub lost: u64,
    /// What was left out of the profile, and why.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Arm {
    /// A baseline of the working tree, of which nothing more is known.
    #[must_use]
    pub fn plain(variant: VariantName) -> Self {
        Self {
            variant,
            case: None,
            operations: 1,
            knobs: BTreeMap::new(),
            revision: WORKING_TREE.to_owned(),
            against: None,
            handicap: 0.0,
            self_test: false,
            code: String::new(),
            other_results: false,
            env: BTreeMap::new(),
            no_layout: None,
            sizes: BTreeMap::new(),
            training: None,
        }
    }

    /// Whether both are the same machine code, run in the same way. Code that nobody knows is like no other.
    #[must_use]
    pub fn is_same_code(&self, other: &Self) -> bool {
        !self.code.is_empty() && self.code == other.code && self.env == other.env
    }
}

impl Measurement {
    /// How long an iteration takes, in nanoseconds: the mean over everything that was timed. `None` before anything was.
    #[must_use]
    pub fn iteration_ns(&self) -> Option<f64> {
        let batches = |round: &Round| {
            round.arms.iter().map(|arm| arm.batches.values().map(Vec::len).max().unwrap_or(0)).sum::<usize>()
        };
        let iterations = self.rounds.iter().map(batches).sum::<usize>() as f64 * self.iterations as f64;
        let inside: u64 = self.rounds.iter().map(|round| round.inside_ns).sum();
        (iterations > 0.0).then(|| inside as f64 / iterations)
    }

    /// Whether the machine counted instructions in the timed rounds.
    #[must_use]
    pub fn has_hardware_instructions(&self) -> bool {
        let arms = self.rounds.iter().flat_map(|round| &round.arms);
        arms.flat_map(|arm| arm.batches.keys()).any(|metric| metric.as_str() == "instructions")
    }

    /// The pairs that are compared: candidate and its baseline.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.arms.iter().enumerate().filter_map(|(at, arm)| Some((at, arm.against?)))
    }
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(value: &u64) -> bool {
    *value == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// All that was recorded of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// Which case.
    pub case: CaseId,
    /// The part of a merged run that it is from: baselines of two parts are two arms, on two machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
    /// The arms; each says which of them it is compared with.
    pub arms: Vec<Arm>,
    /// Iterations per batch, the same for all arms.
    pub iterations: u64,
    /// Iterations before the first batch of every process, the same for all arms.
    pub warm_up: u64,
    /// Threads that the work uses.
    pub threads: usize,
    /// One entry per round, in the order measured.
    pub rounds: Vec<Round>,
    /// Metrics from rounds of their own (allocation counts), which disturb timing: per arm, one value per round.
    #[serde(default)]
    pub counted: Vec<BTreeMap<Metric, Vec<f64>>>,
    /// Draws of distributions that the cases report, from the counting rounds: per arm and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<BTreeMap<String, Vec<f64>>>,
    /// What could not be counted or sampled here, and why: `syscalls`, `profile`, `callgrind.instructions`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<String, String>,
    /// Where the time went, from sampling rounds: of the arms that a change or a claim asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
}

/// One fresh process per arm, measured together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Round {
    /// From the first start to the last end, in nanoseconds.
    pub elapsed_ns: u64,
    /// Time inside timed batches, dropped ones too, in nanoseconds.
    pub inside_ns: u64,
    /// Blocks that were disturbed and left out, for all arms at once.
    pub dropped: u32,
    /// What each arm that took part yielded.
    pub arms: Vec<ArmRound>,
}

/// What one process yielded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmRound {
    /// Index into [`Measurement::arms`].
    pub arm: usize,
    /// The link order drawn, by its seed; `None` where the program was run as it was built.
    pub layout: Option<u64>,
    /// Digest of a batch's results, hexadecimal.
    pub checksum: String,
    /// Per metric one value per kept block, in the same order in all arms of the round. Times are for the whole batch.
    pub batches: BTreeMap<Metric, Vec<f64>>,
    /// Per metric one value for the whole process: `rss.peak`, `faults.major`, ...
    pub process: BTreeMap<Metric, f64>,
}

/// A variant that was not built, because the machine or its tools can't, or because this run was not asked for it while steps of
/// the plan need it: no failure of anybody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Which variant.
    pub variant: VariantName,
    /// What is lacking, and how to get it where that is possible; or what goes without it.
    pub why: String,
}

/// A case, or one arm of it, that could not be measured. The rest of the run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What failed: `build of variant fat`, `case generator::redb/cached, variant native`.
    pub what: String,
    /// Why, in full.
    pub why: String,
    /// The command that shows the failure again, where there is one.
    pub command: Option<String>,
    /// The case that it concerns, where it concerns one alone.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// The arm of that case that takes no part any more; `None` where the whole case is lost.
    #[serde(default)]
    pub arm: Option<usize>,
    /// The part of a merged run that it is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Shard>,
}
