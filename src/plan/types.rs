//! What a plan is once it has been read and found sound: plain values, no TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use perfplan_harness::Size;

use super::{Filters, Matrix, PlanError, Step, Variant, Workload, wire};
use crate::samples::{Gate, VariantName, Waiver};

/// A validated plan. Names of workloads, of variants and of steps are unique, and there is at least one variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The file that it was read from; `None` where the defaults alone apply.
    pub path: Option<PathBuf>,
    /// How the run is judged.
    pub gate: Gate,
    /// How the run is measured.
    pub measure: Measure,
    /// What is measured. Empty: every package of the workspace that depends on the harness.
    pub workloads: Vec<Workload>,
    /// How it is built.
    pub building: Building,
    /// What builds that are guided by a profile are trained on.
    pub training: TrainingPlan,
    /// The ways to build, in the order of the file.
    pub variants: Vec<Variant>,
    /// The variant that the others are compared with; one of `variants`.
    pub baseline: VariantName,
    /// Which knobs of the baseline variant are turned where a whole matrix is built.
    pub matrix: Matrix,
    /// The steps whose claims are judged, in the order of the file.
    pub steps: Vec<Step>,
    /// The regressions that were accepted.
    pub waivers: Vec<Waiver>,
}

impl Plan {
    /// The plan that `text` says, laid over the defaults. `name` is what errors call the file.
    ///
    /// # Errors
    /// Where the text is no TOML, has unknown keys, or values that can't be.
    pub fn parse(text: &str, name: &Path) -> Result<Self, PlanError> {
        let plan = wire::read(text).map_err(|fault| PlanError::new(fault, text, name))?;
        Ok(Self { path: Some(name.to_owned()), ..plan })
    }

    /// The variant of this name.
    #[must_use]
    pub fn variant(&self, name: &VariantName) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == *name)
    }
}

/// How builds use the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Building {
    /// How many compilers run at once; as many as there are CPUs where it is `None`.
    pub jobs: Option<u32>,
    /// How much may lie on disk of what was built, bytes.
    pub disk_limit: u64,
}

/// What runs to train a profile-guided build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingPlan {
    /// Which cases; without filters, all.
    pub cases: Filters,
    /// How large they are set up: another size than what is measured tells less of what was learnt by heart.
    pub size: Size,
}

/// How a run is measured. No duration and no number is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Measuring time for a whole run.
    pub budget: Duration,
    /// Measuring time for a whole run that has to be quick.
    pub quick_budget: Duration,
    /// How large the cases are set up.
    pub size: Size,
    /// How long a batch is; one iteration where that is longer.
    pub batch: Duration,
    /// The least time that an arm is measured per round.
    pub round: Duration,
    /// A worker that does not answer for this long is hung.
    pub timeout: Duration,
    /// Whether every round draws a fresh link order.
    pub shuffle_layouts: bool,
    /// The most link orders that are kept per binary.
    pub layouts: usize,
}
