//! One run of a criterion bench: saves a baseline, or compares with it.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use against_criterion::KERNELS;
use anyhow::{Context, Result, bail};

use crate::said::{self, Change};

const BASELINE: &str = "stored";

/// How and where benches run.
#[derive(Debug)]
pub struct Runs {
    /// criterion's folder: baselines and estimates.
    pub home: PathBuf,
    /// Seconds of warm-up per kernel.
    pub warm_up: f64,
    /// Seconds of measuring per kernel.
    pub time: f64,
}

impl Runs {
    /// Removes all that earlier runs left.
    ///
    /// # Errors
    /// Where the folder can't be removed.
    pub fn forget(&self) -> Result<()> {
        match fs::remove_dir_all(&self.home) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.home.display()))
            }
            _ => Ok(()),
        }
    }

    /// Saves a run as the baseline and says how long it took.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn save(&self, program: &Path) -> Result<Duration> {
        let start = Instant::now();
        self.run(program, "--save-baseline")?;
        Ok(start.elapsed())
    }

    /// Runs the program against the baseline: the change of every kernel, and how long the run took.
    ///
    /// # Errors
    /// Where the program fails, and where a kernel has no verdict or one that contradicts its estimates.
    pub fn compare(&self, program: &Path) -> Result<(Vec<(&'static str, Change)>, Duration)> {
        let start = Instant::now();
        let printed = self.run(program, "--baseline")?;
        let took = start.elapsed();
        let sentences = said::sentences(&printed);
        let change = |name: &'static str| {
            let sentence = sentences.iter().find(|(benchmark, _)| *benchmark == name);
            let (_, sentence) = sentence.with_context(|| format!("criterion gave no verdict on {name}:\n{printed}"))?;
            Ok((name, Change::of(*sentence, &self.take_estimates(name)?).with_context(|| format!("kernel {name}"))?))
        };
        Ok((KERNELS.iter().map(|kernel| change(kernel.name)).collect::<Result<_>>()?, took))
    }

    /// Reads a kernel's estimates and removes them, so that the next comparison can't be read out of them by mistake.
    fn take_estimates(&self, name: &str) -> Result<String> {
        let file = self.home.join(name).join("change/estimates.json");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        Ok(text)
    }

    /// What the program prints on stdout.
    #[expect(clippy::disallowed_methods, reason = "no part of the tool: the bench ends with this program's terminal")]
    fn run(&self, program: &Path, baseline: &str) -> Result<String> {
        let (warm_up, time) = (self.warm_up.to_string(), self.time.to_string());
        let arguments =
            ["--bench", "--color=never", "--warm-up-time", &warm_up, "--measurement-time", &time, baseline, BASELINE];
        let output = Command::new(program)
            .args(arguments.map(OsStr::new))
            .env("CRITERION_HOME", &self.home)
            .output()
            .with_context(|| format!("starting {}", program.display()))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("{} {}: {}\n{errors}", program.display(), arguments.join(" "), output.status);
        }
        String::from_utf8(output.stdout).context("criterion printed no UTF-8")
    }
}
