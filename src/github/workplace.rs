//! Where we are: the environment that GitHub Actions gives every step.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};

use super::address::{ApiUrl, web};
use super::event::Event;
use super::names::{RepositoryName, Sha};
use super::token::Token;

/// The longest payload that is read, in bytes. GitHub sends none that is longer ("Webhook events and payloads").
const LONGEST_PAYLOAD: u64 = 25 << 20;

/// What a step of a workflow run finds in its environment (GitHub Actions, "Variables reference").
#[derive(Clone, Debug)]
pub struct Workplace {
    /// The repository that the workflow belongs to: `GITHUB_REPOSITORY`.
    pub repository: RepositoryName,
    /// The API: `GITHUB_API_URL`.
    pub api_url: ApiUrl,
    /// The web pages, without a slash at the end: `GITHUB_SERVER_URL`.
    pub server_url: String,
    /// This workflow run: `GITHUB_RUN_ID`.
    pub run_id: Option<u64>,
    /// Its attempt, from 1: `GITHUB_RUN_ATTEMPT`.
    pub run_attempt: Option<u32>,
    /// What started it: `GITHUB_EVENT_NAME`, and the file that `GITHUB_EVENT_PATH` names.
    pub event: Event,
    /// The commit that the workflow runs for: `GITHUB_SHA`. Of a pull request it is a merge that nobody wrote.
    pub sha: Option<Sha>,
    /// Where the summary of the job is to be written: `GITHUB_STEP_SUMMARY`.
    pub summary: Option<PathBuf>,
    /// `GITHUB_TOKEN`, which a step has only if it is given one.
    pub token: Option<Token>,
}

impl Workplace {
    /// Reads the environment through `env`, which gives the value of a variable. Empty variables count as absent: that is
    /// what becomes of an expression that has no value.
    ///
    /// # Errors
    /// Where a variable is missing that every step has, or one is not what GitHub makes it. The error names the variable.
    pub fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let address = |name: &str, public: &str| text(env, name).unwrap_or_else(|| public.to_owned());
        let wrong = |name: &'static str| move |why: String| anyhow!("{name}: {why}");
        let server = web(&address("GITHUB_SERVER_URL", "https://github.com")).map_err(wrong("GITHUB_SERVER_URL"))?;
        let api = address("GITHUB_API_URL", "https://api.github.com").parse().map_err(wrong("GITHUB_API_URL"))?;
        let token = text(env, "GITHUB_TOKEN").map(|text| Token::new(&text).map_err(wrong("GITHUB_TOKEN")));
        Ok(Self {
            repository: parsed(env, "GITHUB_REPOSITORY")?.ok_or_else(|| absent("GITHUB_REPOSITORY"))?,
            api_url: api,
            server_url: server.as_str().trim_end_matches('/').to_owned(),
            run_id: parsed(env, "GITHUB_RUN_ID")?,
            run_attempt: parsed(env, "GITHUB_RUN_ATTEMPT")?,
            event: event(env)?,
            sha: parsed(env, "GITHUB_SHA")?,
            summary: text(env, "GITHUB_STEP_SUMMARY").map(PathBuf::from),
            token: token.transpose()?,
        })
    }

    /// The page of this workflow run.
    #[must_use]
    pub fn run_url(&self) -> Option<String> {
        let Self { server_url, repository, .. } = self;
        self.run_id.map(|id| format!("{server_url}/{repository}/actions/runs/{id}"))
    }
}

fn event(env: &dyn Fn(&str) -> Option<String>) -> Result<Event> {
    let name = text(env, "GITHUB_EVENT_NAME").ok_or_else(|| absent("GITHUB_EVENT_NAME"))?;
    let path = text(env, "GITHUB_EVENT_PATH").ok_or_else(|| absent("GITHUB_EVENT_PATH"))?;
    let payload = payload(Path::new(&path)).with_context(|| format!("GITHUB_EVENT_PATH: reading {path}"))?;
    Event::read(&name, &payload).map_err(|why| anyhow!("the payload of {name:?} in GITHUB_EVENT_PATH: {why}"))
}

fn payload(path: &Path) -> Result<Vec<u8>> {
    let mut payload = Vec::new();
    File::open(path)?.take(LONGEST_PAYLOAD + 1).read_to_end(&mut payload)?;
    if payload.len() as u64 > LONGEST_PAYLOAD {
        bail!("it has more than {LONGEST_PAYLOAD} bytes, and no event has");
    }
    Ok(payload)
}

