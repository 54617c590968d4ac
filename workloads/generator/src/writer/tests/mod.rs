//! Both ways of writing together: on the disk, on a disk in memory that fails on demand, and killed.

mod failures;
mod faulty;
mod leftovers;
mod rotation;

use std::io::Read;

use flate2::bufread::GzDecoder;

use super::{WriteError, Writer, Written};
use crate::record::{Direction, Kind, Record};

/// Records whose lines are of several lengths.
fn records(n: u64) -> Vec<Record> {
    let record = |i: u64| Record {
        kind: [Kind::Call, Kind::Message, Kind::Data][(i % 3) as usize],
        direction: [Direction::MobileOriginated, Direction::MobileTerminated][(i % 2) as usize],
        start: 1_700_000_000 + i,
        duration: (i * 7919 % 10_007) as u32,
        msisdn: 79_160_000_000 + i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 10_000_000,
        other: i.wrapping_mul(0x517c_c1b7_2722_0a95) >> (i % 40),
        imsi: 250_010_000_000_000 + i,
        imei: i.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 14,
    };
    (0..n).map(record).collect()
}

fn lines(records: &[Record]) -> Vec<u8> {
    let mut lines = Vec::new();
    records.iter().for_each(|record| record.write_csv(&mut lines));
    lines
}

/// The records of a text that may break off within a line.
fn parsed(text: &[u8]) -> Vec<Record> {
    let whole = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.map(|line| Record::parse(str::from_utf8(&line[..line.len() - 1]).unwrap()).unwrap()).collect()
}

/// The texts of the whole members of a gzip file, and whether there is something else behind them.
fn members(mut file: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut members = Vec::new();
    while !file.is_empty() {
        let (mut rest, mut text) = (file, Vec::new());
        if GzDecoder::new(&mut rest).read_to_end(&mut text).is_err() {
            return (members, true);
        }
        members.push(text);
        file = rest;
    }
    (members, false)
}

/// Writes batches and finishes.
fn written<'a>(
    mut writer: impl Writer,
    batches: impl IntoIterator<Item = &'a [Record]>,
) -> Result<Written, WriteError> {
    batches.into_iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}
