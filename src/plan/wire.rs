//! The shape of the file, and its way into domain types. Nothing of it is seen outside the room.

mod matrix;
mod steps;
mod waivers;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::fault::{Fault, Refusal, instead};
use super::layers::lay_over;
use super::values::{
    AllocatorWord, Bytes, CargoName, Chance, Debug, EnvName, FilterText, Linker, Lto, MetricName, Name, OptLevel,
    OwnTolerance, Panic, Positive, Rounds, SizeWord, Text, Time, Tolerance, Written,
};
use super::{Building, Measure, Plan, TrainingPlan, Variant, Workload, WorkloadSource};
use crate::samples::{CaseId, Gate, Metric, Step};
use matrix::{Axes, WireMatrix};
use steps::WireStep;
use waivers::WireWaiver;

/// The defaults, as a plan.
const DEFAULTS: &str = include_str!("default.toml");

const OWN_NAME: &str = r#"give each its own: name = "...""#;

/// Reads a plan: the text, laid over the defaults.
pub(super) fn read(text: &str) -> Result<Plan, Fault> {
    let mut table = DeTable::parse(DEFAULTS)?.into_inner();
    let mut file = DeTable::parse(text)?.into_inner();
    let axes = matrix::settle(&mut table, &mut file);
    lay_over(&mut table, file);
    let wire = WirePlan::deserialize(Deserializer::from(Spanned::new(0..0, table)))?;
    plan(wire, axes, text)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct WirePlan {
    gate: WireGate,
    measure: WireMeasure,
    build: WireBuild,
    pgo: WirePgo,
    #[serde(default)]
    workload: Vec<Spanned<WireWorkload>>,
    variant: Spanned<Vec<WireVariant>>,
    matrix: WireMatrix,
    #[serde(default)]
    step: Vec<Spanned<WireStep>>,
    #[serde(default)]
    waiver: Vec<Spanned<WireWaiver>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct WireGate {
    family_error: Text<Chance>,
    tolerance: Text<Tolerance>,
    tolerances: BTreeMap<Spanned<String>, Text<OwnTolerance>>,
    metrics: Spanned<Vec<Spanned<Text<MetricName>>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct WireMeasure {
    budget: Text<Time>,
    quick_budget: Text<Time>,
    size: Text<SizeWord>,
    most_rounds: Rounds,
    batch: Text<Time>,
    round: Text<Time>,
    timeout: Text<Time>,
    shuffle_layouts: bool,
    layouts: Positive,
    baseline: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct WireBuild {
    jobs: Option<Positive>,
    disk_limit: Text<Bytes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct WirePgo {
    train: Vec<Text<FilterText>>,
    size: Text<SizeWord>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct WireWorkload {
    name: Option<Spanned<String>>,
    timeout: Option<Text<Time>>,
    package: Option<Spanned<Text<CargoName>>>,
    bin: Option<Spanned<Text<CargoName>>>,
    features: Option<Spanned<Vec<String>>>,
    command: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, expecting = "a table")]
struct WireVariant {
    name: Spanned<Text<Name>>,
    profile: Option<Text<CargoName>>,
    lto: Option<Text<Lto>>,
    codegen_units: Option<Positive>,
    opt_level: Option<Text<OptLevel>>,
    panic: Option<Text<Panic>>,
    debug: Option<Text<Debug>>,
    target_cpu: Option<String>,
    linker: Option<Text<Linker>>,
    frame_pointers: Option<bool>,
    allocator: Option<Text<AllocatorWord>>,
    #[serde(default)]
    pgo: bool,
    #[serde(default)]
    bolt: bool,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    rustflags: Vec<String>,
    #[serde(default)]
    env: BTreeMap<EnvName, String>,
    same_results: Option<bool>,
    #[serde(default)]
    only: Vec<Text<FilterText>>,
    #[serde(default)]
    explicit: bool,
}

fn plan(wire: WirePlan, axes: Axes, text: &str) -> Result<Plan, Fault> {
    let (most_rounds, baseline) = (wire.measure.most_rounds.0, wire.measure.baseline.clone());
    let variants = variants(wire.variant)?;
    let baseline = baseline_of(&variants, baseline)?;
    Ok(Plan {
        path: None,
        gate: gate(wire.gate, most_rounds)?,
        measure: Measure::from(wire.measure),
        workloads: workloads(wire.workload)?,
        building: Building { jobs: wire.build.jobs.map(|jobs| jobs.0), disk_limit: wire.build.disk_limit.0 },
        training: TrainingPlan {
            cases: wire.pgo.train.into_iter().map(|filter| filter.0).collect(),
            size: wire.pgo.size.0,
        },
        matrix: matrix::matrix(wire.matrix, baseline, axes)?,
        baseline: baseline.name.clone(),
        steps: steps::steps(wire.step, &variants, text)?,
        waivers: waivers::waivers(wire.waiver)?,
        variants,
    })
}

fn gate(wire: WireGate, most_rounds: u32) -> Result<Gate, Fault> {
    if wire.metrics.get_ref().is_empty() {
        let help = "name a metric, or leave the key out for those that are judged by default";
        return Err(Fault::at(&wire.metrics, "no metric is judged", help));
    }
    let metrics = wire.metrics.into_inner();
    let names = metrics.iter().map(|metric| (metric.get_ref().0.to_string(), metric.span()));
    unique(names, |name| format!("the metric {name:?} is named twice"), "remove one of them")?;
    Ok(Gate {
        family_error: wire.family_error.0,
        tolerances: wire.tolerances.into_iter().map(own_tolerance).collect::<Result<_, _>>()?,
        tolerance: wire.tolerance.0,
        metrics: metrics.into_iter().map(|metric| metric.into_inner().0).collect(),
        most_rounds: most_rounds as usize,
    })
}

fn own_tolerance((name, tolerance): (Spanned<String>, Text<OwnTolerance>)) -> Result<(Metric, f64), Fault> {
    let refused = |refusal: Refusal| Fault::at(&name, refusal.problem, refusal.help);
    Ok((MetricName::read(name.get_ref()).map_err(refused)?, tolerance.0))
}

impl From<WireMeasure> for Measure {
    fn from(wire: WireMeasure) -> Self {
        Self {
            budget: wire.budget.0,
            quick_budget: wire.quick_budget.0,
            size: wire.size.0,
            batch: wire.batch.0,
            round: wire.round.0,
            timeout: wire.timeout.0,
            shuffle_layouts: wire.shuffle_layouts,
            layouts: wire.layouts.0 as usize,
        }
    }
}

fn workloads(wires: Vec<Spanned<WireWorkload>>) -> Result<Vec<Workload>, Fault> {
    let named = wires.into_iter().map(workload).collect::<Result<Vec<_>, _>>()?;
    let names = named.iter().map(|(workload, span)| (workload.name.clone(), span.clone()));
    unique(names, |name| format!("two workloads are called {name:?}"), OWN_NAME)?;
    Ok(named.into_iter().map(|(workload, _)| workload).collect())
}

/// The workload, and the place that its name comes from.
fn workload(wire: Spanned<WireWorkload>) -> Result<(Workload, Range<usize>), Fault> {
    let span = wire.span();
    let WireWorkload { name, timeout, package, bin, features, command } = wire.into_inner();
    let (source, default) = match (package, command) {
        (Some(package), None) => from_package(package, bin, features),
        (None, Some(command)) => from_command(command, bin, features)?,
        (Some(_), Some(command)) => {
            return Err(Fault::at(&command, "a workload is a package or a command, not both", "remove one of them"));
        }
        (None, None) => {
            let help = r#"add package = "..." (a package of the workspace) or command = ["program", "argument"]"#;
            return Err(Fault::new(span, "a workload without a package or a command", help));
        }
    };
    let name = name.unwrap_or(default);
    // A workload's name is the first part of its cases' names and has to be fit for that; the second part plays no role.
    let checked = CaseId::new(name.get_ref(), "case");
    checked.map_err(|problem| Fault::at(&name, problem, r#"give it a fitting name: name = "...""#))?;
    if name.get_ref() == Step::WORKLOAD {
        let problem = format!("{:?} is what the steps of the plan are called", Step::WORKLOAD);
        return Err(Fault::at(&name, problem, r#"give it another name: name = "...""#));
    }
    let place = name.span();
    Ok((Workload { name: name.into_inner(), timeout: timeout.map(|timeout| timeout.0), source }, place))
}

fn from_package(
    package: Spanned<Text<CargoName>>,
    bin: Option<Spanned<Text<CargoName>>>,
    features: Option<Spanned<Vec<String>>>,
) -> (WorkloadSource, Spanned<String>) {
    let place = bin.as_ref().unwrap_or(&package);
    let name = Spanned::new(place.span(), place.get_ref().0.clone());
    let source = WorkloadSource::Package {
        package: package.into_inner().0,
        bin: bin.map(|bin| bin.into_inner().0),
        features: features.map(Spanned::into_inner).unwrap_or_default(),
    };
    (source, name)
}

fn from_command(
    command: Spanned<Vec<String>>,
    bin: Option<Spanned<Text<CargoName>>>,
    features: Option<Spanned<Vec<String>>>,
) -> Result<(WorkloadSource, Spanned<String>), Fault> {
    let stray = bin.map(|bin| ("bin", bin.span())).or(features.map(|features| ("features", features.span())));
    if let Some((key, span)) = stray {
        return Err(Fault::new(span, format!("{key} belongs to a package, not to a command"), "remove it"));
    }
    let Some(program) = command.get_ref().first().filter(|program| !program.is_empty()) else {
        return Err(Fault::at(
            &command,
            "an empty command",
            r#"write the program and its arguments: ["wc", "-l", "file"]"#,
        ));
    };
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_owned();
    let name = Spanned::new(command.span(), name);
    Ok((WorkloadSource::Command { argv: command.into_inner() }, name))
}

fn variants(wires: Spanned<Vec<WireVariant>>) -> Result<Vec<Variant>, Fault> {
    if wires.get_ref().is_empty() {
        let help = r#"name one, or leave the key out for the variant "release""#;
        return Err(Fault::at(&wires, "there is no variant", help));
    }
    let wires = wires.into_inner();
    let names = wires.iter().map(|wire| (wire.name.get_ref().0.to_string(), wire.name.span()));
    unique(names, |name| format!("two variants are called {name:?}"), OWN_NAME)?;
    Ok(wires.into_iter().map(Variant::from).collect())
}

impl From<WireVariant> for Variant {
    fn from(wire: WireVariant) -> Self {
        Self {
            name: wire.name.into_inner().0,
            profile: wire.profile.map(|profile| profile.0),
            lto: wire.lto.map(|lto| lto.0),
            codegen_units: wire.codegen_units.map(|units| units.0),
            opt_level: wire.opt_level.map(|level| level.0),
            panic: wire.panic.map(|panic| panic.0),
            debug: wire.debug.map(|debug| debug.0),
            target_cpu: wire.target_cpu,
            linker: wire.linker.map(|linker| linker.0),
            frame_pointers: wire.frame_pointers,
            allocator: wire.allocator.map(|allocator| allocator.0),
            pgo: wire.pgo,
            bolt: wire.bolt,
            features: wire.features,
            rustflags: wire.rustflags,
            env: wire.env.into_iter().map(|(name, value)| (name.0, value)).collect(),
            same_results: wire.same_results.unwrap_or(true),
            only: wire.only.into_iter().map(|filter| filter.0).collect(),
            explicit: wire.explicit,
        }
    }
}

fn baseline_of(variants: &[Variant], asked: Option<Spanned<String>>) -> Result<&Variant, Fault> {
    match asked {
        Some(asked) => known(variants, asked.get_ref(), asked.span()),
        // The list of variants is not empty: `variants` saw to it.
        None => Ok(&variants[0]),
    }
}

/// The variant of the plan that is called so at this place.
fn known<'v>(variants: &'v [Variant], name: &str, span: Range<usize>) -> Result<&'v Variant, Fault> {
    variants.iter().find(|variant| variant.name.as_str() == name).ok_or_else(|| {
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        Fault::new(span, format!("there is no variant {name:?}"), instead(name, &names))
    })
}

/// Refuses the second of two equal names.
fn unique(
    names: impl Iterator<Item = (String, Range<usize>)>,
    problem: impl Fn(&str) -> String,
    help: &str,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (name, span) in names {
        if seen.contains(&name) {
            return Err(Fault::new(span, problem(&name), help));
        }
        seen.insert(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_gets_no_more_rounds_than_a_run_can_be_read_with() {
        assert_eq!(read("[measure]\nmost-rounds = 4096").unwrap().gate.most_rounds, 4096);
        let fault = read("[measure]\nmost-rounds = 4097").unwrap_err();
        assert_eq!(fault.problem, "integer `4097` does not fit here");
        assert_eq!(fault.help.as_deref(), Some("expected a whole number from 1 to 4096"));
    }
}
