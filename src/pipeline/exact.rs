//! What is counted exactly, in processes of its own: system calls, instructions by callgrind, allocations by call site.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use perfplan_harness::protocol::Site;

use super::sampling;
use crate::measure::{Around, Bench, Subject};
use crate::process::{self, trace};
use crate::profile::allocations::{self, Allocations};
use crate::profile::callgrind::{self, Callgrind, Children, Cost, Dump};
use crate::profile::folded::Folded;
use crate::profile::symbols::Symbols;
use crate::profile::unwind::{AddressSpace, Frame, Images};
use crate::profile::{hotpath, syscalls};
use crate::samples::{FunctionShare, Metric};

/// Under which name instructions are kept that callgrind counted: where hardware counts them, they are `instructions`.
pub(super) const INSTRUCTIONS: &str = "callgrind.instructions";

/// That name as a metric.
pub(super) fn metric() -> Result<Metric> {
    INSTRUCTIONS.parse().map_err(anyhow::Error::msg)
}

/// The system calls of an arm per iteration, from `n` iterations or one execution.
pub(super) fn syscalls(bench: &mut Bench<'_>, subject: &Subject, arm: usize, n: u64) -> Result<BTreeMap<Metric, f64>> {
    if subject.is_command() {
        return Ok(syscalls::metrics(&trace::run(&bench.command(subject, arm)?)?.1, 1));
    }
    let mut ready = bench.ready(subject, arm, n, &Around::default())?;
    let tracer = trace::Tracer::attach(ready.pid())?;
    ready.trace(n)?;
    let counts = tracer.finish()?;
    ready.end()?;
    Ok(syscalls::metrics(&counts, n))
}

/// Instructions of an arm, over all its iterations, by function.
#[derive(Clone, Debug, Default)]
pub(super) struct Instructions {
    pub(super) total: u64,
    functions: BTreeMap<String, Cost>,
}

/// The instructions of `n` iterations of an arm, or of one execution. callgrind's files go through `scratch`.
pub(super) fn instructions(
    bench: &mut Bench<'_>,
    subject: &Subject,
    arm: usize,
    n: u64,
    scratch: &Path,
) -> Result<Instructions> {
    let tool = Callgrind::find()?;
    let folder = Folder::make(scratch.join("callgrind"))?;
    under_callgrind(bench, subject, arm, n, &tool, &folder.0).map_err(unknown_to_valgrind)?;
    let dumps = callgrind::read(&folder.0)?;
    // Of a worker only what lies between the fences is work.
    let of_work: Vec<Dump> = dumps.into_iter().filter(|dump| subject.is_command() || dump.is_requested()).collect();
    ensure!(!of_work.is_empty(), "callgrind saw no fence: is the program's perfplan-harness older than this tool?");
    Ok(of_work.into_iter().fold(Instructions::default(), Instructions::with))
}

/// Runs `n` iterations of an arm, or one execution; callgrind's files are in `folder` then.
fn under_callgrind(
    bench: &mut Bench<'_>,
    subject: &Subject,
    arm: usize,
    n: u64,
    tool: &Callgrind,
    folder: &Path,
) -> Result<()> {
    if subject.is_command() {
        let words = tool.prefix(folder, Children::Followed);
        process::run(&bench.watched(subject, arm, &words)?)?.check("running it under callgrind")?;
        return Ok(());
    }
    let around = Around { wrapper: tool.prefix(folder, Children::Left), ..Around::default() };
    let mut ready = bench.ready(subject, arm, 1, &around)?;
    ready.trace(n)?;
    ready.end()
}

/// Says what stands behind an illegal instruction: valgrind knows fewer than the processor.
fn unknown_to_valgrind(error: anyhow::Error) -> anyhow::Error {
    if format!("{error:#}").contains("SIGILL") {
        return error
            .context("valgrind does not know an instruction of this build (target-cpu = native with AVX-512?)");
    }
    error
}

/// A folder that is there as long as this is, and empty at first.
struct Folder(PathBuf);

