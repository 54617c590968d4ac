//! What may explain a difference between two runs of one machine.

use super::files::Files;
use super::groups;

/// Facts by name; `cpus` are those that the process may use.
pub(super) fn facts(files: &Files, cpus: &[usize]) -> Vec<(&'static str, Option<String>)> {
    let kernel = |name: &str| files.text(format!("proc/sys/kernel/{name}"));
    let mut facts = vec![
        ("aslr", kernel("randomize_va_space").map(aslr)),
        ("clock", files.text("sys/devices/system/clocksource/clocksource0/current_clocksource")),
        ("kernel.release", kernel("osrelease")),
        ("kptr_restrict", kernel("kptr_restrict")),
        ("load", load(files)),
        ("os", files.text("etc/os-release").and_then(|text| os(&text))),
        ("perf.privileged", privileged(files).map(yes_no)),
        ("perf_event_paranoid", kernel("perf_event_paranoid")),
        ("psi", Some(if files.text("proc/pressure/cpu").is_some() { "available" } else { "absent" }.to_owned())),
        ("psi.cpu", pressure(files, "cpu")),
        ("psi.memory", pressure(files, "memory")),
        ("ptrace_scope", kernel("yama/ptrace_scope")),
    ];
    facts.extend(processor(files, cpus));
    facts.extend(memory(files));
    facts
}

fn processor(files: &Files, cpus: &[usize]) -> Vec<(&'static str, Option<String>)> {
    let of_all = |file: &str| Some(files.of_all_cpus(file).join(" ")).filter(|all| !all.is_empty());
    vec![
        ("cpu.driver", of_all("cpufreq/scaling_driver")),
        ("cpu.governor", of_all("cpufreq/scaling_governor")),
        ("cpu.limit", Some(groups::cpu_limit(files).map_or("none".to_owned(), |limit| format!("{limit:.2} CPUs")))),
        ("cpu.limit.hit", groups::throttled(files).map(percent)),
        ("cpu.smt", files.text("sys/devices/system/cpu/smt/active").map(|active| on_off(active == "1"))),
        ("cpu.steal", steal(files).map(percent)),
        ("cpu.throttled", throttled(files).map(|times| format!("{times} times"))),
        ("cpu.turbo", turbo(files).map(on_off)),
        ("cpu.usable", Some(ranges(cpus)).filter(|all| !all.is_empty())),
        ("numa.balancing", files.text("proc/sys/kernel/numa_balancing").map(|set| on_off(set != "0"))),
        ("numa.nodes", files.text("sys/devices/system/node/online")),
    ]
}

