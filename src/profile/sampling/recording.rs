//! The file that `perf record` writes (Linux: tools/perf/Documentation/perf.data-file-format.txt).
//!
//! Read directly and not through `perf script`, which prints offsets into files in place of addresses, in some versions, and
//! takes seconds to find names that are not wanted.

use anyhow::{Context, Result, ensure};
use perf_event_open_sys::bindings::PERF_SAMPLE_READ;

use super::event::Clock;
use super::record::{Reader, Timed};

/// What the file begins with, as a number of this machine's byte order.
const MAGIC: u64 = u64::from_le_bytes(*b"PERFILE2");
/// Where the header says how long an event's description is, where the descriptions are, and where the records are.
const DESCRIPTION_SIZE: usize = 16;
const DESCRIPTIONS: usize = 24;
const RECORDS: usize = 40;
/// Where a description (`perf_event_attr`) says by what and what is sampled, where, which registers, and how much of the stack.
const KIND: usize = 0;
const SAMPLE_TYPE: usize = 24;
const FLAGS: usize = 40;
const REGISTERS: usize = 80;
const STACK: usize = 88;

/// Among the flags: whether the kernel is left out.
const EXCLUDE_KERNEL: u64 = 1 << 5;

/// What `perf record` recorded.
#[derive(Debug)]
pub(super) struct Recording {
    /// In the order of their times.
    pub(super) records: Vec<Timed>,
    /// What drove the samples.
    pub(super) clock: Clock,
    /// Whether time in the kernel was sampled.
    pub(super) kernel: bool,
}

impl Recording {
    /// Takes a file apart.
    ///
    /// # Errors
    /// Where it is none of `perf record`, or from a machine of another byte order.
    pub(super) fn parse(file: &[u8]) -> Result<Self> {
        ensure!(number(file, 0)? == MAGIC, "this is no file of perf record");
        let descriptions = part(file, DESCRIPTIONS)?;
        let size = usize::try_from(number(file, DESCRIPTION_SIZE)?)?;
        ensure!(size > STACK && descriptions.len() >= size, "perf record described no event");
        // With several events, perf lets all of them sample the same.
        let first = &descriptions[..size];
        let stack = number(first, STACK)? & u64::from(u32::MAX);
        let sampled = number(first, SAMPLE_TYPE)?;
        ensure!(sampled & u64::from(PERF_SAMPLE_READ) == 0, "perf recorded counters, which nobody asked it for");
        let reader = Reader::of(sampled, number(first, REGISTERS)?, u32::try_from(stack)?);
        let mut records = Vec::new();
        reader.read(part(file, RECORDS)?, &mut records).context("reading what perf recorded")?;
        records.sort_by_key(|timed| timed.time);
        let hardware = number(first, KIND)? & u64::from(u32::MAX) == 0;
        let clock = if hardware { Clock::Cycles } else { Clock::CpuClock };
        Ok(Self { records, clock, kernel: number(first, FLAGS)? & EXCLUDE_KERNEL == 0 })
    }
}

fn number(bytes: &[u8], at: usize) -> Result<u64> {
    let word = bytes.get(at..).and_then(<[u8]>::first_chunk).context("the file of perf record is too short")?;
    Ok(u64::from_le_bytes(*word))
}

/// The part of the file whose place and size the header tells.
fn part(file: &[u8], at: usize) -> Result<&[u8]> {
    let (place, size) = (usize::try_from(number(file, at)?)?, usize::try_from(number(file, at + 8)?)?);
    let end = place.checked_add(size).context("the file of perf record is damaged")?;
    file.get(place..end).context("the file of perf record is cut off")
}

#[cfg(test)]
mod tests {
    use perf_event_open_sys::bindings as kernel;

    use super::super::record::{Record, Sample, User};
    use super::*;

    /// A file with one event and two records, the younger one first.
    fn file() -> Vec<u8> {
        let mut description = vec![0; 128];
        description[..4].copy_from_slice(&1_u32.to_le_bytes());
        let sampled = kernel::PERF_SAMPLE_IP
            | kernel::PERF_SAMPLE_TID
            | kernel::PERF_SAMPLE_TIME
            | kernel::PERF_SAMPLE_CALLCHAIN
            | kernel::PERF_SAMPLE_PERIOD;
        description[SAMPLE_TYPE..SAMPLE_TYPE + 8].copy_from_slice(&u64::from(sampled).to_le_bytes());
        let sample = |time: u64| {
            let numbers = [9 | (64 << 48), 0x10, 7 | (8 << 32), time, 500_000, 2, kernel::PERF_CONTEXT_USER, 0x10];
            numbers.iter().flat_map(|number: &u64| number.to_le_bytes()).collect::<Vec<u8>>()
        };
        // A remark of perf's between them.
        let records = [sample(20), (68_u64 | (8 << 48)).to_le_bytes().to_vec(), sample(10)].concat();
        let (at, behind) = (104_u64, 104 + description.len() as u64);
        let header = [
            MAGIC,
            104,
            description.len() as u64,
            at,
            description.len() as u64,
            behind,
            records.len() as u64,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        let header = header.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        [header, description, records].concat()
    }

    #[test]
    fn records_are_put_in_the_order_of_their_times() {
        let recording = Recording::parse(&file()).unwrap();
        assert_eq!((recording.clock, recording.kernel), (Clock::CpuClock, true));
        assert_eq!(recording.records.iter().map(|timed| timed.time).collect::<Vec<_>>(), [10, 20]);
        let sample = Sample { pid: 7, tid: 8, kernel: vec![], user: User::Chain(vec![0x10]) };
        assert_eq!(recording.records[0].record, Record::Sample(sample));
    }

    #[test]
    fn a_kernel_that_was_left_out_is_told() {
        let mut file = file();
        file[104 + FLAGS] = EXCLUDE_KERNEL as u8;
        assert!(!Recording::parse(&file).unwrap().kernel);
    }

    #[test]
    fn a_file_that_is_cut_off_is_an_error() {
        let file = file();
        for length in [0, 7, 50, 110, file.len() - 1] {
            assert!(Recording::parse(&file[..length]).is_err(), "{length}");
        }
        assert!(Recording::parse(&[0; 200]).is_err());
    }
}
