//! The kernel's records in our words.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

use linux_perf_event_reader::{
    BranchSampleFormat, Endianness, EventRecord, RawData, RawDataU64, RawEventRecord, ReadFormat, RecordIdParseInfo,
    RecordParseInfo, RecordType, SampleFormat, SampleRecord,
};
use perf_event_open_sys::bindings::{self as kernel, perf_event_attr};

use crate::profile::unwind::{Mapping, Registers, Stack};

/// Bytes of the header that every record begins with: type, circumstances, size.
const HEADER: usize = 8;
/// Bytes of a field: process and thread id take one together, the time one.
const FIELD: u8 = 8;
/// Where a mapping with a build id has the id's length, bytes behind the header; and the most that it has room for.
const BUILD_ID_SIZE: usize = 32;
const MOST_BUILD_ID: u8 = 20;

/// Something that happened, and when, nanoseconds of the monotonic clock.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Timed {
    pub(super) time: u64,
    pub(super) record: Record,
}

/// What the kernel tells of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A look at a running thread.
    Sample(Sample),
    /// A process mapped code.
    Mapped { pid: u32, mapping: Mapping },
    /// A thread got a name, because it executed another program or for any other reason.
    Named { pid: u32, tid: u32, name: String, exec: bool },
    /// A thread began.
    Began { pid: u32, parent_pid: u32, tid: u32, parent_tid: u32 },
    /// So many records found no room.
    Lost(u64),
    /// The kernel held an event back because it came too often.
    Throttled,
}

/// A look at a running thread.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) pid: u32,
    pub(super) tid: u32,
    /// Addresses in the kernel, innermost first: where it was, and where it returns to.
    pub(super) kernel: Vec<u64>,
    pub(super) user: User,
}

/// What is known of the user's side of a stack.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum User {
    /// To be unwound.
    Copied(Registers, Stack),
    /// Unwound by frame pointers, innermost first: where it was, and where it returns to. Empty where nothing is known: in
    /// threads of the kernel, and in those that are ending.
    Chain(Vec<u64>),
}

/// Takes the records of a sampler and its tracker apart.
#[derive(Debug)]
pub(super) struct Reader {
    info: RecordParseInfo,
    /// Where a sample has its chain, bytes behind the header.
    chain_at: usize,
    /// Bytes of a full stack copy.
    copy: u64,
}

impl Reader {
    /// A reader for what the sampler writes. The tracker's records end like its own.
    pub(super) fn new(sampler: &perf_event_attr) -> Self {
        Self::of(sampler.sample_type, sampler.sample_regs_user, sampler.sample_stack_user)
    }

    /// A reader for the records of events that sample this (`PERF_SAMPLE_*`), these registers, and so many bytes of stack.
    /// All of their records end with thread and time (`sample_id_all`).
    pub(super) fn of(sample_type: u64, registers: u64, copy: u32) -> Self {
        let endian = if cfg!(target_endian = "little") { Endianness::LittleEndian } else { Endianness::BigEndian };
        let format = SampleFormat::from_bits_truncate(sample_type);
        // At most 64 fields.
        let fields = |of: SampleFormat| format.intersection(of).bits().count_ones() as u8;
        let before_chain = SampleFormat::IDENTIFIER
            | SampleFormat::IP
            | SampleFormat::TID
            | SampleFormat::TIME
            | SampleFormat::ADDR
            | SampleFormat::ID
            | SampleFormat::STREAM_ID
            | SampleFormat::CPU
            | SampleFormat::PERIOD;
        let chain_at = usize::from(fields(before_chain) * FIELD);
        let behind_time = SampleFormat::ID | SampleFormat::STREAM_ID | SampleFormat::CPU | SampleFormat::IDENTIFIER;
        let from_time = fields(behind_time) + 1;
        let before_time = fields(SampleFormat::IDENTIFIER | SampleFormat::IP | SampleFormat::TID);
        let info = RecordParseInfo {
            endian,
            sample_format: format,
            branch_sample_format: BranchSampleFormat::empty(),
            read_format: ReadFormat::empty(),
            common_data_offset_from_end: Some((from_time + fields(SampleFormat::TID)) * FIELD),
            nonsample_record_time_offset_from_end: Some(from_time * FIELD),
            sample_record_time_offset_from_start: Some(before_time * FIELD),
            sample_regs_user: registers,
            user_regs_count: registers.count_ones() as u8,
            sample_regs_intr: 0,
            intr_regs_count: 0,
            id_parse_info: RecordIdParseInfo {
                nonsample_record_id_offset_from_end: None,
                sample_record_id_offset_from_start: None,
            },
        };
        Self { info, chain_at, copy: copy.into() }
    }