fn memory(files: &Files) -> Vec<(&'static str, Option<String>)> {
    let mebibytes = |kib: u64| format!("{} MiB", kib / 1024);
    let limit = groups::memory_limit(files).map(|bytes| mebibytes(bytes / 1024));
    vec![
        ("memory.hugepages", files.text("sys/kernel/mm/transparent_hugepage/enabled").and_then(|all| chosen(&all))),
        ("memory.limit", Some(limit.unwrap_or("none".to_owned()))),
        ("memory.swap", files.memory("SwapTotal").map(mebibytes)),
        ("memory.swapped", swapped(files).map(mebibytes)),
        ("memory.swappiness", files.text("proc/sys/vm/swappiness")),
    ]
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Whether the process may use all of the kernel's performance events whatever `perf_event_paranoid` says: it has
/// `CAP_PERFMON` or `CAP_SYS_ADMIN` (capabilities(7)).
fn privileged(files: &Files) -> Option<bool> {
    const PERFMON: u64 = 1 << 38;
    const SYS_ADMIN: u64 = 1 << 21;
    let mask = u64::from_str_radix(&files.field("proc/self/status", "CapEff")?, 16).ok()?;
    Some(mask & (PERFMON | SYS_ADMIN) != 0)
}

/// The share of the last ten seconds in which something waited for a resource: `some avg10=1.53 avg60=...`.
fn pressure(files: &Files, resource: &str) -> Option<String> {
    let text = files.text(format!("proc/pressure/{resource}"))?;
    let (_, rest) = text.lines().find_map(|line| line.strip_prefix("some "))?.split_once("avg10=")?;
    Some(format!("{} %", rest.split_whitespace().next()?))
}

/// How often the processor was too hot since the machine started: of the core or package that it happened to most.
pub(super) fn throttled(files: &Files) -> Option<u64> {
    let counts = ["core", "package"].map(|part| files.of_all_cpus(&format!("thermal_throttle/{part}_throttle_count")));
    counts.iter().flatten().filter_map(|count| count.parse().ok()).max()
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
fn steal(files: &Files) -> Option<f64> {
    let ticks = files.ticks()?;
    (ticks.all > 0).then(|| ticks.stolen as f64 / ticks.all as f64)
}

/// The averages over 1, 5 and 15 minutes.
fn load(files: &Files) -> Option<String> {
    let text = files.text("proc/loadavg")?;
    Some(text.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
}

/// KiB of memory that lie on disk.
fn swapped(files: &Files) -> Option<u64> {
    files.memory("SwapTotal")?.checked_sub(files.memory("SwapFree")?)
}

/// The word in brackets: `always [madvise] never`.
fn chosen(all: &str) -> Option<String> {
    Some(all.split_once('[')?.1.split_once(']')?.0.to_owned())
}

fn os(release: &str) -> Option<String> {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
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
            (&*format!("{cpu}/cpu0/cpufreq/scaling_driver"), "acpi-cpufreq\n"),
            (&*format!("{cpu}/cpu0/thermal_throttle/core_throttle_count"), "9\n"),
            (&*format!("{cpu}/cpu1/thermal_throttle/core_throttle_count"), "10\n"),
            (&*format!("{cpu}/smt/active"), "1\n"),
            ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
            ("sys/devices/system/node/online", "0-1\n"),
            ("proc/sys/kernel/numa_balancing", "1\n"),
            ("proc/sys/kernel/yama/ptrace_scope", "1\n"),
            ("proc/sys/vm/swappiness", "60\n"),
            ("proc/pressure/memory", "some avg10=1.50 avg60=0.10 avg300=0.00 total=3\nfull avg10=9.00 total=1\n"),
            (&*format!("{cpu}/intel_pstate/no_turbo"), "0\n"),
            ("proc/stat", "cpu  100 0 50 800 0 0 0 50 7 0\ncpu0 1 1\n"),
            ("proc/loadavg", "0.52 0.58 0.59 1/200 4242\n"),
            ("proc/meminfo", "SwapTotal: 4096 kB\nSwapFree: 1024 kB\n"),
            ("proc/sys/kernel/randomize_va_space", "2\n"),
            ("proc/pressure/cpu", "some total=1"),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
        ];
        for (name, value) in [
            ("aslr", "full"),
            ("cpu.governor", "performance powersave"),
            ("clock", "tsc"),
            ("cpu.driver", "acpi-cpufreq"),
            ("cpu.limit", "none"),
            ("cpu.smt", "on"),
            ("cpu.steal", "5.00 %"),
            ("cpu.throttled", "10 times"),
            ("cpu.turbo", "on"),
            ("cpu.usable", "0-2,5"),
            ("load", "0.52 0.58 0.59"),
            ("memory.hugepages", "madvise"),
            ("memory.limit", "none"),
            ("memory.swap", "4 MiB"),
            ("memory.swapped", "3 MiB"),
            ("memory.swappiness", "60"),
            ("numa.balancing", "on"),
            ("numa.nodes", "0-1"),
            ("os", "Debian GNU/Linux 12"),
            ("psi", "available"),
            ("psi.memory", "1.50 %"),
            ("ptrace_scope", "1"),
        ] {
            assert_eq!(fact(&files, name).as_deref(), Some(value), "{name}");
        }
    }

    #[test]
    fn the_capability_for_performance_events_is_one_bit_of_many() {
        let privileged =
            |mask: &str| fact(&[("proc/self/status", &format!("Name:\tx\nCapEff:\t{mask}\n"))], "perf.privileged");
        assert_eq!(privileged("0000004000000000").as_deref(), Some("yes"));
        assert_eq!(privileged("0000000000200000").as_deref(), Some("yes"));
        assert_eq!(privileged("0000000000080000").as_deref(), Some("no"));
    }

    #[test]
    fn boost_is_amds_word_for_turbo() {
        assert_eq!(fact(&[("sys/devices/system/cpu/cpufreq/boost", "0")], "cpu.turbo").as_deref(), Some("off"));
        assert_eq!(fact(&[], "cpu.turbo"), None);
    }
}
