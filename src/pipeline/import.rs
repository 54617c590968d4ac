//! What another tool measured, as a run: it is judged, reported and compared as any.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::asked::usage;
use super::prepare::{head, new_id, now};
use crate::build::Workspace;
use crate::plan::{self, claim::Claim};
use crate::samples::{Arm, ArmRound, CaseId, Environment, FORMAT, Gate, Measurement, Metric, Review, Round, Run, Step};
use crate::store::{K6Summary, read_k6, validate};

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

/// The fewest executions that claims are judged by: of fewer, equal values would pass for certainty.
const FEWEST: usize = 5;

/// How many metrics of a summary are named where one is missing.
const MOST_NAMED: usize = 30;

/// The metrics that two imports are compared in.
const COMPARED: [&str; 4] = ["latency.p50", "latency.p95", "latency.p99", "throughput"];

/// A run out of summaries that k6 wrote, one round each. It is not stored.
///
/// # Errors
/// Where a summary can't be read ([`read_k6`]) or is given twice; where a claim is none, is about a comparison, or about what a
/// summary lacks; and where there are fewer than five executions to judge claims by ([`Usage`](super::Usage)).
pub fn import_k6(folder: &Path, imported: &Imported) -> Result<Run> {
    distinct(&imported.files)?;
    if imported.case.workload() == Step::WORKLOAD {
        return Err(usage(format!(
            "{:?} is what the steps of the plan are called: choose another name",
            Step::WORKLOAD
        ))
        .into());
    }
    let summaries = imported.files.iter().map(|file| read_k6(file)).collect::<Result<Vec<_>>>()?;
    let steps = step(imported, &summaries)?.into_iter().collect::<Vec<_>>();
    // Where there is no workspace, there is no plan either: the defaults hold.
    let root = Workspace::of(folder).map_or_else(|_| folder.to_owned(), |workspace| workspace.root);
    let plan = plan::load(&root, None)?;
    let ratios = ratios(&summaries);
    let rounds: Vec<Round> = summaries.into_iter().map(|summary| round(summary, &ratios)).collect();
    let metrics = COMPARED.iter().filter_map(|name| name.parse().ok()).filter(|metric| ratios.contains(metric));
    let run = Run {
        format: FORMAT,
        id: new_id()?,
        started: now(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        commit: head(&root),
        against: "nothing: imported from k6".to_owned(),
        asked: String::new(),
        environment: elsewhere(),
        // All there will ever be is there: one look, at the last round.
        gate: Gate { most_rounds: rounds.len(), metrics: metrics.collect(), ..plan.gate },
        cases: std::iter::once(&imported.case).chain(steps.iter().map(|step| &step.case)).cloned().collect(),
        measurements: measurements(&imported.case, rounds, &steps)?,
        steps,
        failures: Vec::new(),
        skipped: Vec::new(),
        review: Review::default(),
        divided: None,
        complete: true,
    };
    validate(&run).map_err(usage)?;
    Ok(run)
}

/// The same execution twice would make it look certain.
fn distinct(files: &[PathBuf]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for file in files {
        let path = file.canonicalize().unwrap_or_else(|_| file.clone());
        if !seen.insert(path) {
            return Err(usage(format!("{} is given twice: one file is one execution", file.display())).into());
        }
    }
    Ok(())
}

/// Where a load test ran nobody has said: imports are compared with each other, and with nothing that was measured here.
fn elsewhere() -> Environment {
    let fingerprint = [("measured by".to_owned(), "k6".to_owned())].into();
    Environment { fingerprint, ..Environment::default() }
}

/// The metrics that every execution has above nothing: those are judged by their ratios.
fn ratios(summaries: &[K6Summary]) -> BTreeSet<Metric> {
    let all = summaries.iter().flat_map(|summary| summary.metrics.keys());
    let above = |metric: &Metric| summaries.iter().all(|one| one.metrics.get(metric).is_some_and(|value| *value > 0.0));
    all.filter(|metric| is_of_requests(metric) && above(metric)).cloned().collect()
}

/// The claims as a step of their own; `None` where there are none.
fn step(imported: &Imported, summaries: &[K6Summary]) -> Result<Option<Step>> {
    if imported.claims.is_empty() {
        return Ok(None);
    }
    if summaries.len() < FEWEST {
        let problem = format!("claims are judged by {FEWEST} executions at least, and there are {}", summaries.len());
        return Err(usage(format!("{problem}: run the test more often, one summary each")).into());
    }
    for text in &imported.claims {
        let claim: Claim = text.parse().map_err(|error| usage(format!("--claim {text:?}: {error}")))?;
        if claim.needs_before() {
            return Err(
                usage(format!("--claim {text:?}: there is nothing before an import; compare two of them")).into()
            );
        }
        has_what_is_claimed(imported, summaries, &claim)
            .map_err(|error| usage(format!("--claim {text:?}: {error}")))?;
    }
    Ok(Some(Step {
        case: CaseId::new(Step::WORKLOAD, &format!("imported/{}", imported.case.case())).map_err(usage)?,
        title: String::new(),
        source: String::new(),
        expect: String::new(),
        before: None,
        after: imported.case.clone(),
        variant: None,
        claims: imported.claims.clone(),
    }))
}

/// A claim on what an execution lacks would pass over that execution.
fn has_what_is_claimed(imported: &Imported, summaries: &[K6Summary], claim: &Claim) -> Result<(), String> {
    let metric: Metric = claim.measure.metric().parse()?;
    let lacks = |(_, summary): &(&PathBuf, &K6Summary)| !summary.metrics.contains_key(&metric);
    let Some((file, summary)) = imported.files.iter().zip(summaries).find(lacks) else { return Ok(()) };
    let known: Vec<&str> = summary.metrics.keys().map(Metric::as_str).take(MOST_NAMED).collect();
    Err(format!(
        "{} has no {metric} (k6 writes the statistics of --summary-trend-stats); it has {}",
        file.display(),
        known.join(", ")
    ))
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

/// One execution of the test. What is judged by its ratios is the value of a batch, the rest is the whole process'.
fn round(summary: K6Summary, ratios: &BTreeSet<Metric>) -> Round {
    let elapsed_ns = summary.elapsed_ns.unwrap_or_default();
    let (batches, process): (BTreeMap<Metric, f64>, BTreeMap<Metric, f64>) =
        summary.metrics.into_iter().partition(|(metric, _)| ratios.contains(metric));
    let batches = batches.into_iter().map(|(metric, value)| (metric, vec![value])).collect();
    let arm = ArmRound { arm: 0, layout: None, checksum: String::new(), batches, process };
    Round { elapsed_ns, inside_ns: elapsed_ns, dropped: 0, arms: vec![arm] }
}

/// Whether the metric is one of the whole requests, such as `latency.p99`, and not of a part of them (`latency.NAME.p99`).
fn is_of_requests(metric: &Metric) -> bool {
    metric.as_str() == "throughput" || metric.as_str().strip_prefix("latency.").is_some_and(Metric::is_statistic)
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
    fn few_executions_decide_nothing_and_one_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let few = imported(folder.path(), 4, &["latency.p99 < 5ms"]).unwrap_err();
        assert!(few.to_string().contains("5 executions at least, and there are 4"), "{few}");
        assert_eq!(imported(folder.path(), 1, &[]).unwrap().measurements.len(), 1, "without a claim one will do");
        let file = folder.path().join("0.json");
        let twice =
            Imported { files: vec![file.clone(), file], case: "k6::checkout".parse().unwrap(), claims: Vec::new() };
        assert!(import_k6(folder.path(), &twice).unwrap_err().to_string().contains("0.json is given twice"));
    }

    #[test]
    fn executions_without_an_answer_count() {
        let folder = tempfile::tempdir().unwrap();
        let run = imported(folder.path(), 12, &["throughput > 250/s"]).unwrap();
        assert_eq!(outcomes(&run), [Holds::Confirmed]);
        let down =
            r#"{"metrics": {"http_req_duration": {"med": 0, "p(99)": 0}, "http_reqs": {"count": 0, "rate": 0}}}"#;
        (0..3).for_each(|at| fs::write(folder.path().join(format!("{at}.json")), down).unwrap());
        let files = (0..12).map(|at| folder.path().join(format!("{at}.json"))).collect();
        let claims = vec!["throughput > 250/s".to_owned()];
        let run = import_k6(folder.path(), &Imported { files, case: "k6::checkout".parse().unwrap(), claims }).unwrap();
        assert_ne!(outcomes(&run), [Holds::Confirmed]);
    }

    #[test]
    fn a_claim_on_what_the_summaries_lack_is_refused_with_what_they_have() {
        let folder = tempfile::tempdir().unwrap();
        let refused = format!("{:#}", imported(folder.path(), 5, &["k6.http_req_faild < 1%"]).unwrap_err());
        assert!(
            refused.contains("0.json has no k6.http_req_faild") && refused.contains("k6.http_req_failed"),
            "{refused}"
        );
    }

    #[test]
    fn two_imports_are_compared_as_any_runs() {
        let folder = tempfile::tempdir().unwrap();
        let run = imported(folder.path(), 12, &[]).unwrap();
        let judgement = verdict::judge_stored(&run, &run, verdict::BETWEEN_RUNS);
        let rows: Vec<&str> = judgement.rows.iter().map(|row| row.metric.as_str()).collect();
        assert_eq!(rows, ["latency.p50", "latency.p99", "throughput"]);
        assert!(!judgement.regressed());
    }

    #[test]
    fn a_claim_about_a_change_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |claim: &str| format!("{:#}", imported(folder.path(), 5, &[claim]).unwrap_err());
        assert!(refused("wall < before").contains("nothing before an import"));
        assert!(refused("latency.p99 < 5 elephants").contains("--claim"));
    }
}
