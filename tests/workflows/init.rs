//! `cargo perfplan init`, and what it writes.

use std::fs;

use crate::files::File;
use crate::project::{Upstream, tree};
use crate::rules::broken_rules;

const WRITTEN: [&str; 5] = ["baseline", "gate", "matrix", "nightly", "publish"];

fn workflow(name: &str) -> String {
    format!(".github/workflows/perfplan-{name}.yml")
}

#[test]
fn init_shows_then_writes_and_what_it_wrote_is_not_written_again() {
    let project = Upstream::new();
    fs::remove_file(project.path().join("perfplan.toml")).unwrap();
    let before = tree(project.path());
    let (code, said) = project.perfplan("", &["init", "--ci", "github", "--dry-run"]);
    assert!(code == 0 && said.contains("perfplan.toml: new") && said.contains(&workflow("gate")), "{said}");
    assert_eq!(tree(project.path()), before, "a dry run wrote something");

    let (code, said) = project.perfplan("src", &["init", "--ci", "github"]);
    assert!(code == 0 && said.contains("written: 6 of 6") && said.contains("runs-on"), "{said}");
    for name in WRITTEN {
        let written = fs::read_to_string(project.path().join(workflow(name))).unwrap();
        assert_eq!(written, File::read(&format!("templates/github/perfplan-{name}.yml")).text);
    }
    assert_eq!(tree(project.path()).len(), before.len() + 6, "nothing else is left");
    let (code, said) = project.perfplan("", &["init", "--ci", "github"]);
    assert!(code == 0 && said.contains("written: 0 of 5") && said.contains("the plan is"), "{said}");
    // The plan that it wrote is one.
    let (code, said) = project.perfplan("", &["plan"]);
    assert!(code == 0, "{said}");
}

#[test]
fn a_file_that_differs_is_shown_and_kept_and_nothing_is_written_without_force() {
    let project = Upstream::new();
    project.write(&workflow("nightly"), "name: mine\n");
    let before = tree(project.path());
    let (code, said) = project.perfplan("", &["init", "--ci", "github"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("-name: mine") && said.contains("+name: perfplan nightly") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(tree(project.path()), before, "something was written");
    assert_eq!(fs::read_to_string(project.path().join(workflow("nightly"))).unwrap(), "name: mine\n");

    let (code, said) = project.perfplan("", &["init", "--ci", "github", "--force"]);
    assert!(code == 0 && said.contains("written: 5 of 5"), "{said}");
    let written = fs::read_to_string(project.path().join(workflow("nightly"))).unwrap();
    assert!(written.contains("name: perfplan nightly"));
}

#[test]
fn a_workspace_in_a_folder_gets_workflows_at_the_top_that_work_in_the_folder_and_keep_the_rules() {
    let project = Upstream::new();
    for name in ["Cargo.toml", "Cargo.lock", "src/main.rs", "perfplan.toml"] {
        let text = fs::read_to_string(project.path().join(name)).unwrap();
        project.write(&format!("rust/app/{name}"), &text);
        fs::remove_file(project.path().join(name)).unwrap();
    }
    let (code, said) = project.perfplan("rust/app", &["init", "--ci", "github", "--branch", "trunk"]);
    assert_eq!(code, 0, "{said}");
    for name in WRITTEN {
        let text = fs::read_to_string(project.path().join(workflow(name))).unwrap();
        let file = File::parse(name, &text);
        assert_eq!(broken_rules(&file), [""; 0]);
        assert_eq!(file.yaml["defaults"]["run"]["working-directory"].as_str(), Some("rust/app"));
        for step in file.steps() {
            let path = step["with"]["path"].as_str().unwrap_or_default();
            let inside = |line: &str| line.contains("./rust/app/target/perfplan") || line.starts_with("~/.cargo/");
            assert!(path.lines().all(inside), "{name}: {path}");
        }
    }
    let baseline = File::read("templates/github/perfplan-baseline.yml");
    let written = fs::read_to_string(project.path().join(workflow("baseline"))).unwrap();
    assert_eq!(baseline.yaml["on"]["push"]["branches"][0].as_str(), Some("main"));
    assert!(written.contains("branches: [trunk]"));
}

#[test]
fn init_refuses_what_it_cannot_write_safely() {
    let project = Upstream::new();
    for branch in ["main]\non: [x", "-x", "$(x)", "a b", ""] {
        let (code, said) = project.perfplan("", &["init", "--ci", "github", "--branch", branch]);
        assert_eq!(code, 2, "{branch:?}: {said}");
    }
    std::os::unix::fs::symlink("/nowhere", project.path().join("link")).unwrap();
    fs::create_dir_all(project.path().join(".github/workflows")).unwrap();
    fs::rename(project.path().join("link"), project.path().join(workflow("gate"))).unwrap();
    let (code, said) = project.perfplan("", &["init", "--ci", "github", "--force"]);
    assert!(code == 2 && said.contains("no plain text file"), "{said}");
    assert!(!project.path().join(workflow("publish")).exists());
}
