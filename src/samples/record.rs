//! A run as it grows: one record per line of its journal, so that a run killed at any moment loses the round in flight alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CaseId, Failure, Measurement, Metric, Profile, Round, Run};

/// One step in the life of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The run begins: everything but what was measured.
    Begin(Box<Run>),
    /// A case is calibrated; its rounds follow.
    Case(Box<Measurement>),
    /// A round of a case ended.
    Round {
        /// Which case.
        case: CaseId,
        /// What it yielded.
        round: Round,
    },
    /// Counting rounds of a case ended.
    Counted {
        /// Which case.
        case: CaseId,
        /// Per arm, the values per metric.
        counted: Vec<BTreeMap<Metric, Vec<f64>>>,
        /// Per arm, draws of the distributions that it reports.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        observed: Vec<BTreeMap<String, Vec<f64>>>,
        /// What could not be counted, and why.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        absent: BTreeMap<String, String>,
    },
    /// Sampling rounds of a case ended.
    Profiled {
        /// Which case.
        case: CaseId,
        /// Where the time went in each arm that was sampled.
        profiles: Vec<Profile>,
    },
    /// Something could not be measured.
    Failure(Failure),
    /// All that was asked has been done.
    End,
}

impl Run {
    /// Takes one record in.
    ///
    /// # Errors
    /// Where the record does not fit what came before: a round of a case that never began.
    pub fn apply(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Begin(_) => return Err("a run begins once".to_owned()),
            Record::Case(measurement) => {
                // A case that is calibrated again starts again.
                self.measurements.retain(|known| known.case != measurement.case);
                self.measurements.push(*measurement);
            }
            Record::Round { case, round } => self.of(&case)?.rounds.push(round),
            Record::Counted { case, counted, observed, absent } => {
                let measurement = self.of(&case)?;
                (measurement.counted, measurement.observed, measurement.absent) = (counted, observed, absent);
            }
            Record::Profiled { case, profiles } => self.of(&case)?.profiles = profiles,
            Record::Failure(failure) => self.failures.push(failure),
            Record::End => self.complete = true,
        }
        Ok(())
    }

    fn of(&mut self, case: &CaseId) -> Result<&mut Measurement, String> {
        let found = self.measurements.iter_mut().find(|measurement| measurement.case == *case);
        found.ok_or_else(|| format!("a record of {case}, which never began"))
    }
}

/// The run that a journal tells of.
///
/// # Errors
/// Where the journal does not begin with [`Record::Begin`], or a record does not fit.
pub fn replay(records: impl IntoIterator<Item = Record>) -> Result<Run, String> {
    let mut records = records.into_iter();
    let Some(Record::Begin(run)) = records.next() else {
        return Err("the journal does not say what the run is".to_owned());
    };
    let mut run = *run;
    records.try_for_each(|record| run.apply(record))?;
    Ok(run)
}
