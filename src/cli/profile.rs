//! `cargo perfplan profile`.

use anyhow::{Context, Result};

use super::Exit;
use super::args::{Format, Of, ProfileArgs, Stacks};
use super::bar::Bar;
use super::console::Console;
use crate::measure::Processes;
use crate::pipeline::{self, Profiled, Profiling, Request, Subjected};
use crate::profile::sampling::{Method, Options};
use crate::report;

pub(super) fn profile(arguments: ProfileArgs, console: &Console) -> Result<Exit> {
    let format = arguments.format;
    let asked = asked(arguments)?;
    let mut bar = Bar::new(console);
    let found = pipeline::profile(&asked, &mut Processes, &mut bar);
    bar.finish();
    let found = found?;
    console.result(&match format {
        Format::Json => serde_json::to_string_pretty(&found)?,
        Format::Text => report::profile(&sides(&found), console.style()),
        Format::Markdown => report::profile_markdown(&sides(&found)),
    })?;
    if format == Format::Text {
        found.files.iter().for_each(|file| console.say(&file.display().to_string()));
    }
    Ok(Exit::Pass)
}

fn asked(arguments: ProfileArgs) -> Result<Profiling> {
    let ProfileArgs { case, variant, against, diff, of, time, stacks, frequency, quick, plan, out, format: _ } =
        arguments;
    let folder = std::env::current_dir().context("finding the current folder")?;
    let request = Request {
        folder,
        plan,
        filters: vec![case],
        variants: variant.into_iter().collect(),
        base: against,
        quick,
        baseline_alone: true,
        ..Request::default()
    };
    let method = stacks.map(|stacks| match stacks {
        Stacks::Dwarf => Method::Dwarf,
        Stacks::FramePointers => Method::FramePointers,
        Stacks::Perf => Method::PerfProgram,
    });
    let of = match of {
        Of::Time => Subjected::Time,
        Of::Allocations => Subjected::Allocations,
        Of::Instructions => Subjected::Instructions,
        Of::Syscalls => Subjected::Syscalls,
    };
    Ok(Profiling { request, diff, of, time, options: Options { frequency, method, ..Options::default() }, out })
}

fn sides(found: &Profiled) -> report::Sides<'_> {
    let sides = found.sides.iter().map(|side| {
        let pipeline::Side { title, profile, counts, .. } = side;
        report::ProfileSide { title, profile: profile.as_ref(), counts }
    });
    report::Sides { case: &found.case, sides: sides.collect() }
}
