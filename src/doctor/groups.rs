//! What the control groups that the process is in leave it: CPU time and memory. The tightest of the nested groups counts.

use std::path::{Path, PathBuf};

use super::files::Files;

/// A group's folder, and whether it is one of version 2.
struct Group {
    folder: PathBuf,
    unified: bool,
}

/// How many CPUs' worth of time the groups allow.
pub(super) fn cpu_limit(files: &Files) -> Option<f64> {
    groups(files, "cpu").iter().filter_map(|group| quota(files, group)).min_by(f64::total_cmp)
}

/// The share of periods in which a group used its CPU time up and stood still, of the group that did so most; since the
/// groups were made.
pub(super) fn throttled(files: &Files) -> Option<f64> {
    let share = |group: &Group| {
        let text = files.text(group.folder.join("cpu.stat"))?;
        let value =
            |name: &str| -> Option<f64> { text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()) };
        let periods = value("nr_periods ").filter(|periods| *periods > 0.0)?;
        Some(value("nr_throttled ")? / periods)
    };
    groups(files, "cpu").iter().filter_map(share).max_by(f64::total_cmp)
}

/// The bytes of memory that the groups allow; `None` without a limit below what the machine has.
pub(super) fn memory_limit(files: &Files) -> Option<u64> {
    let bytes = |group: &Group| {
        let name = if group.unified { "memory.max" } else { "memory.limit_in_bytes" };
        files.text(group.folder.join(name))?.parse::<u64>().ok()
    };
    let machine = files.memory("MemTotal")?.checked_mul(1024)?;
    // Version 1 says a number that no machine has where there is no limit.
    groups(files, "memory").iter().filter_map(bytes).min().filter(|limit| *limit < machine)
}

/// The groups of the process that a controller works in, and all above them.
fn groups(files: &Files, controller: &str) -> Vec<Group> {
    let text = files.text("proc/self/cgroup").unwrap_or_default();
    text.lines().flat_map(|line| of_line(line, controller)).collect()
}

/// `0::/job/step` in version 2, `4:cpu,cpuacct:/job` in version 1.
fn of_line(line: &str, controller: &str) -> Vec<Group> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next().unwrap_or(""), parts.next().unwrap_or("/"));
    let unified = controllers.is_empty();
    if !unified && !controllers.split(',').any(|name| name == controller) {
        return Vec::new();
    }
    let mount = Path::new("sys/fs/cgroup").join(if unified { "" } else { controller });
    // Relative to the mount, whose own folder is the last of the ancestors.
    let folders = Path::new(path.trim_start_matches('/')).ancestors().map(|folder| mount.join(folder));
    folders.map(|folder| Group { folder, unified }).collect()
}

/// One group's limit: `max 100000` and `150000 100000` (quota and period, microseconds), or two files in version 1.
fn quota(files: &Files, group: &Group) -> Option<f64> {
    let read = |name| files.text(group.folder.join(name));
    let text = if group.unified {
        read("cpu.max")?
    } else {
        format!("{} {}", read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?)
    };
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::super::files::machine;
    use super::*;

    #[test]
    fn the_tightest_control_group_limits_the_process() {
        let own = ("proc/self/cgroup", "0::/job/step\n");
        let step = ("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
        assert_eq!(with(&[own, step], cpu_limit), None);
        assert_eq!(with(&[own, step, ("sys/fs/cgroup/job/cpu.max", "150000 100000\n")], cpu_limit), Some(1.5));
        // In a container of its own namespace the group is the root, which only there has a limit.
        let root = [("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "400000 100000")];
        assert_eq!(with(&root, cpu_limit), Some(4.0));
        let old = ("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/job\n");
        let quota = ("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000");
        assert_eq!(with(&[old, quota, ("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000")], cpu_limit), Some(0.5));
        assert_eq!(with(&[], cpu_limit), None);
    }

    fn with<T>(all: &[(&str, &str)], look: impl Fn(&Files) -> T) -> T {
        let (_root, files) = machine(all);
        look(&files)
    }

    #[test]
    fn a_quota_that_was_hit_says_how_often() {
        let own = ("proc/self/cgroup", "0::/job\n");
        let stat = "usage_usec 1\nnr_periods 400\nnr_throttled 30\nthrottled_usec 9\n";
        assert_eq!(with(&[own, ("sys/fs/cgroup/job/cpu.stat", stat)], throttled), Some(0.075));
        // Without a quota there are no periods.
        let none = "usage_usec 1\nnr_periods 0\nnr_throttled 0\n";
        assert_eq!(with(&[own, ("sys/fs/cgroup/job/cpu.stat", none)], throttled), None);
    }

    #[test]
    fn memory_is_limited_below_what_the_machine_has() {
        let total = ("proc/meminfo", "MemTotal: 8388608 kB\n");
        let (own, old) = (("proc/self/cgroup", "0::/job\n"), ("proc/self/cgroup", "4:memory:/job\n"));
        let gib = 1u64 << 30;
        let new_limit = |text| with(&[total, own, ("sys/fs/cgroup/job/memory.max", text)], memory_limit);
        let old_limit =
            |text| with(&[total, old, ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", text)], memory_limit);
        assert_eq!((new_limit("2147483648"), new_limit("max")), (Some(2 * gib), None));
        assert_eq!((old_limit("1073741824"), old_limit("9223372036854771712")), (Some(gib), None));
    }
}
