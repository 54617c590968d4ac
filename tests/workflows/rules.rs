//! What holds for every workflow and action, and that each rule finds what breaks it.

use yaml_rust2::Yaml;

use crate::files::{File, action, keys, steps};

/// What is wrong with a file.
type Rule = fn(&File) -> Vec<String>;

const RULES: &[Rule] = &[
    pinned,
    least_permissions,
    scripts_without_expressions,
    safe_triggers,
    no_credentials_beside_code,
    pull_requests_only_read,
    the_privileged_half_runs_nothing_of_a_pull_request,
    limited,
    documented,
    shells_stop_at_failures,
];

/// Every action of somebody else is pinned by its commit, with its version beside it; every input of an action is meant.
fn pinned(file: &File) -> Vec<String> {
    let lines = file.text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "));
    let is_pinned = |uses: &&str| {
        let Some((_, version)) = uses.split_once('@') else { return uses.starts_with("./") };
        let (commit, comment) = version.split_once(" # v").unwrap_or((version, ""));
        let digits = commit.len() == 40 && commit.bytes().all(|digit| digit.is_ascii_hexdigit());
        digits && comment.split('.').count() == 3 && comment.split('.').all(|part| part.parse::<u32>().is_ok())
    };
    let loose = lines.clone().filter(|uses| !is_pinned(uses)).map(|uses| format!("not pinned: {uses}"));
    let hidden = file.steps().iter().filter(|step| action(step).is_some()).count() != lines.clone().count();
    loose.chain(hidden.then(|| "an action that is not on a line of its own".to_owned())).collect()
}

/// Nothing is permitted but what a job names.
fn least_permissions(file: &File) -> Vec<String> {
    if file.is_action() {
        return Vec::new();
    }
    let top = &file.yaml["permissions"];
    let unlimited =
        (top.as_hash().is_none() || !keys(top).is_empty()).then(|| "the workflow's permissions are not {}".to_owned());
    let open = |(_, job): &(&str, &Yaml)| job["permissions"].as_hash().is_none();
    let unsaid = file.jobs().into_iter().filter(open).map(|(name, _)| format!("{name} does not name its permissions"));
    unlimited.into_iter().chain(unsaid).collect()
}

/// No value is pasted into a script: all go through the environment.
fn scripts_without_expressions(file: &File) -> Vec<String> {
    let scripts = file.steps().into_iter().flat_map(|step| [step["run"].as_str(), step["with"]["script"].as_str()]);
    let pasted = scripts.flatten().filter(|script| script.contains("${{"));
    pasted.map(|script| format!("an expression in a script: {script}")).collect()
}

/// `pull_request_target` runs with the rights of the repository and is asked to check out the pull request by everyone who uses
/// it wrongly.
fn safe_triggers(file: &File) -> Vec<String> {
    let known = ["pull_request", "push", "schedule", "workflow_dispatch", "workflow_run"];
    if !file.is_action() && file.triggers().is_empty() {
        return vec!["nothing that starts it, or not as a table".to_owned()];
    }
    file.triggers().into_iter().filter(|on| !known.contains(on)).map(|on| format!("started by {on}")).collect()
}

/// The token stays on the disk only in a job that pushes, and that builds nothing.
fn no_credentials_beside_code(file: &File) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, job) in file.jobs() {
        for checkout in steps(job).into_iter().filter(|step| action(step) == Some("actions/checkout")) {
            let pushes = job["permissions"]["contents"].as_str() == Some("write");
            let builds = steps(job).iter().filter_map(|step| step["run"].as_str()).any(builds);
            match checkout["with"]["persist-credentials"].as_bool() {
                Some(false) => {}
                Some(true) if pushes && !builds && file.triggers() != ["pull_request"] => {}
                _ => wrong.push(format!("{name}: credentials are left on the disk")),
            }
        }
    }
    wrong
}

/// Whether a script builds or runs the project's code.
fn builds(script: &str) -> bool {
    ["perfplan run", "perfplan tune", "perfplan selftest", "cargo build", "cargo test", ".ci/run"]
        .iter()
        .any(|command| script.contains(command))
}

/// What runs a pull request's code may write nothing, and has no secret.
fn pull_requests_only_read(file: &File) -> Vec<String> {
    if !file.triggers().contains(&"pull_request") {
        return Vec::new();
    }
    let writes = |(_, job): &(&str, &Yaml)| {
        job["permissions"].as_hash().is_some_and(|all| all.values().any(|level| level.as_str() == Some("write")))
    };
    let writers = file.jobs().into_iter().filter(writes).map(|(name, _)| format!("{name} may write"));
    let secrets = ["secrets.", "github.token"].into_iter().filter(|secret| file.text.contains(secret));
    writers.chain(secrets.map(|secret| format!("{secret} is at hand"))).collect()
}

