//! What goes wrong on purpose, and who waits for whom.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::http::{Request, Response, decoded};
use super::refusals;

/// How long a held request waits for the others before the hold counts as broken.
const HOLD: Duration = Duration::from_secs(20);

/// Which requests are meant.
#[derive(Clone, Debug)]
pub struct Matcher {
    method: &'static str,
    path: String,
    parameter: Option<(&'static str, String)>,
}

impl Matcher {
    /// Requests with this method and this path. A path begins below the repository (`/issues/7/comments`) or, where it is of
    /// none, at the root (`/user`); a segment `*` is any.
    pub fn new(method: &'static str, path: &str) -> Self {
        Self { method, path: path.to_owned(), parameter: None }
    }

    /// Only those with this parameter in their query.
    pub fn with(self, name: &'static str, value: &str) -> Self {
        Self { parameter: Some((name, value.to_owned())), ..self }
    }

    fn matches(&self, request: &Request) -> bool {
        let parameter = |(name, value): &(&str, String)| request.parameter(name).as_ref() == Some(value);
        request.method == self.method
            && same_path(&self.path, below_repository(&request.path))
            && self.parameter.as_ref().is_none_or(parameter)
    }
}

fn same_path(pattern: &str, path: &str) -> bool {
    let path = path.split('/').map(decoded);
    let same = |pair: (&str, String)| pair.0 == "*" || pair.0 == pair.1;
    pattern.split('/').count() == path.clone().count() && pattern.split('/').zip(path).all(same)
}

/// A path without `/repos/OWNER/NAME`.
fn below_repository(path: &str) -> &str {
    let rest = path.strip_prefix("/repos/").and_then(|rest| rest.match_indices('/').nth(1).map(|(at, _)| &rest[at..]));
    rest.unwrap_or(path)
}

/// What a client gets instead of the answer. The change that it asked for is not made, unless it is
/// [after the change](Fault::after_the_change).
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) change: bool,
    pub(super) answer: Answer,
}

/// What is sent instead.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Whole(Box<Response>),
    /// A body that ends in the middle, with the connection.
    Half,
    /// Nothing for so long; then the connection is closed.
    Silence(Duration),
}

impl Fault {
    fn whole(response: Response) -> Self {
        Self { change: false, answer: Answer::Whole(Box::new(response)) }
    }

    /// An error of this status, with a body as GitHub's.
    pub fn status(status: u16) -> Self {
        Self::whole(refusals::of(status, "Something went wrong"))
    }

    /// 401: the token is none (any more).
    pub fn unauthorized() -> Self {
        Self::whole(refusals::bad_credentials())
    }

    /// 403: the token may read only, as that of a pull request from a fork.
    pub fn read_only() -> Self {
        Self::whole(refusals::not_accessible())
    }

    /// 403: too much was written in too short a time; no word on when to come again.
    pub fn secondary_limit() -> Self {
        Self::whole(refusals::secondary_limit())
    }

    /// 403: all requests of the hour are used up; `x-ratelimit-reset` is this, seconds since 1970.
    pub fn primary_limit(reset: u64) -> Self {
        Self::whole(refusals::primary_limit(reset))
    }

    /// 429 with `Retry-After`: seconds, or a date.
    pub fn too_many(retry_after: &str) -> Self {
        Self::whole(refusals::of(429, "Too many requests").with("retry-after", retry_after))
    }

    /// 404, which is also what a token gets that may not even see.
    pub fn missing() -> Self {
        Self::whole(refusals::missing())
    }

    /// 422 with this message.
    pub fn invalid(message: &str) -> Self {
        Self::whole(refusals::of(422, message))
    }

    /// 200 and a page that is not JSON, as of a proxy on the way.
    pub fn not_json() -> Self {
        Self::whole(Response::text(200, "text/html", "<html><body>Sign in to the network</body></html>"))
    }

    /// 200 with a body of so many bytes that begins like JSON.
    pub fn longer_than(bytes: usize) -> Self {
        Self::whole(Response::text(200, "application/json", format!("[\"{}", "x".repeat(bytes))))
    }

    /// This answer.
    pub fn answer(response: Response) -> Self {
        Self::whole(response)
    }

    /// The connection ends in the middle of the answer's body.
    pub fn cut() -> Self {
        Self { change: false, answer: Answer::Half }
    }

    /// Nothing comes for so long, which may be no time at all; then the connection is closed.
    pub fn silence(time: Duration) -> Self {
        Self { change: false, answer: Answer::Silence(time) }
    }

    /// The same, but what was asked for is done, and only the answer tells nothing of it.
    pub fn after_the_change(self) -> Self {
        Self { change: true, ..self }
    }
}

/// Requests that wait for each other.
#[derive(Debug)]
struct Hold {
    matcher: Matcher,
    wanted: usize,
    come: usize,
}

#[derive(Debug, Default)]
struct Lines {
    faults: Vec<(Matcher, Fault, usize)>,
    holds: Vec<Hold>,
    closing: bool,
}

/// All that was ordered and has not happened yet.
#[derive(Debug, Default)]
pub(super) struct Script {
    lines: Mutex<Lines>,
    changed: Condvar,
}

impl Script {
    pub(super) fn fail(&self, times: usize, matcher: Matcher, fault: Fault) {
        self.lines.lock().unwrap().faults.push((matcher, fault, times));
    }

    pub(super) fn hold(&self, wanted: usize, matcher: Matcher) {
        self.lines.lock().unwrap().holds.push(Hold { matcher, wanted, come: 0 });
    }

    /// The first fault that is left for a request.
    pub(super) fn fault(&self, request: &Request) -> Option<Fault> {
        let mut lines = self.lines.lock().unwrap();
        let (_, fault, left) =
            lines.faults.iter_mut().find(|(matcher, _, left)| *left > 0 && matcher.matches(request))?;
        *left -= 1;
        Some(fault.clone())
    }

    /// Waits until as many requests as a hold wants have come this far; not at all where none holds this one.
    pub(super) fn wait(&self, request: &Request) {
        let mut lines = self.lines.lock().unwrap();
        let holds = |hold: &Hold| hold.come < hold.wanted && hold.matcher.matches(request);
        let Some(at) = lines.holds.iter().position(holds) else { return };
        lines.holds[at].come += 1;
        self.changed.notify_all();
        let waits = |lines: &mut Lines| !lines.closing && lines.holds[at].come < lines.holds[at].wanted;
        drop(self.changed.wait_timeout_while(lines, HOLD, waits).unwrap());
    }

    /// Lets time pass, as long as the hub stands.
    pub(super) fn sleep(&self, time: Duration) {
        let begin = Instant::now();
        let lines = self.lines.lock().unwrap();
        let waits = |lines: &mut Lines| !lines.closing && begin.elapsed() < time;
        drop(self.changed.wait_timeout_while(lines, time, waits).unwrap());
    }

    /// Nobody waits any more.
    pub(super) fn close(&self) {
        self.lines.lock().unwrap().closing = true;
        self.changed.notify_all();
    }

    /// What was ordered and never asked for. Endless faults are not counted.
    pub(super) fn left(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let faults = lines.faults.iter().filter(|(_, _, left)| (1..=usize::MAX / 2).contains(left));
        let faults = faults.map(|(matcher, fault, left)| format!("{left} x {fault:?} at {matcher:?}"));
        let holds = lines.holds.iter().filter(|hold| hold.come < hold.wanted).map(|hold| format!("{hold:?}"));
        faults.chain(holds).collect()
    }
}
