//! Whether a stranger's run is about what it is said to be about.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::samples::{Arm, Measurement, Run, WORKING_TREE};

/// How far the clocks of two machines may be apart, in seconds.
const APART: u64 = 3_600;
/// The longest that a job may wait and run, in seconds: 35 days, after which GitHub ends a workflow.
const LONGEST_JOB: u64 = 35 * 86_400;

/// What a run has to be of, as those know it whom the run can't influence: the event, the API, the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'o> {
    /// The commit that was to be measured, by its full id: the head of the pull request.
    pub head: &'o str,
    /// The commits that it may be compared with, by their full ids: the base of the pull request, the merge base, ...
    pub bases: &'o [&'o str],
    /// The present time, in seconds since 1970, UTC.
    pub now: u64,
}

/// Checks that a run is of the expected commit without changes, compares that with an expected one, and is of these days:
/// waivers end on a day. A drill is none that a gate believes.
///
/// That the numbers are those that were measured, nobody can check: who can change the program can change what it reports.
///
/// # Errors
/// What is not as expected, with what was expected.
pub fn check_origin(run: &Run, expected: &Origin<'_>) -> Result<()> {
    for id in expected.bases.iter().chain([&expected.head]) {
        if !is_full_id(id) {
            bail!("{id:?} is not the full id of a commit");
        }
    }
    commit(run, expected.head)?;
    time(run, expected.now)?;
    let bases: BTreeSet<&str> = expected.bases.iter().copied().collect();
    for measured in &run.measurements {
        arms(measured, &bases)?;
    }
    if !bases.is_empty() && !compares(run, &bases) {
        bail!("the run compares nothing with {}", expected.bases.join(" or "));
    }
    Ok(())
}

fn is_full_id(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn commit(run: &Run, head: &str) -> Result<()> {
    match run.commit.as_deref() {
        Some(commit) if commit == head => Ok(()),
        Some(commit) if commit.strip_suffix('+') == Some(head) => {
            bail!("the run is of {head} with changes that were not committed")
        }
        Some(other) => bail!("the run is of the commit {other:?}, not of {head}"),
        None => bail!("the run does not say which commit it is of; {head} is expected"),
    }
}

fn time(run: &Run, now: u64) -> Result<()> {
    let starts = run.parts().iter().map(|part| part.started).chain([run.started]);
    for started in starts {
        if started > now.saturating_add(APART) || started < now.saturating_sub(LONGEST_JOB) {
            bail!(
                "the run started {started} s after 1970 and it is {now} s after 1970 now: no job waits or runs so long"
            );
        }
    }
    Ok(())
}

/// All arms are of the head (which was the working tree) or of a base, and none was made slower on purpose.
fn arms(measured: &Measurement, bases: &BTreeSet<&str>) -> Result<()> {
    for (at, arm) in measured.arms.iter().enumerate() {
        let (case, revision) = (&measured.case, arm.revision.as_str());
        if revision != WORKING_TREE && !bases.contains(revision) {
            bail!("{case}: arm {at} is of {revision:?}, which is neither the head nor what it is to be compared with");
        }
        if arm.handicap != 0.0 {
            bail!("{case}: arm {at} is that of a drill, with a handicap of {}", arm.handicap);
        }
    }
    Ok(())
}

/// Whether anything of the head is set against a base; or nothing against anything, where builds failed.
fn compares(run: &Run, bases: &BTreeSet<&str>) -> bool {
    let is_base = |arm: &Arm| bases.contains(arm.revision.as_str());
    let crosses = |measured: &Measurement| {
        measured.pairs().any(|(new, old)| !is_base(&measured.arms[new]) && is_base(&measured.arms[old]))
    };
    let mut compared = run.plain_measurements().filter(|measured| measured.pairs().next().is_some()).peekable();
    compared.peek().is_none() || compared.any(crosses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::complete;

    const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";
    const BASE: &str = "89abcdef0123456789abcdef0123456789abcdef";
    const EXPECTED: Origin<'_> = Origin { head: HEAD, bases: &[BASE], now: 1_700_000_100 };

    /// A run of the head against the base.
    fn honest() -> Run {
        let mut run = complete("r");
        run.commit = Some(HEAD.to_owned());
        run.measurements[0].arms[0].revision = BASE.to_owned();
        run
    }

    fn refused(spoil: impl FnOnce(&mut Run)) -> String {
        let mut run = honest();
        spoil(&mut run);
        check_origin(&run, &EXPECTED).unwrap_err().to_string()
    }

    #[test]
    fn a_run_of_the_head_against_the_base_is_believed() {
        check_origin(&honest(), &EXPECTED).unwrap();
        let mut failed = honest();
        failed.measurements.clear();
        check_origin(&failed, &EXPECTED).unwrap();
        let sure = Origin { now: 1_700_000_000 - APART, ..EXPECTED };
        check_origin(&honest(), &sure).unwrap();
    }

    #[test]
    fn another_commit_a_dirty_one_or_none_is_refused() {
        assert!(refused(|run| run.commit = Some(BASE.to_owned())).contains("not of 0123"));
        assert!(refused(|run| run.commit = Some(format!("{HEAD}+"))).contains("not committed"));
        assert!(refused(|run| run.commit = Some(HEAD[..10].to_owned())).contains("not of 0123"));
        assert!(refused(|run| run.commit = None).contains("does not say"));
    }

    #[test]
    fn what_is_not_set_against_the_base_is_refused() {
        assert!(refused(|run| run.measurements[0].arms[0].revision = "f".repeat(40)).contains("neither the head nor"));
        assert!(refused(|run| run.measurements[0].arms[1].revision = "<b>".to_owned()).contains("arm 1 is of \"<b>\""));
        assert!(
            refused(|run| run.measurements[0].arms[0].revision = WORKING_TREE.to_owned()).contains("compares nothing")
        );
        let swapped = refused(|run| {
            run.measurements[0].arms.reverse();
            run.measurements[0].arms[0].against = Some(1);
            run.measurements[0].arms[1].against = None;
            run.measurements[0].arms.iter_mut().for_each(|arm| arm.revision = BASE.to_owned());
        });
        assert!(swapped.contains("compares nothing"), "the base against itself: {swapped}");
        assert!(refused(|run| run.measurements[0].arms[1].handicap = 0.1).contains("drill"));
    }

    #[test]
    fn a_run_of_another_time_is_refused() {
        assert!(refused(|run| run.started = 0).contains("0 s after 1970"));
        assert!(refused(|run| run.started = EXPECTED.now + APART + 1).contains("no job"));
        assert!(refused(|run| run.started = EXPECTED.now - LONGEST_JOB - 1).contains("no job"));
    }

    #[test]
    fn the_expectation_itself_is_looked_at() {
        for head in ["", "main", "0123456", &"g".repeat(40), &HEAD.to_uppercase()] {
            let said = check_origin(&honest(), &Origin { head, ..EXPECTED }).unwrap_err().to_string();
            assert!(said.contains("not the full id"), "{said}");
        }
        assert!(check_origin(&honest(), &Origin { bases: &["main"], ..EXPECTED }).is_err());
    }
}