    /// Adds the records that `bytes` consists of, whole ones, to `records`. Kinds that say nothing here are left out.
    ///
    /// # Errors
    /// Where the bytes are no records.
    pub(super) fn read(&self, mut bytes: &[u8], records: &mut Vec<Timed>) -> io::Result<()> {
        while !bytes.is_empty() {
            let [t0, t1, t2, t3, m0, m1, s0, s1] =
                *bytes.first_chunk::<HEADER>().ok_or(io::ErrorKind::UnexpectedEof)?;
            let kind = RecordType(u32::from_ne_bytes([t0, t1, t2, t3]));
            let size = usize::from(u16::from_ne_bytes([s0, s1])).max(HEADER);
            let (record, rest) = bytes.split_at_checked(size).ok_or(io::ErrorKind::UnexpectedEof)?;
            bytes = rest;
            // The kernel's own; numbers from here on are perf's remarks in its files.
            if kind.is_user_type() {
                continue;
            }
            let (misc, body) = (u16::from_ne_bytes([m0, m1]), &record[HEADER..]);
            if !self.is_sound(kind, misc, body) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let raw = RawEventRecord::new(kind, misc, RawData::from(body), self.info);
            if let Some(record) = self.translated(raw.parse()?) {
                records.push(Timed { time: raw.timestamp().unwrap_or(0), record });
            }
        }
        Ok(())
    }

    /// Whether the lengths in a record are ones that it can have. The parser counts on that, and panics.
    fn is_sound(&self, kind: RecordType, misc: u16, body: &[u8]) -> bool {
        if kind == RecordType::MMAP2 && u32::from(misc) & kernel::PERF_RECORD_MISC_MMAP_BUILD_ID != 0 {
            return body.get(BUILD_ID_SIZE).is_none_or(|size| *size <= MOST_BUILD_ID);
        }
        if kind != RecordType::SAMPLE || !self.info.sample_format.contains(SampleFormat::CALLCHAIN) {
            return true;
        }
        let chain = body.get(self.chain_at..).and_then(<[u8]>::first_chunk).map(|size| u64::from_ne_bytes(*size));
        // What ends earlier is told by the parser.
        chain.is_none_or(|frames| frames <= body.len() as u64 / u64::from(FIELD))
    }

    fn translated(&self, event: EventRecord<'_>) -> Option<Record> {
        let (id, text) =
            (i32::cast_unsigned, |data: RawData<'_>| String::from_utf8_lossy(&data.as_slice()).into_owned());
        Some(match event {
            EventRecord::Sample(sample) => Record::Sample(self.sample(&sample)),
            EventRecord::Mmap2(map) => {
                let path = OsStr::from_bytes(&map.path.as_slice()).to_owned();
                let mapping =
                    Mapping { start: map.address, length: map.length, offset: map.page_offset, path: path.into() };
                Record::Mapped { pid: id(map.pid), mapping }
            }
            EventRecord::Comm(comm) => {
                Record::Named { pid: id(comm.pid), tid: id(comm.tid), name: text(comm.name), exec: comm.is_execve }
            }
            EventRecord::Fork(fork) => Record::Began {
                pid: id(fork.pid),
                parent_pid: id(fork.ppid),
                tid: id(fork.tid),
                parent_tid: id(fork.ptid),
            },
            EventRecord::Lost(lost) => Record::Lost(lost.count),
            EventRecord::Throttle(_) => Record::Throttled,
            _ => return None,
        })
    }

    fn sample(&self, sample: &SampleRecord<'_>) -> Sample {
        let id = |id: Option<i32>| id.unwrap_or_default().cast_unsigned();
        let (kernel, chain) = sample.callchain.map(sides).unwrap_or_default();
        let registers = sample.user_regs.as_ref().and_then(|found| Registers::sampled(|index| found.get(index)));
        let user = match (registers, sample.user_stack) {
            (Some(registers), Some((bytes, valid))) => {
                let kept = usize::try_from(valid).unwrap_or(usize::MAX).min(bytes.len());
                let bytes = bytes.as_slice()[..kept].to_vec();
                User::Copied(registers, Stack { bytes, full: valid >= self.copy })
            }
            _ => User::Chain(chain),
        };
        Sample { pid: id(sample.pid), tid: id(sample.tid), kernel, user }
    }
}

/// The kernel's and the user's part of a chain, which markers tell apart.
fn sides(chain: RawDataU64<'_>) -> (Vec<u64>, Vec<u64>) {
    let (mut kernel, mut user) = (Vec::new(), Vec::new());
    let mut in_kernel = false;
    for address in (0..chain.len()).filter_map(|index| chain.get(index)) {
        match address {
            kernel::PERF_CONTEXT_KERNEL => in_kernel = true,
            kernel::PERF_CONTEXT_USER => in_kernel = false,
            kernel::PERF_CONTEXT_MAX.. => {} // Guests and hypervisors, which are not sampled.
            address if in_kernel => kernel.push(address),
            address => user.push(address),
        }
    }
    (kernel, user)
}

#[cfg(test)]
mod tests {
    use super::super::event::{Clock, Stacks, Way};
    use super::*;

    fn reader(stacks: Stacks) -> Reader {
        Reader::new(&Way { clock: Clock::CpuClock, stacks, kernel: true, rate: 1997, on_exec: false }.sampler())
    }

