//! Runs a job's steps as a runner does: its environment, its files, its expressions, bash. What actions of others do is stood
//! in for; the repository's own action is run step by step.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use yaml_rust2::Yaml;

use crate::expressions::Context;
use crate::files::{File, action, keys, steps, text};
use crate::project::{command, git};

/// A machine that runs one job.
pub struct Runner {
    folder: Option<tempfile::TempDir>,
    upstream: PathBuf,
    event: Value,
}

/// What became of a job.
#[derive(Debug)]
pub struct Ended {
    /// The steps that failed, with their exit codes.
    pub failed: Vec<(String, i32)>,
    /// What the job's summary has.
    pub summary: String,
    /// Where the artifacts are.
    pub artifacts: PathBuf,
    /// The outputs of its steps.
    pub outputs: Value,
    log: String,
}

/// The steps of a job, or of an action inside one.
struct Steps {
    context: Context,
    env: BTreeMap<String, String>,
    ended: Ended,
}

impl Runner {
    /// A machine that got this event, of the repository at `upstream`.
    pub fn new(upstream: &Path, event: Value) -> Self {
        let runner = Self { folder: Some(tempfile::tempdir().unwrap()), upstream: upstream.to_owned(), event };
        for folder in ["work", "temp/perfplan/bin", "bin", "artifacts", "files"] {
            fs::create_dir_all(runner.at(folder)).unwrap();
        }
        fs::write(runner.at("event.json"), runner.event.to_string()).unwrap();
        // As if it had been installed before: by the workflow, or by the action.
        for place in ["bin/cargo-perfplan", "temp/perfplan/bin/cargo-perfplan"] {
            symlink(env!("CARGO_BIN_EXE_cargo-perfplan"), runner.at(place)).unwrap();
        }
        runner
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.as_ref().unwrap().path().join(name)
    }

    /// Runs the only job of a workflow.
    pub fn job(&self, workflow: &File) -> Ended {
        let (_, job) = workflow.jobs()[0];
        let defaults = workflow.yaml["defaults"]["run"]["working-directory"].as_str().unwrap_or(".");
        let names = json!({
            "github": { "event": self.event, "sha": "0".repeat(40) }, "runner": { "os": "Linux", "arch": "X64", "temp": self.at("temp") },
            "env": {}, "steps": {}, "inputs": {},
        });
        let context = Context { names: names.as_object().unwrap().clone(), failed: false };
        let ended = Ended {
            failed: Vec::new(),
            summary: String::new(),
            artifacts: self.at("artifacts"),
            outputs: json!({}),
            log: String::new(),
        };
        let mut run = Steps { context, env: self.environment(), ended };
        run.enter(&workflow.yaml["env"]);
        run.enter(&job["env"]);
        steps(job).into_iter().for_each(|step| self.step(&mut run, step, defaults));
        run.ended.outputs = run.context.names["steps"].clone();
        run.ended.summary = fs::read_to_string(self.at("summary.md")).unwrap_or_default();
        run.ended
    }

    /// What a runner sets, and of this machine only what cargo needs.
    fn environment(&self) -> BTreeMap<String, String> {
        let own = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
        let mut all: BTreeMap<String, String> =
            own.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").unwrap());
        let places = [
            ("GITHUB_WORKSPACE", "work"),
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
            ("RUNNER_TEMP", "temp"),
            ("XDG_CACHE_HOME", "cache"),
        ];
        all.extend(places.map(|(name, place)| (name.to_owned(), self.at(place).display().to_string())));
        let head = self.event["pull_request"]["head"]["ref"].as_str().unwrap();
        let facts = [
            ("PATH", &*path),
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("RUNNER_OS", "Linux"),
            ("GITHUB_HEAD_REF", head),
        ];
        all.extend(facts.map(|(name, value)| (name.to_owned(), value.to_owned())));
        all.extend([("GITHUB_EVENT_NAME".to_owned(), "pull_request".to_owned())]);
        all
    }

    fn step(&self, run: &mut Steps, step: &Yaml, folder: &str) {
        if !run.context.holds(step["if"].as_str().unwrap_or("'no condition'")) {
            return;
        }
        let mut env = run.env.clone();
        for name in keys(&step["env"]) {
            env.insert(name.to_owned(), run.context.fill(&text(&step["env"][name])));
        }
        let outputs = match (step["run"].as_str(), action(step)) {
            (Some(script), _) => {
                let folder = step["working-directory"].as_str().map_or(folder.to_owned(), |own| run.context.fill(own));
                self.script(run, step, script, &env, &folder)
            }
            (None, Some(action)) => self.action(run, step, action),
            (None, None) => panic!("a step without anything to do: {step:?}"),
        };
        if let Some(id) = step["id"].as_str() {
            run.context.names["steps"][id]["outputs"] = outputs;
        }
    }

