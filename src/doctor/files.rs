//! The kernel's files, below a root that tests replace.

use std::path::{Path, PathBuf};

/// Where `proc`, `sys` and `etc` are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: PathBuf,
}

/// CPU time of the whole machine, in the kernel's ticks (`USER_HZ`, a hundredth of a second on all common machines).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    /// All that there was.
    pub(super) all: u64,
    /// What programs and the kernel used.
    pub(super) busy: u64,
    /// What the hypervisor gave to others while something here wanted to run.
    pub(super) stolen: u64,
}

impl Files {
    /// The machine's own.
    pub(super) fn real() -> Self {
        Self::below(Path::new("/"))
    }

    pub(super) fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// A file's text without white space around it; `None` where it can't be read. The path is relative.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = std::fs::read(self.root.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// The value behind `name:` in a file of such lines, the first one.
    pub(super) fn field(&self, path: &str, name: &str) -> Option<String> {
        let text = self.text(path)?;
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(key, _)| key.trim() == name)?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A value of `/proc/meminfo`, in KiB.
    pub(super) fn memory(&self, name: &str) -> Option<u64> {
        self.field("proc/meminfo", name)?.split_whitespace().next()?.parse().ok()
    }

    /// The CPU time that the machine has given out since it started.
    pub(super) fn ticks(&self) -> Option<Ticks> {
        let text = self.text("proc/stat")?;
        let sum = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = sum.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [user, nice, system, idle, waiting, interrupts, soft_interrupts, stolen] = *ticks.first_chunk::<8>()?;
        // The two numbers behind these, guests' time, are contained in the first two.
        let busy = user + nice + system + interrupts + soft_interrupts;
        Some(Ticks { all: busy + idle + waiting + stolen, busy, stolen })
    }

    /// The text of `file` in every folder `cpu0`, `cpu1`, ... of the CPUs: each value once, sorted.
    pub(super) fn of_all_cpus(&self, file: &str) -> Vec<String> {
        let folder = "sys/devices/system/cpu";
        let entries = std::fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let cpus = names.filter(|name| name.strip_prefix("cpu").is_some_and(|rest| rest.parse::<usize>().is_ok()));
        let mut values: Vec<String> = cpus.filter_map(|cpu| self.text(format!("{folder}/{cpu}/{file}"))).collect();
        values.sort();
        values.dedup();
        values
    }
}

/// A machine made of files, for tests.
#[cfg(test)]
pub(super) fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Files) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = root.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let files = Files::below(root.path());
    (root, files)
}
