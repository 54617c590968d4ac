//! Everything there is to know, put together.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::files::Files;
use super::{circumstances, counters, fingerprint};
use crate::process::{Machine, Spec, find_program, run};
use crate::samples::Environment;

/// How long rustc may take to say its version: rustup may have to fetch a toolchain first.
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks at the machine, and at the toolchain that builds in the folder `root`. A fact that can't be had is left out.
#[must_use]
pub fn environment(root: &Path) -> Environment {
    let files = Files::real();
    let cpus = Machine::this().map(|machine| machine.cpus).unwrap_or_default();
    let rustc = rustc(root).unwrap_or_default();
    Environment {
        fingerprint: known(fingerprint::facts(&files, &rustc)),
        circumstances: known(circumstances::facts(&files, &cpus).into_iter().chain(tools()).collect()),
        absent: counters::absent(files.text("proc/sys/kernel/perf_event_paranoid").as_deref()),
    }
}

/// The programs that measure more than time, whether they are here.
fn tools() -> impl Iterator<Item = (&'static str, Option<String>)> {
    let here = |name| if find_program(name).is_some() { "installed" } else { "absent" }.to_owned();
    [("tool.perf", "perf"), ("tool.valgrind", "valgrind")].into_iter().map(move |(fact, name)| (fact, Some(here(name))))
}

fn known(facts: Vec<(&str, Option<String>)>) -> BTreeMap<String, String> {
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What `rustc -vV` says in this folder, where a `rust-toolchain.toml` may decide which rustc that is.
fn rustc(root: &Path) -> Option<String> {
    let program = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = run(&Spec::new(program).arg("-vV").current_dir(root).timeout(PATIENCE)).ok()?;
    output.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_fingerprint_that_stays() {
        let (first, second) = (environment(Path::new("/")), environment(Path::new("/")));
        for name in ["architecture", "cpu.count", "cpu.model", "kernel", "memory", "rustc", "rustc.llvm"] {
            assert!(first.fingerprint.contains_key(name), "{name} is missing in {:?}", first.fingerprint);
        }
        assert!(first.comparable(&second));
    }
}
