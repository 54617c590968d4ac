//! Regressions that were accepted.

use super::row::{Row, Verdict};
use crate::samples::Run;

/// Marks the rows whose regression was accepted, and tells of those that were accepted for a time that is over.
pub(super) fn waive(run: &Run, rows: &mut [Row]) {
    let today = run.day();
    for row in rows.iter_mut().filter(|row| row.verdict == Verdict::Regressed && row.is_gated()) {
        let about = run.review.waivers.iter().filter(|waiver| waiver.covers(&row.case, &row.metric));
        let (over, standing): (Vec<_>, Vec<_>) = about.partition(|waiver| waiver.is_over(&today));
        row.waiver = standing.first().map(|waiver| (*waiver).clone());
        if row.waiver.is_none() {
            row.notes.extend(over.first().map(|waiver| format!("it was accepted until {}", waiver.expires)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::samples::{Arm, Metric, Run, Waiver};
    use crate::verdict::{Judgement, judge};

    /// A run whose only row regressed against another commit, with a waiver that ends on this day.
    fn judged(expires: &str, metric: &str) -> Judgement {
        let mut run: Run = serde_json::from_str(include_str!("../../fixtures/run-format-1.json")).unwrap();
        run.gate.metrics = vec![Metric::wall()];
        let measurement = &mut run.measurements[0];
        measurement.arms[0] = Arm { revision: "0".repeat(40), code: "other".to_owned(), ..measurement.arms[0].clone() };
        measurement.rounds = vec![measurement.rounds[0].clone(); 40];
        for (at, round) in measurement.rounds.iter_mut().enumerate() {
            for arm in &mut round.arms {
                arm.layout = Some(at as u64); // Rounds of one layout would be one observation.
                let value = if arm.arm == 0 { 1e6 } else { 2e6 + 1e3 * at as f64 };
                arm.batches.values_mut().flatten().for_each(|batch| *batch = value);
            }
        }
        run.review.waivers = vec![Waiver {
            case: measurement.case.to_string(),
            metric: metric.parse().unwrap(),
            commit: "abcdef0".to_owned(),
            reason: "safer".to_owned(),
            expires: expires.to_owned(),
        }];
        judge(&run)
    }

    #[test]
    fn an_accepted_regression_stays_one_and_does_not_fire_the_gate() {
        let judgement = judged("2999-12-31", "wall");
        assert_eq!((judgement.regressed(), judgement.accepted()), (false, 1));
        assert_eq!(judgement.rows[0].waiver.as_ref().unwrap().reason, "safer");
    }

    #[test]
    fn what_is_over_or_about_another_metric_excuses_nothing() {
        let over = judged("2020-01-01", "wall");
        assert_eq!((over.regressed(), over.accepted()), (true, 0));
        assert!(
            over.rows[0].notes.contains(&"it was accepted until 2020-01-01".to_owned()),
            "{:?}",
            over.rows[0].notes
        );
        assert!(judged("2999-12-31", "cpu").regressed());
    }
}
