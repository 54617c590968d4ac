//! The check run of a plan beside a commit, and the commit status that stands in for it.

use crate::github::{Annotation, CheckRun, Client, Conclusion, Level, NewCheckRun, Refusal, Sha, State, Status};

use super::letter::Letter;

/// So many annotations GitHub takes at once.
const AT_ONCE: usize = 50;

/// Puts a check run beside a commit. One that this run made earlier is put right in place; its annotations stay as they are.
pub(super) fn check(client: &Client, head: &Sha, letter: &Letter) -> Result<CheckRun, Refusal> {
    let (name, key) = (name(letter), format!("{}/{}", letter.plan, letter.order));
    let notes: Vec<Annotation> = annotations(letter);
    let run = |annotations: &[Annotation]| NewCheckRun {
        name: name.clone(),
        head_sha: head.clone(),
        external_id: Some(key.clone()),
        details_url: letter.details.clone(),
        conclusion: letter.conclusion,
        title: letter.check.title.clone(),
        summary: letter.check.summary.clone(),
        annotations: annotations.to_vec(),
    };
    let earlier = client.check_runs(head, &name)?;
    if let Some(earlier) = earlier.into_iter().find(|one| one.external_id.as_ref() == Some(&key)) {
        return client.update_check_run(earlier.id, &run(&[]));
    }
    let mut batches = notes.chunks(AT_ONCE);
    let made = client.create_check_run(&run(batches.next().unwrap_or_default()))?;
    batches.try_fold(made, |made, batch| client.update_check_run(made.id, &run(batch)))
}

/// The name that the check run and the status are shown by.
fn name(letter: &Letter) -> String {
    format!("perfplan: {}", letter.plan)
}

fn annotations(letter: &Letter) -> Vec<Annotation> {
    let note = |note: &crate::report::Note| Annotation {
        path: letter.file.clone(),
        line: note.line,
        level: Level::Failure,
        message: note.message.clone(),
        title: note.title.clone(),
    };
    letter.check.annotations.iter().map(note).collect()
}

/// Sets the commit's status. It knows no grey: what is undecided keeps nobody from merging.
pub(super) fn status(client: &Client, head: &Sha, letter: &Letter) -> Result<(), Refusal> {
    let state = match letter.conclusion {
        Conclusion::Success | Conclusion::Neutral => State::Success,
        Conclusion::Failure => State::Failure,
    };
    let status =
        Status { state, context: name(letter), description: letter.status.clone(), target_url: letter.details.clone() };
    client.create_status(head, &status)
}
