//! Workflow and action files, read.

use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

/// A workflow, or an action.
pub struct File {
    pub name: String,
    pub text: String,
    pub yaml: Yaml,
}

impl File {
    #[track_caller]
    pub fn parse(name: &str, text: &str) -> Self {
        let mut documents = YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(documents.len(), 1, "{name}");
        Self { name: name.to_owned(), text: text.to_owned(), yaml: documents.remove(0) }
    }

    /// A file of this repository.
    pub fn read(name: &str) -> Self {
        Self::parse(name, &fs::read_to_string(root().join(name)).unwrap())
    }

    /// All of this repository: the templates, its own workflows, its action.
    pub fn all() -> Vec<Self> {
        let paths = ["templates", ".github"].map(|folder| files_below(&root().join(folder)));
        let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yml");
        let name = |path: PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        paths.into_iter().flatten().filter(is_yaml).map(|path| Self::read(&name(path))).collect()
    }

    pub fn is_action(&self) -> bool {
        !self.yaml["runs"].is_badvalue()
    }

    /// What starts it.
    pub fn triggers(&self) -> Vec<&str> {
        keys(&self.yaml["on"])
    }

    pub fn jobs(&self) -> Vec<(&str, &Yaml)> {
        let jobs = self.yaml["jobs"].as_hash().into_iter().flatten();
        jobs.map(|(name, job)| (name.as_str().unwrap(), job)).collect()
    }

    /// The steps of all jobs, or of the action.
    pub fn steps(&self) -> Vec<&Yaml> {
        let of_jobs = self.jobs().into_iter().flat_map(|(_, job)| steps(job));
        of_jobs.chain(steps(&self.yaml["runs"])).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The keys of a table; none of anything else.
pub fn keys(yaml: &Yaml) -> Vec<&str> {
    yaml.as_hash().into_iter().flat_map(|table| table.keys()).map(|key| key.as_str().unwrap()).collect()
}

/// The steps of a job.
pub fn steps(job: &Yaml) -> Vec<&Yaml> {
    job["steps"].as_vec().into_iter().flatten().collect()
}

/// The name of the action that a step uses, without its version.
pub fn action(step: &Yaml) -> Option<&str> {
    step["uses"].as_str().map(|uses| uses.split('@').next().unwrap())
}

/// A value as text, as an action is given it.
pub fn text(yaml: &Yaml) -> String {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(value) => value.to_string(),
        Yaml::BadValue | Yaml::Null => String::new(),
        other => panic!("no text: {other:?}"),
    }
}
