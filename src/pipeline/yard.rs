//! The yard: where cells are built, several at once, and none that the cache holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::preview::State;
use super::stage::Demand;
use super::training::School;
use crate::build::{Builder, Key, Made, Profiling, Tree};
use crate::matrix::Cell;
use crate::measure::{Seat, Starter, Worker};
use crate::plan::TrainingPlan;
use crate::process::{Interrupted, Jobs};
use crate::progress::{Event, Listener};

/// The most cells that are built at once: linking with LTO takes gigabytes.
const LANES: usize = 4;

/// What is built, and how.
pub(super) struct Yard<'a> {
    pub(super) cells: &'a [Cell],
    /// Per cell its source tree.
    trees: Vec<&'a Tree>,
    /// Per cell the name of what it makes, or why it can't be made.
    keys: Vec<Result<Key, String>>,
    own: PathBuf,
    training: &'a TrainingPlan,
    /// How long a worker may take to answer in training.
    timeout: Duration,
    /// How many may compute at once.
    jobs: usize,
}

/// What a lane says to the one thread that listens.
enum Told {
    Started(usize),
    Line(String),
    Ended(usize, Box<Result<Made>>),
}

impl<'a> Yard<'a> {
    /// Where `cells` are built, each of its source tree.
    pub(super) fn new(cells: &'a [Cell], trees: Vec<&'a Tree>, demand: &Demand<'a>) -> Self {
        let Demand { workspace, training, timeout, jobs, .. } = *demand;
        let mut yard = Self { cells, trees, keys: Vec::new(), own: workspace.own(), training, timeout, jobs };
        // A key is made of all sources, and for a guided build of what its tools say of themselves: once is enough.
        yard.keys = (0..cells.len()).map(|cell| yard.key(cell).map_err(|error| format!("{error:#}"))).collect();
        yard
    }

