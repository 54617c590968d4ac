//! The threads of a process as `/proc` shows them.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};

/// The threads of a process, the first one first.
pub(super) fn of(pid: u32) -> Result<Vec<u32>> {
    let folder = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("there is no process {pid}"))?;
    let mut threads: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    threads.sort_unstable_by_key(|thread| (*thread != pid, *thread));
    ensure!(!threads.is_empty(), "process {pid} has ended");
    Ok(threads)
}

/// The CPUs in use that at least one of a process's threads may run on, ascending.
pub(super) fn cpus(pid: u32, threads: &[u32]) -> Result<Vec<u32>> {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").context("asking which CPUs are in use")?;
    let online = list(online.trim());
    let allowed: BTreeSet<u32> = threads.iter().flat_map(|thread| allowed(pid, *thread)).collect();
    let usable: Vec<u32> = allowed.intersection(&online).copied().collect();
    ensure!(!usable.is_empty(), "process {pid} has ended");
    Ok(usable)
}

/// The name of a thread; `None` where it has ended.
pub(super) fn name(pid: u32, thread: u32) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/task/{thread}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned())
}

fn allowed(pid: u32, thread: u32) -> BTreeSet<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.map(|line| list(line.trim())).unwrap_or_default()
}

/// The kernel's way to write sets: `0-2,5`.
fn list(text: &str) -> BTreeSet<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cpus_is_read_as_the_kernel_writes_it() {
        assert_eq!(Vec::from_iter(list("0-2,5")), [0, 1, 2, 5]);
        assert_eq!(Vec::from_iter(list("3")), [3]);
        assert!(list("").is_empty());
    }

    #[test]
    fn the_first_thread_comes_first() {
        let own = std::process::id();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let threads = of(own).unwrap();
                assert_eq!(threads[0], own);
                assert!(threads.len() > 1);
                assert!(!cpus(own, &threads).unwrap().is_empty());
            });
        });
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(of(u32::MAX >> 1).is_err());
    }
}