    /// A record of numbers of 8 bytes, with bytes behind them.
    fn record(kind: u32, misc: u16, numbers: &[u64], bytes: &[u8]) -> Vec<u8> {
        let size = u16::try_from(HEADER + numbers.len() * 8 + bytes.len()).unwrap();
        let mut record = [&kind.to_ne_bytes()[..], &misc.to_ne_bytes(), &size.to_ne_bytes()].concat();
        record.extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
        record.extend(bytes);
        record
    }

    /// Two numbers of 4 bytes as one of 8.
    fn pair(first: u32, second: u32) -> u64 {
        let [a, b, c, d] = first.to_ne_bytes();
        let [e, f, g, h] = second.to_ne_bytes();
        u64::from_ne_bytes([a, b, c, d, e, f, g, h])
    }

    fn read(reader: &Reader, bytes: &[u8]) -> Vec<Timed> {
        let mut records = Vec::new();
        reader.read(bytes, &mut records).unwrap();
        records
    }

    #[test]
    fn a_chain_falls_into_the_kernels_and_the_users_part() {
        let (kernel, user) = (kernel::PERF_CONTEXT_KERNEL, kernel::PERF_CONTEXT_USER);
        let sample = record(9, 2, &[pair(7, 8), 500, 6, kernel, 0xffff_8000_0000_1000, user, 0x10, 0x20, 0x30], &[]);
        let expected =
            Sample { pid: 7, tid: 8, kernel: vec![0xffff_8000_0000_1000], user: User::Chain(vec![0x10, 0x20, 0x30]) };
        let found = read(&reader(Stacks::FramePointers), &sample);
        assert_eq!(found, [Timed { time: 500, record: Record::Sample(expected) }]);
    }

    #[test]
    fn of_a_stack_copy_only_the_valid_part_is_kept() {
        let reader = reader(Stacks::Copied(16));
        let count = crate::profile::unwind::USER_REGISTERS.count_ones() as usize;
        let registers = &[0x1000; 4][..count];
        let copy = |valid: u64| {
            let numbers = [&[pair(7, 7), 500, 0, 2], registers, &[16, 1, 2, valid]].concat();
            let found = read(&reader, &record(9, 2, &numbers, &[]));
            let [Timed { record: Record::Sample(Sample { user: User::Copied(_, stack), .. }), .. }] = &found[..] else {
                panic!("{found:?}")
            };
            (stack.bytes.len(), stack.full)
        };
        assert_eq!((copy(8), copy(16)), ((8, false), (16, true)));
    }

    #[test]
    fn a_sample_without_registers_has_no_user_side() {
        let found = read(&reader(Stacks::Copied(16)), &record(9, 1, &[pair(7, 7), 500, 0, 0, 0], &[]));
        assert!(
            matches!(&found[..], [Timed { record: Record::Sample(sample), .. }] if sample.user == User::Chain(vec![]))
        );
    }

    #[test]
    fn mappings_names_beginnings_and_losses_are_told_apart() {
        let trailer = [pair(7, 7).to_ne_bytes(), 500_u64.to_ne_bytes()].concat();
        let bytes = [
            record(
                10,
                2,
                &[pair(7, 8), 0x4000, 0x2000, 0x1000, 0, 0, 0, pair(5, 2)],
                &[b"/x/y\0\0\0\0", &trailer[..]].concat(),
            ),
            record(3, 1 << 13, &[pair(7, 8)], &[b"worker\0\0", &trailer[..]].concat()),
            record(7, 0, &[pair(7, 7), pair(9, 8), 500], &trailer),
            record(2, 0, &[1, 33], &trailer),
            record(4, 0, &[pair(7, 7), pair(8, 8), 500], &trailer),
        ]
        .concat();
        let found = read(&reader(Stacks::FramePointers), &bytes);
        assert!(found.iter().all(|timed| timed.time == 500));
        let records: Vec<Record> = found.into_iter().map(|timed| timed.record).collect();
        let mapping = Mapping { start: 0x4000, length: 0x2000, offset: 0x1000, path: "/x/y".into() };
        let expected = [
            Record::Mapped { pid: 7, mapping },
            Record::Named { pid: 7, tid: 8, name: "worker".into(), exec: true },
            Record::Began { pid: 7, parent_pid: 7, tid: 9, parent_tid: 8 },
            Record::Lost(33),
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn lengths_that_no_record_can_have_are_an_error() {
        let reader = reader(Stacks::FramePointers);
        let fails = |bytes: &[u8]| reader.read(bytes, &mut Vec::new()).is_err();
        for frames in [3, 1 << 32, 1 << 61, u64::MAX] {
            assert!(fails(&record(9, 2, &[pair(7, 8), 500, frames, 1, 2], &[])), "{frames}");
        }
        let mapped = |length: u32| record(10, 2 | 1 << 14, &[pair(7, 8), 1, 1, 0, pair(length, 0), 0, 0, 0], &[0; 24]);
        assert!(fails(&mapped(21)) && !fails(&mapped(20)));
    }

    #[test]
    fn bytes_that_end_within_a_record_are_an_error() {
        let sample = record(9, 2, &[pair(7, 8), 500, 0], &[]);
        assert!(reader(Stacks::FramePointers).read(&sample[..20], &mut Vec::new()).is_err());
    }
}
