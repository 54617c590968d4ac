//! Attaching to a process, switching sampling on and off, and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::attach::{Attached, Closed, Target};
use super::event::{Clock, Stacks, Way};
use super::fold::fold;
use super::observer::Seen;
use super::options::{Method, Options, Sampled};
use super::perf::PerfProgram;
use super::refused::{Refused, paranoid};
use crate::profile::symbols::{Image, Symbols};

/// Samples the call stacks of a process and of what it starts, while it is switched on.
#[derive(Debug)]
pub struct Sampler {
    source: Source,
    method: Method,
    notes: Vec<String>,
    wants_kernel: bool,
    /// Since when it is on.
    begun: Option<Instant>,
    /// How long it was on before.
    spent: Duration,
}

/// Who takes the samples.
#[derive(Debug)]
enum Source {
    Kernel(Attached, Way),
    Perf(Box<PerfProgram>),
}

impl Sampler {
    /// Attaches to all threads of the process `pid`, switched off. With [`Options::on_exec`], it is switched on when the
    /// process executes another program, without [`Sampler::start`].
    ///
    /// # Errors
    /// [`Refused`] where it is not permitted; else where there is no such process, or what was asked for can't be done on
    /// this machine.
    pub fn attach(pid: u32, options: &Options) -> Result<Self> {
        let target = Target::new(pid)?;
        if options.method == Some(Method::PerfProgram) {
            return Self::by_perf(pid, options, vec![]);
        }
        match target.way(options) {
            Ok(way) => {
                let attached = target.attach(&way).with_context(|| format!("attaching to process {pid}"))?;
                let notes = fallback(&way, options).into_iter().collect();
                let method = if way.stacks == Stacks::FramePointers { Method::FramePointers } else { Method::Dwarf };
                Ok(Self::new(Source::Kernel(attached, way), method, notes, options))
            }
            Err(Closed::Refused(error)) if options.method.is_none() => {
                let note = format!("sampled by perf record: the kernel does not permit this process to ({error})");
                Self::by_perf(pid, options, vec![note]).map_err(|perf| Refused::new(error, format!("{perf:#}")).into())
            }
            Err(Closed::Refused(error)) => bail!(Refused::new(error, "not asked, because the method was given")),
            Err(Closed::Ended) => bail!("process {pid} has ended"),
            Err(Closed::Impossible(error)) => Err(error).context("this machine can't sample call stacks in this way"),
        }
    }

    fn by_perf(pid: u32, options: &Options, notes: Vec<String>) -> Result<Self> {
        let perf = PerfProgram::attach(pid, options)?;
        Ok(Self::new(Source::Perf(Box::new(perf)), Method::PerfProgram, notes, options))
    }

    fn new(source: Source, method: Method, notes: Vec<String>, options: &Options) -> Self {
        let begun = options.on_exec.then(Instant::now);
        Self { source, method, notes, wants_kernel: options.kernel, begun, spent: Duration::ZERO }
    }

    /// Switches sampling on.
    ///
    /// # Errors
    /// Where the kernel or perf refuses.
    pub fn start(&mut self) -> Result<()> {
        match &mut self.source {
            Source::Kernel(attached, _) => {
                attached.samplers.iter().try_for_each(|event| event.enable()).context("switching sampling on")?;
            }
            Source::Perf(perf) => perf.start()?,
        }
        self.begun.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Switches sampling off. It may be switched on again.
    ///
    /// # Errors
    /// Where the kernel or perf refuses.
    pub fn stop(&mut self) -> Result<()> {
        self.spent += self.begun.take().map_or(Duration::ZERO, |begun| begun.elapsed());
        match &mut self.source {
            Source::Kernel(attached, _) => {
                attached.samplers.iter().try_for_each(|event| event.disable()).context("switching sampling off")
            }
            Source::Perf(perf) => perf.stop(),
        }
    }

    /// Lets go of the process and says what was seen, with names. What the process had mapped is known since it was mapped;
    /// with [`Method::PerfProgram`], those files have to be there still.
    ///
    /// # Errors
    /// Where records can't be read, or perf failed.
    pub fn finish(mut self, symbols: &mut Symbols) -> Result<Sampled> {
        if self.begun.is_some() {
            // What has ended can't be switched off, and need not.
            let _ = self.stop();
        }
        let (seen, clock, kernel) = match self.source {
            Source::Kernel(attached, way) => (attached.drain.finish()?, way.clock, way.kernel),
            Source::Perf(perf) => perf.finish()?,
        };
        let folded = fold(&seen, symbols);
        let mut notes = self.notes;
        notes.extend(wishes(clock, kernel || !self.wants_kernel));
        notes.extend(remarks(&seen, symbols));
        Ok(Sampled {
            stacks: folded.stacks,
            samples: folded.samples,
            rooted: folded.rooted,
            truncated: folded.truncated,
            lost: seen.lost,
            event: clock.to_string(),
            method: self.method,
            whole_names: nameless(&seen, symbols).next().is_none(),
            notes,
            duration: self.spent,
        })
    }
}

/// What the samples leave to be desired: the timer in place of cycles, and the kernel where it was wanted.
fn wishes(clock: Clock, kernel: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if clock == Clock::CpuClock {
        notes.push(
            "sampled by the kernel's timer: this machine has no counter of cycles that can be sampled".to_owned(),
        );
    }
    if !kernel {
        let level = paranoid().map_or_else(String::new, |level| format!(" (kernel.perf_event_paranoid is {level})"));
        notes.push(format!(
            "time in the kernel is not seen{level}: sudo sysctl kernel.perf_event_paranoid=1, or CAP_PERFMON for this program"
        ));
    }
    notes
}

/// Why it is not the best method.
fn fallback(way: &Way, options: &Options) -> Option<String> {
    let by_necessity = options.method.is_none() && way.stacks == Stacks::FramePointers;
    by_necessity.then(|| {
        "stacks by frame pointers: this kernel does not copy registers and stacks; code without frame pointers loses its \
         callers"
            .to_owned()
    })
}

/// What happened meanwhile, and what the names lack.
fn remarks(seen: &Seen, symbols: &mut Symbols) -> Vec<String> {
    let mut remarks = Vec::new();
    if seen.lost > 0 {
        remarks.push(format!("{} samples found no room and are lost", seen.lost));
    }
    if seen.throttled > 0 {
        remarks
            .push(format!("the kernel held samples back {} times: the frequency is too high for it", seen.throttled));
    }
    if seen.has_kernel() && !symbols.knows_kernel() {
        remarks.push("the kernel hides the names of its functions (kernel.kptr_restrict, /proc/kallsyms)".to_owned());
    }
    for image in nameless(seen, symbols) {
        remarks.push(format!(
            "inlined functions of {} are named without their modules: build it with debug = \"limited\" or more",
            image.name()
        ));
    }
    remarks
}

/// The files whose inlined functions are named without their modules.
fn nameless<'s>(seen: &'s Seen, symbols: &'s Symbols) -> impl Iterator<Item = &'s Arc<Image>> {
    seen.images.iter().filter(|image| symbols.lacks_paths(image))
}
