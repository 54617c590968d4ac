//! What may explain a difference between two runs of one machine.

use std::path::{Path, PathBuf};

use super::files::Files;

/// Facts by name; `cpus` are those that the process may use.
pub(super) fn facts(files: &Files, cpus: &[usize]) -> Vec<(&'static str, Option<String>)> {
    let kernel = |name: &str| files.text(format!("proc/sys/kernel/{name}"));
    vec![
        ("aslr", kernel("randomize_va_space").map(aslr)),
        ("cpu.governor", Some(files.of_all_cpus("cpufreq/scaling_governor").join(" ")).filter(|all| !all.is_empty())),
        ("cpu.limit", Some(cpu_limit(files).map_or("none".to_owned(), |limit| format!("{limit:.2} CPUs")))),
        ("cpu.smt", files.text("sys/devices/system/cpu/smt/active").map(|active| on_off(active == "1"))),
        ("cpu.steal", steal(files)),
        ("cpu.turbo", turbo(files).map(on_off)),
        ("cpu.usable", Some(ranges(cpus)).filter(|all| !all.is_empty())),
        ("kernel.release", kernel("osrelease")),
        ("load", load(files)),
        ("memory.hugepages", files.text("sys/kernel/mm/transparent_hugepage/enabled").and_then(|all| chosen(&all))),
        ("memory.swapped", swapped(files)),
        ("os", files.text("etc/os-release").and_then(|text| os(&text))),
        ("perf_event_paranoid", kernel("perf_event_paranoid")),
        ("psi", Some(if files.text("proc/pressure/cpu").is_some() { "available" } else { "absent" }.to_owned())),
    ]
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn aslr(setting: String) -> String {
    match setting.as_str() {
        "0" => "off".to_owned(),
        "1" => "without heap".to_owned(),
        "2" => "full".to_owned(),
        _ => setting,
    }
}

/// Whether the processor may clock above its nominal frequency; Intel's driver says it the other way round.
fn turbo(files: &Files) -> Option<bool> {
    let cpus = "sys/devices/system/cpu";
    let intel = files.text(format!("{cpus}/intel_pstate/no_turbo")).map(|off| off == "0");
    intel.or_else(|| files.text(format!("{cpus}/cpufreq/boost")).map(|on| on == "1"))
}

/// The share of time that the hypervisor gave to others since the machine started.
fn steal(files: &Files) -> Option<String> {
    let text = files.text("proc/stat")?;
    let sum = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = sum.split_whitespace().map_while(|word| word.parse().ok()).collect();
    // Of the ten numbers the last two, guests' time, are contained in the first two.
    let all: u64 = ticks.iter().take(8).sum();
    (all > 0).then(|| Some(format!("{:.2} %", *ticks.get(7)? as f64 / all as f64 * 100.0)))?
}

/// The averages over 1, 5 and 15 minutes.
fn load(files: &Files) -> Option<String> {
    let text = files.text("proc/loadavg")?;
    Some(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

fn swapped(files: &Files) -> Option<String> {
    let used = files.memory("SwapTotal")?.checked_sub(files.memory("SwapFree")?)?;
    Some(format!("{} MiB", used / 1024))
}

/// The word in brackets: `always [madvise] never`.
fn chosen(all: &str) -> Option<String> {
    Some(all.split_once('[')?.1.split_once(']')?.0.to_owned())
}

fn os(release: &str) -> Option<String> {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// How many CPUs' worth of time the control groups that the process is in allow; the tightest counts.
fn cpu_limit(files: &Files) -> Option<f64> {
    let groups = files.text("proc/self/cgroup")?;
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or("/"));
        let unified = controllers.is_empty();
        let relevant = unified || controllers.split(',').any(|name| name == "cpu");
        let mount = if unified { Path::new("sys/fs/cgroup") } else { Path::new("sys/fs/cgroup/cpu") };
        let folders = if relevant { with_ancestors(path) } else { Vec::new() };
        folders.into_iter().filter_map(move |folder| limit(files, &mount.join(folder), unified))
    });
    limits.min_by(f64::total_cmp)
}

/// The group's folder and all above it, relative to the mount, whose own folder is the last.
fn with_ancestors(path: &str) -> Vec<PathBuf> {
    Path::new(path.trim_start_matches('/')).ancestors().map(Path::to_owned).collect()
}

/// One group's limit: `max 100000` and `150000 100000` (quota and period, microseconds), or two files in version 1.
fn limit(files: &Files, group: &Path, unified: bool) -> Option<f64> {
    let text = if unified {
        files.text(group.join("cpu.max"))?
    } else {
        let read = |name| files.text(group.join(name));
        format!("{} {}", read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?)
    };
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

/// `0-3,6`, as the kernel writes sets of CPUs.
fn ranges(cpus: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for cpu in cpus {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *cpu => *last = *cpu,
            _ => runs.push((*cpu, *cpu)),
        }
    }
    let word =
        |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(word).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::super::files::machine;
    use super::*;

    fn fact(all: &[(&str, &str)], name: &str) -> Option<String> {
        let (_root, files) = machine(all);
        facts(&files, &[0, 1, 2, 5]).into_iter().find(|(known, _)| *known == name).and_then(|(_, value)| value)
    }

    #[test]
    fn a_plain_machine_is_described() {
        let cpu = "sys/devices/system/cpu";
        let files = [
            (&*format!("{cpu}/cpu0/cpufreq/scaling_governor"), "powersave\n"),
            (&*format!("{cpu}/cpu1/cpufreq/scaling_governor"), "performance\n"),
            (&*format!("{cpu}/cpufreq/policy0"), "no CPU"),
            (&*format!("{cpu}/smt/active"), "1\n"),
            (&*format!("{cpu}/intel_pstate/no_turbo"), "0\n"),
            ("proc/stat", "cpu  100 0 50 800 0 0 0 50 7 0\ncpu0 1 1\n"),
            ("proc/loadavg", "0.52 0.58 0.59 1/200 4242\n"),
            ("proc/meminfo", "SwapTotal: 4096 kB\nSwapFree: 1024 kB\n"),
            ("proc/sys/kernel/randomize_va_space", "2\n"),
            ("proc/pressure/cpu", "some total=1"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
        ];
        for (name, value) in [
            ("aslr", "full"),
            ("cpu.governor", "performance powersave"),
            ("cpu.limit", "none"),
            ("cpu.smt", "on"),
            ("cpu.steal", "5.00 %"),
            ("cpu.turbo", "on"),
            ("cpu.usable", "0-2,5"),
            ("load", "0.52 0.58 0.59"),
            ("memory.hugepages", "madvise"),
            ("memory.swapped", "3 MiB"),
            ("os", "Debian GNU/Linux 12"),
            ("psi", "available"),
        ] {
            assert_eq!(fact(&files, name).as_deref(), Some(value), "{name}");
        }
    }

    #[test]
    fn the_tightest_control_group_limits_the_process() {
        let limit = |files: &[(&str, &str)]| fact(files, "cpu.limit").unwrap();
        let own = ("proc/self/cgroup", "0::/job/step\n");
        let step = ("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
        assert_eq!(limit(&[own, step]), "none");
        assert_eq!(limit(&[own, step, ("sys/fs/cgroup/job/cpu.max", "150000 100000\n")]), "1.50 CPUs");
        // In a container of its own namespace the group is the root, which only there has a limit.
        assert_eq!(limit(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "400000 100000")]), "4.00 CPUs");
        let old = ("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/job\n");
        let quota = ("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "50000");
        assert_eq!(limit(&[old, quota, ("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000")]), "0.50 CPUs");
    }

    #[test]
    fn boost_is_amds_word_for_turbo() {
        assert_eq!(fact(&[("sys/devices/system/cpu/cpufreq/boost", "0")], "cpu.turbo").as_deref(), Some("off"));
        assert_eq!(fact(&[], "cpu.turbo"), None);
    }
}
