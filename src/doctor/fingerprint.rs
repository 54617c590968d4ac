//! What makes numbers of two machines incomparable: the processor, what it runs under, and the compiler.

use super::files::Files;

/// Instruction sets that compilers and libraries choose code by. The full list of flags changes with every kernel.
const INSTRUCTION_SETS: [&str; 22] = [
    // x86-64
    "sse4_2",
    "popcnt",
    "avx",
    "avx2",
    "fma",
    "bmi1",
    "bmi2",
    "erms",
    "fsrm",
    "sha_ni",
    "vaes",
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "amx_tile", // arm64
    "asimd",
    "atomics",
    "crc32",
    "sve",
    "sve2",
];

/// Facts by name; `rustc` is what `rustc -vV` says.
pub(super) fn facts(files: &Files, rustc: &str) -> Vec<(&'static str, Option<String>)> {
    vec![
        ("architecture", Some(std::env::consts::ARCH.to_owned())),
        ("cpu.count", cpus(files)),
        ("cpu.features", features(files)),
        ("cpu.model", model(files)),
        ("cpu.stepping", stepping(files)),
        ("kernel", files.text("proc/sys/kernel/osrelease").map(|release| series(&release))),
        ("memory", files.memory("MemTotal").map(gibibytes)),
        ("rustc", line_of(rustc, "rustc ")),
        ("rustc.host", line_of(rustc, "host: ")),
        ("rustc.llvm", line_of(rustc, "LLVM version: ")),
        ("virtualisation", virtualisation(files)),
    ]
}

fn cpus(files: &Files) -> Option<String> {
    let text = files.text("proc/cpuinfo")?;
    let count = text.lines().filter(|line| line.starts_with("processor")).count();
    (count > 0).then(|| count.to_string())
}

/// The processor's name; arm64 has numbers only.
fn model(files: &Files) -> Option<String> {
    let info = |name| files.field("proc/cpuinfo", name);
    let numbers = || Some(format!("implementer {} part {}", info("CPU implementer")?, info("CPU part")?));
    info("model name").or_else(numbers)
}

fn stepping(files: &Files) -> Option<String> {
    let info = |name| files.field("proc/cpuinfo", name);
    let arm = || Some(format!("variant {} revision {}", info("CPU variant")?, info("CPU revision")?));
    let x86 =
        || Some(format!("family {} model {} stepping {}", info("cpu family")?, info("model")?, info("stepping")?));
    x86().or_else(arm)
}

fn flags(files: &Files) -> Option<String> {
    files.field("proc/cpuinfo", "flags").or_else(|| files.field("proc/cpuinfo", "Features"))
}

fn features(files: &Files) -> Option<String> {
    let flags = flags(files)?;
    let present: Vec<&str> = flags.split_whitespace().collect();
    let found: Vec<&str> = INSTRUCTION_SETS.into_iter().filter(|name| present.contains(name)).collect();
    Some(found.join(" "))
}

/// `6.18` of `6.18.44-generic`: a security update does not make another machine.
fn series(release: &str) -> String {
    release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
}

/// Whole GiB: machines of one class differ by what firmware and kernel keep for themselves.
fn gibibytes(kib: u64) -> String {
    format!("{} GiB", (kib as f64 / f64::from(1 << 20)).round().max(1.0))
}

/// What the machine runs under. The firmware's names tell the class of a cloud machine.
fn virtualisation(files: &Files) -> Option<String> {
    let names = ["sys_vendor", "product_name"].map(|name| files.text(format!("sys/class/dmi/id/{name}")));
    let names: Vec<String> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    let names = names.join(" ");
    let guest = flags(files)?.split_whitespace().any(|flag| flag == "hypervisor") || {
        // arm64 has no such flag.
        ["KVM", "QEMU", "Virtual", "VMware", "Amazon EC2", "Google Compute"].iter().any(|vendor| names.contains(vendor))
            && !names.contains(".metal")
    };
    Some(match (guest, names.as_str()) {
        (false, _) => "none".to_owned(),
        (true, "") => "virtual machine".to_owned(),
        (true, names) => format!("virtual machine ({names})"),
    })
}

fn line_of(text: &str, before: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(before)).map(|value| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::files::machine;
    use super::*;

    const X86: &str = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Xeon\nstepping\t: 8\n\
        flags\t\t: fpu sse4_2 avx avx2 avx512f hypervisor\n\nprocessor\t: 1\nmodel name\t: Xeon\n";
    const RUSTC: &str = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n\
        release: 1.95.0\nLLVM version: 22.1.0\n";

    fn fact(files: &Files, name: &str) -> Option<String> {
        facts(files, RUSTC).into_iter().find(|(known, _)| *known == name).and_then(|(_, value)| value)
    }

    #[test]
    fn an_x86_guest_is_described() {
        let (_root, files) = machine(&[
            ("proc/cpuinfo", X86),
            ("proc/sys/kernel/osrelease", "6.18.44-aws\n"),
            ("proc/meminfo", "MemTotal:       16084120 kB\nMemFree: 1 kB\n"),
            ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n"),
            ("sys/class/dmi/id/product_name", "m7i.large\n"),
        ]);
        for (name, value) in [
            ("cpu.count", "2"),
            ("cpu.features", "sse4_2 avx avx2 avx512f"),
            ("cpu.model", "Xeon"),
            ("cpu.stepping", "family 6 model 143 stepping 8"),
            ("kernel", "6.18"),
            ("memory", "15 GiB"),
            ("rustc", "1.95.0 (59807616e 2026-04-14)"),
            ("rustc.llvm", "22.1.0"),
            ("virtualisation", "virtual machine (Amazon EC2 m7i.large)"),
        ] {
            assert_eq!(fact(&files, name).as_deref(), Some(value), "{name}");
        }
    }

    #[test]
    fn an_arm_machine_is_described_by_its_numbers() {
        let info = "processor : 0\nFeatures : fp asimd atomics sve\nCPU implementer : 0x41\nCPU variant : 0x1\n\
            CPU part : 0xd40\nCPU revision : 1\n";
        let (_root, files) = machine(&[("proc/cpuinfo", info), ("sys/class/dmi/id/sys_vendor", "QEMU")]);
        assert_eq!(fact(&files, "cpu.model").as_deref(), Some("implementer 0x41 part 0xd40"));
        assert_eq!(fact(&files, "cpu.stepping").as_deref(), Some("variant 0x1 revision 1"));
        assert_eq!(fact(&files, "cpu.features").as_deref(), Some("asimd atomics sve"));
        assert_eq!(fact(&files, "virtualisation").as_deref(), Some("virtual machine (QEMU)"));
    }

    #[test]
    fn a_machine_without_a_hypervisor_is_none_of_a_guest() {
        let info = X86.replace(" hypervisor", "");
        let (_root, files) = machine(&[("proc/cpuinfo", &info), ("sys/class/dmi/id/sys_vendor", "Dell Inc.")]);
        assert_eq!(fact(&files, "virtualisation").as_deref(), Some("none"));
    }

    #[test]
    fn what_the_kernel_does_not_tell_is_left_out() {
        let (_root, files) = machine(&[]);
        let known: Vec<_> = facts(&files, "").into_iter().filter(|(_, value)| value.is_some()).collect();
        assert_eq!(known, [("architecture", Some(std::env::consts::ARCH.to_owned()))]);
    }
}
