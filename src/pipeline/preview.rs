//! What a run would build and measure, and building without measuring.

use std::time::Duration;

use anyhow::Result;

use super::asked::Asked;
use super::request::Request;
use super::stage::{Demand, Ground};
use crate::build::{self, Cost, Made, Taken};
use crate::matrix::{Cell, Design};
use crate::measure::Starter;
use crate::plan::Workload;
use crate::progress::Listener;
use crate::samples::{Failure, Skipped};

/// What a run would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What would be built and measured, and what there is of it.
    pub cells: Vec<(Cell, State)>,
    /// What can't be built or run here.
    pub skipped: Vec<Skipped>,
    /// How the variants come to be, where they are the plan's matrix.
    pub design: Option<Design>,
    /// What is measured.
    pub workloads: Vec<Workload>,
    /// How many compilers would run at once.
    pub jobs: usize,
    /// How long would be measured.
    pub budget: Duration,
    /// What lies on disk already.
    pub taken: Vec<Taken>,
}

/// How far a cell is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It stands in the cache. What building it cost.
    Ready(Cost),
    /// It resolves to the same build as the cell of this index.
    Like(usize),
    /// It has to be built. What the variant cost the last time, with other sources.
    Build(Option<Cost>),
    /// It can't be built.
    Fails(String),
}

impl Preview {
    /// CPU time that building will take, as far as earlier builds tell, and of how many cells nothing is known.
    #[must_use]
    pub fn building(&self) -> (Duration, usize) {
        let costs = self.cells.iter().filter_map(|(_, state)| match state {
            State::Build(cost) => Some(cost),
            _ => None,
        });
        costs.fold((Duration::ZERO, 0), |(sum, unknown), cost| match cost {
            Some(cost) => (sum + cost.cpu, unknown),
            None => (sum, unknown + 1),
        })
    }
}

/// Looks what a run would do, and does nothing.
///
/// # Errors
/// Where the plan or the request is wrong, or cargo can't be asked.
pub fn preview(request: &Request) -> Result<Preview> {
    let asked = Asked::of(request)?;
    // Looking throws nothing away.
    let demand = Demand { disk_limit: None, ..asked.demand() };
    let ground = Ground::of(&demand, &asked.workloads)?;
    let states = ground.states(&demand);
    let budget = request.budget.unwrap_or(asked.plan.measure.budget);
    let (taken, jobs) = (build::taken(&asked.workspace.own())?, asked.jobs());
    let Asked { skipped, design, workloads, .. } = asked;
    Ok(Preview {
        cells: ground.cells.into_iter().zip(states).collect(),
        skipped,
        design,
        workloads,
        jobs,
        budget,
        taken,
    })
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// Per cell what was made of it, or why not.
    pub cells: Vec<(Cell, Result<Made, Box<Failure>>)>,
    /// What can't be built or run here.
    pub skipped: Vec<Skipped>,
}

/// Builds all that a run would build.
///
/// # Errors
/// Where the plan or the request is wrong, or the tool is asked to end. What can't be built is no error but says so in its cell.
pub fn build(request: &Request, starter: &mut dyn Starter, listener: &mut dyn Listener) -> Result<Built> {
    let asked = Asked::of(request)?;
    let demand = asked.demand();
    let ground = Ground::of(&demand, &asked.workloads)?;
    let made = ground.build(&demand, starter, listener)?;
    Ok(Built { cells: ground.cells.into_iter().zip(made).collect(), skipped: asked.skipped })
}
