//! `cargo perfplan doctor`.

use std::time::Duration;

use anyhow::{Context, Result};
use console::StyledObject;

use super::Exit;
use super::args::{DoctorArgs, Format};
use super::console::Console;
use crate::doctor::{self, Finding, Severity, Subject};
use crate::measure::Processes;
use crate::pipeline::{self, Sight};
use crate::report::{Style, harmless, wrapped};
use crate::samples::Environment;
use crate::units::percent;

/// How long the machine is watched.
const WATCH: Duration = Duration::from_secs(1);
/// How long a program is measured against itself, to know what the machine can see.
const MEASURED: Duration = Duration::from_secs(4);
/// The measuring time that is said of.
const BUDGET: Duration = Duration::from_secs(60);

pub(super) fn doctor(arguments: &DoctorArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let mut environment = doctor::environment(&folder);
    doctor::watch(&mut environment, WATCH);
    let mut findings = doctor::findings(&environment);
    findings.extend(doctor::toolchain_findings(&doctor::Toolchain::of(&folder)));
    if arguments.plan.is_some() || folder.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
        findings.extend(doctor::build_findings(&pipeline::builds(&folder, arguments.plan.as_deref())?));
    }
    let sight = pipeline::sight(&mut Processes, MEASURED, BUDGET)?;
    console.result(&match arguments.format {
        Format::Json => serde_json::to_string_pretty(
            &serde_json::json!({ "environment": environment, "findings": findings, "sight": sight }),
        )?,
        Format::Text | Format::Markdown => told(&environment, &findings, console.style()) + &seen(&sight),
    })?;
    Ok(Exit::Pass)
}

/// The one number.
fn seen(sight: &Sight) -> String {
    let (change, seconds) = (percent(sight.visible, 2), sight.budget.as_secs());
    format!(
        "\n\nWhat this machine can see: a change of {change} of a small program in {seconds} s of measuring, 19 times of 20 \
         (from {} rounds of it against itself)",
        sight.rounds
    )
}

/// Everything for people: the facts, then what there is to say about them, by subject.
fn told(environment: &Environment, findings: &[Finding], style: Style) -> String {
    let fact = |(name, value): (&String, &String)| format!("  {name:24} {}", harmless(value));
    let mut lines = vec!["This machine (runs of machines that differ here are never compared silently):".to_owned()];
    lines.extend(environment.fingerprint.iter().map(fact));
    lines.push("Circumstances:".to_owned());
    lines.extend(environment.circumstances.iter().map(fact));
    if !environment.absent.is_empty() {
        lines.push("Can't be measured here:".to_owned());
        lines.extend(environment.absent.iter().map(fact));
    }
    for about in Subject::ALL {
        let own: Vec<&Finding> = findings.iter().filter(|finding| finding.about == about).collect();
        lines.extend(section(about, &own, style));
    }
    lines.join("\n")
}

fn section(about: Subject, findings: &[&Finding], style: Style) -> Vec<String> {
    let heading = match about {
        Subject::Machine => "The machine",
        Subject::Profiling => "Counting and sampling",
        Subject::Build => "Builds",
    };
    let state = if findings.is_empty() { "nothing to complain about" } else { "findings" };
    let mut lines = vec![String::new(), format!("{heading}: {state}")];
    lines.extend(findings.iter().flat_map(|finding| shown(finding, style)));
    lines
}

fn shown(finding: &Finding, style: Style) -> Vec<String> {
    let word = finding.severity.as_str();
    let text = |label: &str, text: &str| wrapped(&format!("{label}{}", harmless(text)), style.width, (4, 9));
    let mut lines =
        wrapped(&format!("{word}: {} [{}]", harmless(&finding.headline()), finding.id), style.width, (2, 4));
    lines[0] = lines[0].replacen(word, &painted(finding.severity, style).to_string(), 1);
    lines.extend(text("why: ", &finding.why));
    let mut fix = finding.fix.lines();
    lines.extend(text("fix: ", fix.next().unwrap_or_default()));
    // What is to be pasted stays in lines of its own.
    lines.extend(fix.map(|line| format!("         {}", harmless(line))));
    lines
}

fn painted(severity: Severity, style: Style) -> StyledObject<&'static str> {
    let word = console::style(severity.as_str()).force_styling(style.colour);
    match severity {
        Severity::Unfit => word.red(),
        Severity::Warning => word.yellow(),
        Severity::Note => word.dim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(about: Subject, severity: Severity) -> Finding {
        let (what, why, fix) =
            ("opt-level is 1".into(), "it is slow".into(), "[profile.release]\nopt-level = 3".into());
        Finding { id: "opt-level-below-3", about, severity, what, why, fix, variants: vec!["a".into(), "b".into()] }
    }

    #[test]
    fn findings_stand_under_their_subject_and_lines_to_paste_by_themselves() {
        let found = [finding(Subject::Build, Severity::Warning)];
        let text = told(&Environment::default(), &found, Style { colour: false, width: 80 });
        let expected = "\n\nThe machine: nothing to complain about\n\nCounting and sampling: nothing to complain about\n\n\
            Builds: findings\n  warning: a, b: opt-level is 1 [opt-level-below-3]\n    why: it is slow\n    \
            fix: [profile.release]\n         opt-level = 3";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn colour_is_on_the_severity_alone_and_only_where_wanted() {
        let found = finding(Subject::Machine, Severity::Unfit);
        let line = |colour| shown(&found, Style { colour, width: 80 }).remove(0);
        assert_eq!(line(true), "  \u{1b}[31munfit\u{1b}[0m: a, b: opt-level is 1 [opt-level-below-3]");
        assert!(!line(false).contains('\u{1b}'));
    }
}