fn absent(name: &str) -> anyhow::Error {
    anyhow!("{name} is not set: this is for the steps of a GitHub Actions workflow, which have it")
}

fn text(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

fn parsed<T: FromStr<Err: ToString>>(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Result<Option<T>> {
    text(env, name).map(|value| value.parse().map_err(|why: T::Err| anyhow!("{name}: {}", why.to_string()))).transpose()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    /// The variables of a push, with some changed or, where empty, emptied.
    fn workplace(changes: &[(&str, &str)]) -> Result<Workplace> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("event.json");
        fs::write(&path, format!(r#"{{"ref": "refs/heads/main", "before": "{SHA}", "after": "{SHA}"}}"#)).unwrap();
        let path = path.display().to_string();
        let usual = [
            ("GITHUB_REPOSITORY", "octo/hello"),
            ("GITHUB_API_URL", "https://ghe.example/api/v3"),
            ("GITHUB_SERVER_URL", "https://ghe.example/"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_EVENT_PATH", path.as_str()),
            ("GITHUB_SHA", SHA),
            ("GITHUB_STEP_SUMMARY", "/tmp/summary"),
            ("GITHUB_TOKEN", "ghs_s3cret"),
        ];
        let value =
            |name: &str| changes.iter().chain(&usual).find(|(known, _)| *known == name).map(|(_, value)| *value);
        Workplace::read(&|name| value(name).map(str::to_owned))
    }

    fn error(changes: &[(&str, &str)]) -> String {
        format!("{:#}", workplace(changes).unwrap_err())
    }

    #[test]
    fn the_environment_of_a_step_is_read() {
        let workplace = workplace(&[]).unwrap();
        assert_eq!(workplace.repository.to_string(), "octo/hello");
        assert_eq!(workplace.api_url.to_string(), "https://ghe.example/api/v3");
        assert_eq!(workplace.run_url().unwrap(), "https://ghe.example/octo/hello/actions/runs/42");
        assert_eq!((workplace.run_attempt, workplace.sha.as_ref().map(Sha::as_str)), (Some(2), Some(SHA)));
        assert_eq!(workplace.summary.as_deref(), Some(Path::new("/tmp/summary")));
        assert!(matches!(&workplace.event, Event::Push { reference, .. } if reference == "refs/heads/main"));
        let shown = format!("{workplace:?}");
        assert!(shown.contains("***") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_is_empty_is_absent() {
        let names = ["GITHUB_API_URL", "GITHUB_SERVER_URL", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_SHA"];
        let names = names.iter().chain(&["GITHUB_STEP_SUMMARY", "GITHUB_TOKEN"]);
        let workplace = workplace(&names.map(|name| (*name, "")).collect::<Vec<_>>()).unwrap();
        assert_eq!(workplace.api_url.to_string(), "https://api.github.com");
        assert_eq!(workplace.server_url, "https://github.com");
        assert!(workplace.token.is_none() && workplace.summary.is_none() && workplace.run_url().is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for name in ["GITHUB_REPOSITORY", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH"] {
            assert!(error(&[(name, "")]).starts_with(&format!("{name} is not set")), "{}", error(&[(name, "")]));
        }
        for (name, value) in [
            ("GITHUB_REPOSITORY", "hello"),
            ("GITHUB_API_URL", "http://ghe.example"),
            ("GITHUB_SERVER_URL", "javascript:alert(1)"),
            ("GITHUB_RUN_ID", "-1"),
            ("GITHUB_RUN_ATTEMPT", "1e3"),
            ("GITHUB_SHA", "HEAD"),
            ("GITHUB_EVENT_PATH", "/nowhere/event.json"),
        ] {
            assert!(error(&[(name, value)]).starts_with(&format!("{name}: ")), "{}", error(&[(name, value)]));
        }
        assert!(error(&[("GITHUB_EVENT_NAME", "pull_request")]).contains("missing field `pull_request`"));
    }

    #[test]
    fn a_wrong_token_is_not_quoted() {
        let said = error(&[("GITHUB_TOKEN", "ghs_s3 cret")]);
        assert!(said.starts_with("GITHUB_TOKEN: ") && !said.contains("s3"), "{said}");
    }

    #[test]
    fn a_payload_without_end_is_not_read_to_it() {
        let said = error(&[("GITHUB_EVENT_PATH", "/dev/zero")]);
        assert!(said.contains("no event has"), "{said}");
    }
}