    /// Per cell what it made, or why not. What the cache holds is not built; cells that share cargo's target folder are built one
    /// after another, others side by side.
    ///
    /// # Errors
    /// Where the tool is asked to end.
    pub(super) fn build(&self, starter: &mut dyn Starter, listener: &mut dyn Listener) -> Result<Vec<Result<Made>>> {
        let mut made: Vec<Option<Result<Made>>> =
            (0..self.cells.len()).map(|cell| self.known(cell).transpose()).collect();
        let open = self.distinct(&made);
        let groups = self.groups(&open)?;
        let (lanes, queue) = (groups.len().min(self.jobs).min(LANES), Mutex::new(groups));
        let (starter, jobs) = (Mutex::new(starter), Jobs::new(self.jobs)?);
        let mut begun = 0;
        thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let mut running = Vec::new();
            for _ in 0..lanes {
                let (tell, queue, starter, jobs) = (tell.clone(), &queue, &starter, &jobs);
                running.push(scope.spawn(move || self.lane(queue, jobs, starter, &tell)));
            }
            drop(tell);
            for told in told {
                match told {
                    Told::Line(line) => listener.event(&Event::BuildLine(&line)),
                    Told::Started(cell) => {
                        let Cell { source, variant, .. } = &self.cells[cell];
                        let (variant, source) = (&variant.name, &*source.to_string());
                        listener.event(&Event::BuildStarted { at: begun, of: open.len(), variant, source });
                        begun += 1;
                    }
                    Told::Ended(cell, result) => {
                        if let Ok(made) = &*result {
                            let (variant, cost) = (&self.cells[cell].variant.name, made.cost);
                            listener.event(&Event::BuildFinished {
                                variant,
                                cached: made.cached,
                                elapsed: cost.elapsed,
                            });
                        }
                        made[cell] = Some(*result);
                    }
                }
            }
            // A lane that panicked loses its cells, not those of the others.
            running.into_iter().for_each(|lane| drop(lane.join()));
        });
        for (cell, made) in made.iter_mut().enumerate().filter(|(_, made)| made.is_none()) {
            // The same build as another cell's, which stands ready now.
            *made = self.known(cell).transpose();
        }
        if made.iter().flatten().any(|made| made.as_ref().is_err_and(anyhow::Error::is::<Interrupted>)) {
            return Err(Interrupted.into());
        }
        let lost = || Err(anyhow!("building it, or the equal variant before it, failed"));
        Ok(made.into_iter().map(|made| made.unwrap_or_else(lost)).collect())
    }

    /// The cells that are still to be made, each build once.
    fn distinct(&self, made: &[Option<Result<Made>>]) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let open = (0..made.len()).filter(|cell| made[*cell].is_none());
        open.filter(|cell| self.keys[*cell].as_ref().is_ok_and(|key| seen.insert(key))).collect()
    }

    /// What the cache holds of a cell.
    fn known(&self, cell: usize) -> Result<Option<Made>> {
        self.trees[cell].find(self.named(cell)?, &self.cells[cell].variant)
    }

    fn named(&self, cell: usize) -> Result<&Key> {
        self.keys[cell].as_ref().map_err(|why| anyhow!("{why}"))
    }

    /// How far every cell is.
    pub(super) fn states(&self) -> Vec<State> {
        let states = (0..self.cells.len()).map(|cell| self.state(cell));
        states.map(|state| state.unwrap_or_else(|error| State::Fails(format!("{error:#}")))).collect()
    }

    fn state(&self, cell: usize) -> Result<State> {
        let key = self.named(cell)?;
        if let Some(like) = self.keys[..cell].iter().position(|other| other.as_ref() == Ok(key)) {
            return Ok(State::Like(like));
        }
        Ok(match self.known(cell)? {
            Some(made) => State::Ready(made.cost),
            None => State::Build(self.trees[cell].last_cost(&self.cells[cell].variant.name)?),
        })
    }

    fn key(&self, cell: usize) -> Result<Key> {
        let variant = &self.cells[cell].variant;
        let guided = (variant.pgo || variant.bolt).then(|| self.school(cell).curriculum(variant)).transpose()?;
        self.trees[cell].key(variant, guided.as_deref())
    }

    fn school(&self, cell: usize) -> School<'_> {
        let root = self.trees[cell].root();
        School { root, folder: self.own.join("pgo"), plan: self.training, timeout: self.timeout }
    }

    /// The cells by cargo's target folder. The largest groups come first, so that no lane is left with one at the end.
    fn groups(&self, cells: &[usize]) -> Result<VecDeque<Vec<usize>>> {
        let mut groups: BTreeMap<(PathBuf, bool), Vec<usize>> = BTreeMap::new();
        for cell in cells {
            let variant = &self.cells[*cell].variant;
            // What counts and what is guided by counts has folders of its own.
            groups.entry((self.trees[*cell].target(variant)?, variant.pgo)).or_default().push(*cell);
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        let builds = |cell: &usize| if self.cells[*cell].variant.pgo { 2 } else { 1 };
        groups.sort_by_key(|group| (std::cmp::Reverse(group.iter().map(builds).sum::<usize>()), group[0]));
        Ok(groups.into())
    }

    fn lane(
        &self,
        queue: &Mutex<VecDeque<Vec<usize>>>,
        jobs: &Jobs,
        starter: &Mutex<&mut dyn Starter>,
        tell: &Sender<Told>,
    ) {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        while let Some(group) = next() {
            for cell in group {
                // Whoever listens is there until all lanes have ended.
                let _ = tell.send(Told::Started(cell));
                let made = self.make(cell, jobs, &mut Shared(starter), &mut Forward(tell));
                let _ = tell.send(Told::Ended(cell, Box::new(made)));
            }
        }
    }

    fn make(&self, cell: usize, jobs: &Jobs, starter: &mut dyn Starter, listener: &mut dyn Listener) -> Result<Made> {
        // An equal cell may have been built meanwhile.
        if let Some(made) = self.known(cell)? {
            return Ok(made);
        }
        let (variant, builder) = (&self.cells[cell].variant, Builder::new(self.trees[cell], jobs));
        let key = self.named(cell)?;
        if variant.pgo || variant.bolt {
            let (artifacts, training) = self.school(cell).build(&builder, variant, starter, listener)?;
            return builder.finish(key, artifacts, Some(training));
        }
        let mut told = |line: &str| listener.event(&Event::BuildLine(line));
        let artifacts = builder.build(variant, &Profiling::None, &mut told)?;
        builder.finish(key, artifacts, None)
    }
}

/// The starter that all lanes use: it is theirs for as long as a start takes.
struct Shared<'m, 's>(&'m Mutex<&'s mut dyn Starter>);

impl Starter for Shared<'_, '_> {
    fn start(&mut self, seat: &Seat<'_>) -> Result<Box<dyn Worker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).start(seat)
    }
}

/// Hands what cargo says on to the thread that listens.
struct Forward<'t>(&'t Sender<Told>);

impl Listener for Forward<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::BuildLine(line) = event {
            let _ = self.0.send(Told::Line((*line).to_owned()));
        }
    }
}