/// What such a workflow may run: the tool is installed or built from the default branch, and it publishes.
const PRIVILEGED: [&str; 3] = [
    "command -v cargo-perfplan || cargo install --locked cargo-perfplan --version \"$PERFPLAN_VERSION\"",
    "cargo build --locked --package cargo-perfplan",
    "cargo perfplan publish --artifact perfplan-run",
];

fn the_privileged_half_runs_nothing_of_a_pull_request(file: &File) -> Vec<String> {
    if !file.triggers().contains(&"workflow_run") {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (name, job) in file.jobs() {
        let condition = job["if"].as_str().unwrap_or_default();
        if !condition.starts_with("github.event.workflow_run.event == 'pull_request' && ") || condition.contains("||") {
            wrong.push(format!("{name} answers to other runs than those of pull requests"));
        }
    }
    for step in file.steps() {
        let foreign = ["ref", "repository"].iter().any(|key| !step["with"][*key].is_badvalue());
        let permitted = [None, Some("actions/checkout"), Some("actions/cache")].contains(&action(step));
        let script = step["run"].as_str().unwrap_or(PRIVILEGED[0]).trim();
        if foreign || !permitted || !PRIVILEGED.contains(&script) {
            wrong.push(format!("more than installing and publishing: {step:?}"));
        }
        let holds = !step["env"]["GITHUB_TOKEN"].is_badvalue();
        if holds != script.starts_with("cargo perfplan publish") {
            wrong.push(format!("the token is for publishing alone: {step:?}"));
        }
    }
    let tokens = file.text.matches("github.token").count() + file.text.matches("secrets.").count();
    wrong.extend((tokens != 1).then(|| format!("the token is named {tokens} times")));
    wrong
}

/// Nothing runs for hours, and nothing twice at once.
fn limited(file: &File) -> Vec<String> {
    if file.is_action() {
        return Vec::new();
    }
    let endless = |(_, job): &(&str, &Yaml)| job["timeout-minutes"].as_i64().is_none_or(|minutes| minutes > 180);
    let jobs =
        file.jobs().into_iter().filter(endless).map(|(name, _)| format!("{name} has no time limit, or a long one"));
    let alone = file.yaml["concurrency"]["group"].as_str().is_some_and(|group| group.contains("${{"));
    jobs.chain((!alone).then(|| "no concurrency group".to_owned())).collect()
}

fn documented(file: &File) -> Vec<String> {
    let tables = [&file.yaml["on"]["workflow_dispatch"]["inputs"], &file.yaml["inputs"], &file.yaml["outputs"]];
    let entries = tables.into_iter().filter_map(Yaml::as_hash).flatten();
    let silent = entries.filter(|(_, entry)| entry["description"].as_str().is_none_or(|text| text.len() < 10));
    let silent = silent.map(|(name, _)| format!("{name:?} is not described"));
    silent.chain((!file.text.contains("name: ")).then(|| "no name".to_owned())).collect()
}

/// GitHub's own default does not stop at a failure inside a pipe; `shell: bash` does.
fn shells_stop_at_failures(file: &File) -> Vec<String> {
    if file.yaml["defaults"]["run"]["shell"].as_str() == Some("bash") {
        return Vec::new();
    }
    let scripts = file.steps().into_iter().filter(|step| step["run"].as_str().is_some());
    let other = scripts.filter(|step| step["shell"].as_str() != Some("bash"));
    other.map(|step| format!("not by bash: {step:?}")).collect()
}

/// What all rules say of a file.
pub fn broken_rules(file: &File) -> Vec<String> {
    RULES.iter().flat_map(|rule| rule(file)).map(|wrong| format!("{}: {wrong}", file.name)).collect()
}

#[test]
fn all_workflows_and_actions_keep_the_rules() {
    let files = File::all();
    assert!(files.len() >= 14, "{} files", files.len());
    let wrong: Vec<String> = files.iter().flat_map(broken_rules).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const GATE: &str = "templates/github/perfplan-gate.yml";
const PUBLISH: &str = "templates/github/perfplan-publish.yml";
const BASELINE: &str = "templates/github/perfplan-baseline.yml";
const NIGHTLY: &str = "templates/github/perfplan-nightly.yml";
const ACTION: &str = ".github/actions/perfplan/action.yml";

/// A rule, a file, what is replaced in it, and what with.
const BROKEN: &[(Rule, &str, &str, &str)] = &[
    (pinned, GATE, "checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "checkout@v6"),
    (pinned, GATE, "checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "checkout@de0fac2"),
    (pinned, GATE, " # v6.0.2", ""),
    (pinned, GATE, "- uses: actions/checkout", "- { uses: actions/checkout@main }\n      - uses: actions/checkout"),
    (pinned, ACTION, "upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0", "upload-artifact@main"),
    (least_permissions, GATE, "permissions: {}\n", ""),
    (least_permissions, GATE, "permissions: {}\n", "permissions: write-all\n"),
    (least_permissions, GATE, "permissions: {}\n", "permissions:\n  contents: read\n"),
    (least_permissions, GATE, "    permissions:\n      contents: read\n", ""),
    (scripts_without_expressions, GATE, "\"$BASE...\"", "\"${{ github.event.pull_request.base.sha }}...\""),
    (scripts_without_expressions, GATE, "run: command", "run: echo '${{ github.head_ref }}' && command"),
    (scripts_without_expressions, NIGHTLY, "\"$BUDGET\"", "\"${{ inputs.budget }}\""),
    (scripts_without_expressions, ACTION, "\"$AGAINST\"", "\"${{ inputs.against }}\""),
    (safe_triggers, GATE, "  pull_request:\n", "  pull_request_target:\n"),
    (safe_triggers, GATE, "on:\n  pull_request:\n", "on: pull_request_target\n"),
    (no_credentials_beside_code, GATE, "          persist-credentials: false\n", ""),
    (no_credentials_beside_code, GATE, "persist-credentials: false", "persist-credentials: true"),
    (no_credentials_beside_code, BASELINE, "persist-credentials: false", "persist-credentials: true"),
    (
        no_credentials_beside_code,
        BASELINE,
        "cargo perfplan baseline save main latest",
        "cargo perfplan run --save main",
    ),
    (pull_requests_only_read, GATE, "contents: read", "contents: write"),
    (pull_requests_only_read, GATE, "BUDGET: 15m", "TOKEN: ${{ secrets.PUBLISH }}"),
    (pull_requests_only_read, GATE, "BUDGET: 15m", "TOKEN: ${{ github.token }}"),
    (
        the_privileged_half_runs_nothing_of_a_pull_request,
        PUBLISH,
        "          persist-credentials: false",
        "          persist-credentials: false\n          ref: ${{ github.event.workflow_run.head_sha }}",
    ),
    (
        the_privileged_half_runs_nothing_of_a_pull_request,
        PUBLISH,
        "          persist-credentials: false",
        "          persist-credentials: false\n          repository: ${{ github.event.workflow_run.head_repository.full_name }}",
    ),
    (
        the_privileged_half_runs_nothing_of_a_pull_request,
        PUBLISH,
        "uses: actions/cache@cdf6c1fa76f9f475f3d7449005a359c84ca0f306 # v5.0.3",
        "uses: actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0",
    ),
    (
        the_privileged_half_runs_nothing_of_a_pull_request,
        PUBLISH,
        "run: cargo perfplan publish",
        "run: sh perfplan-run/x; true",
    ),
    (the_privileged_half_runs_nothing_of_a_pull_request, PUBLISH, "event == 'pull_request' &&", "event == 'push' ||"),
    (
        the_privileged_half_runs_nothing_of_a_pull_request,
        PUBLISH,
        "  PERFPLAN_VERSION:",
        "  T: ${{ github.token }}\n  PERFPLAN_VERSION:",
    ),
    (
        the_privileged_half_runs_nothing_of_a_pull_request,
        PUBLISH,
        "      - name: Install the tool\n",
        "      - name: Install the tool\n        env: { GITHUB_TOKEN: x }\n",
    ),
    (limited, GATE, "    timeout-minutes: 60\n", ""),
    (limited, GATE, "timeout-minutes: 60", "timeout-minutes: 600"),
    (limited, GATE, "  group: perfplan-gate-${{ github.event.pull_request.number }}\n", "  group: gate\n"),
    (limited, GATE, "concurrency:\n", "other:\n"),
    (documented, NIGHTLY, "description: Cases, by part", "title: Cases, by part"),
    (documented, ACTION, "description: For how many days the artifact is kept.", "required: false"),
    (shells_stop_at_failures, GATE, "    shell: bash #", "    shell: sh #"),
    (shells_stop_at_failures, ACTION, "      shell: bash\n", ""),
];

#[test]
fn every_rule_finds_what_breaks_it() {
    for (rule, name, from, to) in BROKEN {
        let good = File::read(name);
        assert!(good.text.contains(from), "{name} has no {from:?}");
        let bad = File::parse(name, &good.text.replace(from, to));
        assert!(rule(&good).is_empty() && !rule(&bad).is_empty(), "{name} with {to:?} in place of {from:?}");
    }
    let proven: Vec<usize> = BROKEN.iter().map(|(rule, ..)| *rule as usize).collect();
    assert!(RULES.iter().all(|rule| proven.contains(&(*rule as usize))), "a rule has no bad example");
}
