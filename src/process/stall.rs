//! Time that others took from the measuring CPUs: what the host's hypervisor stole, and waiting for a CPU (PSI).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Reads the kernel's counters from files that stay open; cheap enough for every block.
#[derive(Debug)]
pub struct Disturbance {
    cpus: Vec<usize>,
    stat: Option<File>,
    pressure: Option<File>,
    buffer: Vec<u8>,
}

/// Counters since the machine started. What lies between two readings counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Per measuring CPU, in the order asked for, the ticks (1/100 s) that the hypervisor gave to others; empty where
    /// the kernel does not tell.
    pub steal_ticks: Vec<u64>,
    /// Microseconds in which some task of the machine waited for a CPU (PSI, `some`); `None` where the kernel does
    /// not tell.
    pub psi_us: Option<u64>,
}

impl Reading {
    /// The stolen ticks of all measuring CPUs together.
    #[must_use]
    pub fn stolen(&self) -> u64 {
        self.steal_ticks.iter().sum()
    }
}

/// The lines on CPUs come first in `/proc/stat`; each has ten numbers of at most twenty digits.
const LINE: usize = 220;

impl Disturbance {
    /// A reader for these CPUs.
    #[must_use]
    pub fn of(cpus: &[usize]) -> Self {
        Self::at(Path::new("/proc"), cpus)
    }

    fn at(proc: &Path, cpus: &[usize]) -> Self {
        let last = cpus.iter().max().map_or(0, |cpu| cpu + 1);
        Self {
            cpus: cpus.to_vec(),
            stat: File::open(proc.join("stat")).ok(),
            pressure: File::open(proc.join("pressure/cpu")).ok(),
            // One line more for the sum over all CPUs, which stands above them.
            buffer: vec![0; LINE * (last + 1)],
        }
    }

    /// What the kernel says now.
    pub fn read(&mut self) -> Reading {
        let steal_ticks = steal(text(&mut self.buffer, self.stat.as_ref()), &self.cpus).unwrap_or_default();
        Reading { steal_ticks, psi_us: waited(text(&mut self.buffer, self.pressure.as_ref())) }
    }
}

/// The beginning of a file, as far as it fits; empty where it can't be read.
fn text<'b>(buffer: &'b mut [u8], file: Option<&File>) -> &'b str {
    let count = file.and_then(|file| file.read_at(buffer, 0).ok()).unwrap_or(0);
    std::str::from_utf8(&buffer[..count]).unwrap_or_default()
}

/// The eighth number of each CPU's line; `None` where one CPU has none.
fn steal(stat: &str, cpus: &[usize]) -> Option<Vec<u64>> {
    let mut ticks = vec![None; cpus.len()];
    for line in stat.lines() {
        let Some(rest) = line.strip_prefix("cpu") else { break };
        let mut words = rest.split_ascii_whitespace();
        // The line of the sum begins with a space; then the first word is no CPU's number.
        let number = words.next().filter(|_| !rest.starts_with(' ')).and_then(|word| word.parse::<usize>().ok());
        if let Some(at) = number.and_then(|number| cpus.iter().position(|cpu| *cpu == number)) {
            ticks[at] = words.nth(7).and_then(|word| word.parse().ok());
        }
    }
    ticks.into_iter().collect()
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`
fn waited(pressure: &str) -> Option<u64> {
    let line = pressure.lines().find(|line| line.starts_with("some "))?;
    line.rsplit_once("total=")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  80036 0 5790 436638 766 0 62 16 0 0\n\
        cpu0 35957 0 2572 222896 164 0 13 5 0 0\n\
        cpu2 44078 0 3217 213742 602 0 48 11 0 0\n\
        intr 453272 0 0\n";

    fn machine(stat: Option<&str>, pressure: Option<&str>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pressure")).unwrap();
        for (name, text) in [("stat", stat), ("pressure/cpu", pressure)] {
            if let Some(text) = text {
                std::fs::write(folder.path().join(name), text).unwrap();
            }
        }
        folder
    }

    #[test]
    fn stolen_time_is_told_per_measuring_cpu_in_the_order_asked_for() {
        let machine =
            machine(Some(STAT), Some("some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\nfull avg10=0 total=9\n"));
        let reading = Disturbance::at(machine.path(), &[2, 0]).read();
        assert_eq!(reading, Reading { steal_ticks: vec![11, 5], psi_us: Some(1234) });
        assert_eq!(reading.stolen(), 16);
    }

    #[test]
    fn what_the_kernel_does_not_tell_is_absent_and_not_zero() {
        let silent = machine(None, None);
        assert_eq!(Disturbance::at(silent.path(), &[0]).read(), Reading::default());
        let other = machine(Some(STAT), Some("nonsense"));
        assert_eq!(Disturbance::at(other.path(), &[0, 1]).read(), Reading::default());
    }

    #[test]
    fn a_reading_sees_what_changed_since_the_last() {
        let machine = machine(Some(STAT), None);
        let mut disturbance = Disturbance::at(machine.path(), &[0]);
        assert_eq!(disturbance.read().stolen(), 5);
        // Same length, same file: an open descriptor sees it, as it does in /proc.
        std::fs::write(machine.path().join("stat"), STAT.replace(" 13 5 ", " 13 7 ")).unwrap();
        assert_eq!(disturbance.read().stolen(), 7);
    }

    #[test]
    fn this_machine_is_read_whole() {
        let cpus = super::super::Machine::this().unwrap().cpus;
        assert_eq!(Disturbance::of(&cpus).read().steal_ticks.len(), cpus.len());
    }
}