    /// Runs a script, and reads what it left in its files.
    fn script(
        &self,
        run: &mut Steps,
        step: &Yaml,
        script: &str,
        env: &BTreeMap<String, String>,
        folder: &str,
    ) -> Value {
        assert!(!script.contains("${{"), "expressions in scripts are not filled in here: {script}");
        let files = ["output", "env"].map(|name| self.at("files").join(name));
        files.iter().for_each(|file| fs::write(file, "").unwrap());
        let output = command("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.at("work").join(folder))
            .env_clear()
            .envs(env)
            .env("GITHUB_OUTPUT", &files[0])
            .env("GITHUB_ENV", &files[1])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        run.ended.log += &format!("$ {script}\n{}{}", said[0], said[1]);
        let set = |file: &PathBuf| {
            let text = fs::read_to_string(file).unwrap();
            text.lines()
                .map(|line| line.split_once('=').unwrap())
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .collect()
        };
        let [outputs, exported]: [BTreeMap<String, Value>; 2] = [set(&files[0]), set(&files[1])];
        exported.iter().for_each(|(name, value)| run.set(name, value.as_str().unwrap()));
        if !output.status.success() {
            let name = step["name"].as_str().unwrap_or(script).to_owned();
            run.ended.failed.push((name, output.status.code().unwrap()));
            run.context.failed = true;
        }
        json!(outputs)
    }

    fn action(&self, run: &mut Steps, step: &Yaml, action: &str) -> Value {
        let given: BTreeMap<&str, String> =
            keys(&step["with"]).into_iter().map(|name| (name, run.context.fill(&text(&step["with"][name])))).collect();
        match action {
            "actions/checkout" => self.checkout(&given),
            // Nothing was kept, but for the tool that the action would have to build.
            "actions/cache" => {
                assert!(!given["key"].is_empty() && !given["path"].is_empty());
                return json!({ "cache-hit": given["path"].ends_with("/perfplan/bin").to_string() });
            }
            "actions/upload-artifact" => self.upload(&given),
            own => return self.own_action(run, own, &given),
        }
        Value::Null
    }

    /// As actions/checkout does it with `fetch-depth: 0`: all branches, and the commit that is asked for.
    fn checkout(&self, given: &BTreeMap<&str, String>) {
        assert_eq!((&*given["persist-credentials"], &*given["fetch-depth"]), ("false", "0"));
        let (work, upstream) = (self.at("work"), format!("file://{}", self.upstream.display()));
        git(&work, &["init", "--quiet"]);
        git(&work, &["remote", "add", "origin", &upstream]);
        git(&work, &["fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
        git(&work, &["fetch", "--quiet", "origin", &given["ref"]]);
        git(&work, &["checkout", "--quiet", "--detach", &given["ref"]]);
    }

    fn upload(&self, given: &BTreeMap<&str, String>) {
        let from = self.at("work").join(&given["path"]);
        let to = self.at("artifacts").join(&given["name"]);
        let copied = command("cp").arg("-r").args([&from, &to]).output().unwrap();
        assert!(copied.status.success(), "nothing to upload at {}", from.display());
    }

    fn own_action(&self, run: &mut Steps, action: &str, given: &BTreeMap<&str, String>) -> Value {
        let file = File::read(&format!("{}/action.yml", action.trim_start_matches("./")));
        let inputs = &file.yaml["inputs"];
        let unknown: Vec<_> = given.keys().filter(|name| !keys(inputs).contains(name)).collect();
        assert!(unknown.is_empty(), "{action} has no inputs {unknown:?}");
        let input = |name: &str| given.get(name).cloned().unwrap_or_else(|| text(&inputs[name]["default"]));
        let all: BTreeMap<&str, String> = keys(inputs).into_iter().map(|name| (name, input(name))).collect();
        let outer = [("inputs", json!(all)), ("steps", json!({}))]
            .map(|(name, value)| (name, run.context.names.insert(name.to_owned(), value).unwrap()));
        steps(&file.yaml["runs"]).into_iter().for_each(|step| self.step(run, step, "."));
        let outputs = &file.yaml["outputs"];
        let value = |name: &str| run.context.fill(outputs[name]["value"].as_str().unwrap());
        let outputs: BTreeMap<&str, String> = keys(outputs).into_iter().map(|name| (name, value(name))).collect();
        for (name, value) in outer {
            run.context.names.insert(name.to_owned(), value);
        }
        json!(outputs)
    }
}

impl Steps {
    /// Takes an `env:` table in.
    fn enter(&mut self, table: &Yaml) {
        for name in keys(table) {
            let value = self.context.fill(&text(&table[name]));
            self.set(name, &value);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.insert(name.to_owned(), value.to_owned());
        self.context.names["env"][name] = json!(value);
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = self.folder.take().map(tempfile::TempDir::keep);
            eprintln!("the runner's folder is kept at {kept:?}");
        }
    }
}