impl Folder {
    fn make(path: PathBuf) -> Result<Self> {
        // What a killed run left there would be taken for this one's.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Instructions {
    fn with(mut self, dump: Dump) -> Self {
        self.total += dump.total;
        for (name, cost) in dump.functions {
            let sum = self.functions.entry(name).or_default();
            (sum.own, sum.inclusive) = (sum.own + cost.own, sum.inclusive + cost.inclusive);
        }
        self
    }

    /// The mean of `n` iterations.
    pub(super) fn per_iteration(&self, n: u64) -> f64 {
        self.total as f64 / n as f64
    }

    /// Shares of the functions that matter most: those with the largest own and inclusive counts.
    pub(super) fn functions(&self) -> Vec<FunctionShare> {
        let share = |count: u64| vec![count as f64 / self.total.max(1) as f64];
        let mut all: Vec<(&String, &Cost)> = self.functions.iter().collect();
        all.sort_by_key(|(_, cost)| std::cmp::Reverse(cost.own));
        let each = all.into_iter().take(sampling::FUNCTIONS);
        each.map(|(name, cost)| FunctionShare {
            name: name.clone(),
            own: share(cost.own),
            total: share(cost.inclusive),
        })
        .collect()
    }

    /// Every function by itself, for a picture: callgrind keeps no whole stacks.
    pub(super) fn folded(&self) -> Folded {
        let mut folded = Folded::default();
        self.functions.iter().for_each(|(name, cost)| folded.add(["all", name], cost.own));
        folded
    }
}

/// What the crate `hotpath` in an arm's program reports of `n` iterations, or of one execution.
pub(super) fn hotpath(
    bench: &mut Bench<'_>,
    subject: &Subject,
    arm: usize,
    n: u64,
    scratch: &Path,
) -> Result<Vec<(Metric, f64)>> {
    let file = scratch.join("hotpath.json");
    // An earlier report would be taken for this one.
    let _ = fs::remove_file(&file);
    let path = file.to_str().context("hotpath takes no path that is not UTF-8")?;
    let set = [("HOTPATH_OUTPUT_FORMAT", "json"), ("HOTPATH_OUTPUT_PATH", path), ("HOTPATH_LIMIT", "0")];
    if subject.is_command() {
        let spec = set.iter().fold(bench.command(subject, arm)?, |spec, (name, value)| spec.env(name, value));
        process::run(&spec)?.check("running it with a report of hotpath")?;
    } else {
        let env = set.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let mut ready = bench.ready(subject, arm, 0, &Around { env, ..Around::default() })?;
        ready.batch(n)?;
        ready.end()?;
    }
    let report = fs::read_to_string(&file).context(
        "the program wrote no report of hotpath: build it with the crate's feature, and keep its guard to the end of main",
    )?;
    let _ = fs::remove_file(&file);
    hotpath::metrics(&report)
}

/// The allocations of `n` iterations of an arm, by call site.
pub(super) fn allocations(bench: &mut Bench<'_>, subject: &Subject, arm: usize, n: u64) -> Result<Allocations> {
    ensure!(!subject.is_command(), "allocations are counted by perfplan-harness, and a command does not link it");
    let mut ready = bench.ready(subject, arm, n, &Around::default())?;
    let sites = ready.sites(n)?;
    // While it lives, it can be asked what is mapped where.
    let mut images = Images::default();
    let space = AddressSpace::of(ready.pid(), &mut images).context("reading what the worker has mapped")?;
    ready.end()?;
    Ok(named(&sites, &space, &images))
}

fn named(sites: &[Site], space: &AddressSpace, images: &Images) -> Allocations {
    let mut symbols = Symbols::new();
    images.look_up(sites.iter().flat_map(|site| &site.stack).map(|address| space.locate(*address)), &mut symbols);
    let mut resolve = |address: u64| -> Vec<String> {
        let Frame::Code { image, address } = space.locate(address) else { return Vec::new() };
        let Some(image) = images.get(image) else { return Vec::new() };
        symbols.names(image, address).iter().map(|name| name.to_string()).collect()
    };
    let Allocations { calls, bytes } = allocations::fold(sites, "all", &mut resolve);
    Allocations { calls: of_the_case(&calls), bytes: of_the_case(&bytes) }
}

/// Stacks from the case's own code on: else the way there, which all of them share, is all that a table has room for.
fn of_the_case(stacks: &Folded) -> Folded {
    let mut own = Folded::default();
    stacks.stacks().for_each(|stack| own.add(sampling::of_the_case(stack.folded()), stack.count));
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_begins_empty_and_is_gone_after_an_error() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("callgrind");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("callgrind.out.1"), "of a killed run").unwrap();
        let fails = || -> Result<()> {
            let folder = Folder::make(path.clone())?;
            assert_eq!(fs::read_dir(&folder.0)?.count(), 0);
            anyhow::bail!("it went wrong")
        };
        assert!(fails().is_err() && !path.exists());
    }

    #[test]
    fn an_illegal_instruction_is_told_with_its_likely_cause_and_nothing_else_is() {
        let told = |text: &str| format!("{:#}", unknown_to_valgrind(anyhow::anyhow!("{text}")));
        assert!(told("the worker ended (ended by SIGILL)").starts_with("valgrind does not know an instruction"));
        assert_eq!(told("the worker ended (ended by SIGSEGV)"), "the worker ended (ended by SIGSEGV)");
    }

    #[test]
    fn call_sites_are_told_from_the_cases_own_code_on() {
        let sites =
            Folded::parse("all;main;perfplan_harness::suite::repeated;case;push 3\nall;start;thread 1\n").unwrap();
        assert_eq!(of_the_case(&sites).to_string(), "all;case;push 3\nall;start;thread 1\n");
    }

    #[test]
    fn allocations_are_named_by_the_functions_at_their_addresses() {
        let mut images = Images::default();
        let space = AddressSpace::of(std::process::id(), &mut images).unwrap();
        let here = allocations_are_named_by_the_functions_at_their_addresses as fn() as usize as u64;
        let sites = [
            Site { calls: 2, bytes: 16, stack: vec![here] },
            Site { calls: 1, bytes: 8, stack: vec![1] },
            Site { calls: 4, bytes: 64, stack: vec![] },
        ];
        let named = named(&sites, &space, &images);
        let text = named.calls.to_string();
        assert!(text.contains("allocations_are_named_by_the_functions_at_their_addresses"), "{text}");
    }
}
