//! What another tool measured, as a run: it is judged, reported and compared as any.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::asked::usage;
use super::prepare::{head, new_id, now};
use crate::build::Workspace;
use crate::doctor;
use crate::plan::{self, claim::Claim};
use crate::samples::{Arm, ArmRound, CaseId, FORMAT, Gate, Measurement, Metric, Round, Run, Step};
use crate::store::{K6Summary, read_k6};

/// What is to be imported, and under which name.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Summaries of k6: one execution each, of the same test.
    pub files: Vec<PathBuf>,
    /// The case that they are of.
    pub case: CaseId,
    /// What is claimed of it, in the language of claims.
    pub claims: Vec<String>,
}

/// A run out of summaries that k6 wrote, one round each. It is not stored.
///
/// # Errors
/// Where a summary can't be read ([`read_k6`]), or a claim is none, or is about a comparison ([`Usage`]).
pub fn import_k6(folder: &Path, imported: &Imported) -> Result<Run> {
    let summaries = imported.files.iter().map(|file| read_k6(file)).collect::<Result<Vec<_>>>()?;
    let steps = step(imported)?.into_iter().collect::<Vec<_>>();
    // Where there is no workspace, there is no plan either: the defaults hold.
    let root = Workspace::of(folder).map_or_else(|_| folder.to_owned(), |workspace| workspace.root);
    let rounds: Vec<Round> = summaries.into_iter().map(round).collect();
    Ok(Run {
        format: FORMAT,
        id: new_id()?,
        started: now(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        commit: head(&root),
        against: "nothing: imported from k6".to_owned(),
        asked: String::new(),
        environment: doctor::environment(&root),
        // All there will ever be is there: one look, at the last round.
        gate: Gate { most_rounds: rounds.len(), ..plan::load(&root, None)?.gate },
        cases: std::iter::once(&imported.case).chain(steps.iter().map(|step| &step.case)).cloned().collect(),
        measurements: measurements(&imported.case, rounds, &steps)?,
        steps,
        failures: Vec::new(),
        skipped: Vec::new(),
        divided: None,
        complete: true,
    })
}

/// The claims as a step of their own; `None` where there are none.
fn step(imported: &Imported) -> Result<Option<Step>> {
    for text in &imported.claims {
        let claim: Claim = text.parse().map_err(|error| usage(format!("--claim {text:?}: {error}")))?;
        if claim.needs_before() {
            return Err(
                usage(format!("--claim {text:?}: there is nothing before an import; compare two of them")).into()
            );
        }
    }
    if imported.claims.is_empty() {
        return Ok(None);
    }
    Ok(Some(Step {
        case: CaseId::new(Step::WORKLOAD, imported.case.case()).map_err(usage)?,
        title: String::new(),
        source: String::new(),
        expect: String::new(),
        before: None,
        after: imported.case.clone(),
        variant: None,
        claims: imported.claims.clone(),
    }))
}

/// The case by itself, and once more under the name of its step.
fn measurements(case: &CaseId, rounds: Vec<Round>, steps: &[Step]) -> Result<Vec<Measurement>> {
    let variant = "imported".parse().map_err(anyhow::Error::msg)?;
    let plain = Measurement {
        case: case.clone(),
        part: None,
        arms: vec![Arm { no_layout: Some("measured by k6".to_owned()), ..Arm::plain(variant) }],
        iterations: 1,
        warm_up: 0,
        threads: 1,
        rounds,
        counted: Vec::new(),
        observed: Vec::new(),
        absent: BTreeMap::new(),
        profiles: Vec::new(),
    };
    let of_step = |step: &Step| Measurement { case: step.case.clone(), ..plain.clone() };
    let of_steps: Vec<Measurement> = steps.iter().map(of_step).collect();
    Ok(std::iter::once(plain).chain(of_steps).collect())
}

/// One execution of the test. What is compared by its ratio is the value of a batch, the rest is the whole process'.
fn round(summary: K6Summary) -> Round {
    let elapsed_ns = summary.elapsed_ns.unwrap_or_default();
    let (batches, process): (BTreeMap<Metric, f64>, BTreeMap<Metric, f64>) =
        summary.metrics.into_iter().partition(|(metric, value)| has_ratios(metric) && *value > 0.0);
    let batches = batches.into_iter().map(|(metric, value)| (metric, vec![value])).collect();
    let arm = ArmRound { arm: 0, layout: None, checksum: String::new(), batches, process };
    Round { elapsed_ns, inside_ns: elapsed_ns, dropped: 0, arms: vec![arm] }
}

/// Whether the metric is one of the whole test, such as `latency.p99`: those of its parts may be nothing at times.
fn has_ratios(metric: &Metric) -> bool {
    let of_all = |rest: &str| rest.parse::<f64>().is_ok() || ["mean", "min", "max"].contains(&rest);
    metric.as_str() == "throughput"
        || metric.as_str().strip_prefix("latency.").is_some_and(|rest| of_all(rest.trim_start_matches('p')))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::verdict::{self, Holds};

    /// Summaries of tests that differ by a few per cent, in a folder of their own.
    fn imported(folder: &Path, count: usize, claims: &[&str]) -> Result<Run> {
        let file = |at: usize| {
            let p99 = 4.0 + 0.01 * at as f64;
            let text = format!(
                r#"{{"metrics": {{"http_req_duration": {{"avg": 1.5, "med": 1.25, "p(99)": {p99}}},
                    "http_req_connecting": {{"avg": 0}}, "http_reqs": {{"count": 900, "rate": 300}},
                    "http_req_failed": {{"passes": 0, "fails": 900, "value": 0}}}}}}"#
            );
            let path = folder.join(format!("{at}.json"));
            fs::write(&path, text).unwrap();
            path
        };
        let files = (0..count).map(file).collect();
        let claims = claims.iter().map(ToString::to_string).collect();
        import_k6(folder, &Imported { files, case: "k6::checkout".parse().unwrap(), claims })
    }

    fn outcomes(run: &Run) -> Vec<Holds> {
        verdict::judge(run).steps.iter().flat_map(|step| &step.claims).map(|claim| claim.holds).collect()
    }

    #[test]
    fn claims_on_many_summaries_are_judged_by_their_spread() {
        let folder = tempfile::tempdir().unwrap();
        let claims = ["latency.p99 < 5ms", "latency.p99 < 3ms", "throughput > 250/s", "k6.http_req_failed < 1%"];
        let run = imported(folder.path(), 12, &claims).unwrap();
        crate::store::validate(&run).unwrap();
        assert_eq!(outcomes(&run), [Holds::Confirmed, Holds::Refuted, Holds::Confirmed, Holds::Confirmed]);
    }

    #[test]
    fn one_summary_decides_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let run = imported(folder.path(), 1, &["latency.p99 < 5ms"]).unwrap();
        crate::store::validate(&run).unwrap();
        assert_eq!(outcomes(&run), [Holds::Undecided]);
    }

    #[test]
    fn two_imports_are_compared_as_any_runs() {
        let folder = tempfile::tempdir().unwrap();
        let run = imported(folder.path(), 12, &[]).unwrap();
        let judgement = verdict::judge_stored(&run, &run, verdict::BETWEEN_RUNS);
        let rows: Vec<&str> = judgement.rows.iter().map(|row| row.metric.as_str()).collect();
        assert_eq!(rows, ["latency.p50", "latency.p99"]);
        assert!(!judgement.regressed());
    }

    #[test]
    fn a_claim_about_a_change_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |claim: &str| format!("{:#}", imported(folder.path(), 1, &[claim]).unwrap_err());
        assert!(refused("wall < before").contains("nothing before an import"));
        assert!(refused("latency.p99 < 5 elephants").contains("--claim"));
    }
}
