//! A call detail record, and its line in a file.
//!
//! ```text
//! kind,direction,start,duration,msisdn,other,imsi,imei
//! call,mo,1700000000,60,79160000042,79031234567,250011234567890,353912345678901
//! ```
//!
//! Files have no line with the names of the columns: parts of a shard can be joined by `cat`.

use std::fmt;

use perfplan_harness::{Checksum, Digest};

/// What was charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Call,
    Message,
    Data,
}

/// Which side of the connection the record's subscriber was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The subscriber began it.
    MobileOriginated,
    /// Another party began it.
    MobileTerminated,
}

/// One leg of an event, as the subscriber's network saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) direction: Direction,
    /// Seconds since the epoch.
    pub(crate) start: u64,
    /// Seconds.
    pub(crate) duration: u32,
    /// The subscriber's number.
    pub(crate) msisdn: u64,
    /// The other party's number.
    pub(crate) other: u64,
    /// The subscriber's SIM card at that time.
    pub(crate) imsi: u64,
    /// The subscriber's handset at that time.
    pub(crate) imei: u64,
}

impl Record {
    /// Appends the record's line, with its line feed.
    pub(crate) fn write_csv(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.kind.code().as_bytes());
        out.push(b',');
        out.extend_from_slice(self.direction.code().as_bytes());
        let mut digits = itoa::Buffer::new();
        let numbers = [self.start, u64::from(self.duration), self.msisdn, self.other, self.imsi, self.imei];
        for number in numbers {
            out.push(b',');
            out.extend_from_slice(digits.format(number).as_bytes());
        }
        out.push(b'\n');
    }

    /// The record of a line without its line feed: the inverse of [`Self::write_csv`].
    pub(crate) fn parse(line: &str) -> Result<Self, NoRecord> {
        Self::from_fields(line).ok_or_else(|| NoRecord(line.to_owned()))
    }

    fn from_fields(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let kind = Kind::of(fields.next()?)?;
        let direction = Direction::of(fields.next()?)?;
        let mut number = || fields.next()?.parse::<u64>().ok();
        let record = Self {
            kind,
            direction,
            start: number()?,
            duration: u32::try_from(number()?).ok()?,
            msisdn: number()?,
            other: number()?,
            imsi: number()?,
            imei: number()?,
        };
        fields.next().is_none().then_some(record)
    }
}

impl Kind {
    const ALL: [Self; 3] = [Self::Call, Self::Message, Self::Data];

    fn code(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Message => "message",
            Self::Data => "data",
        }
    }

    fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Direction {
    const ALL: [Self; 2] = [Self::MobileOriginated, Self::MobileTerminated];

    fn code(self) -> &'static str {
        match self {
            Self::MobileOriginated => "mo",
            Self::MobileTerminated => "mt",
        }
    }

    fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.code() == code)
    }
}

impl Digest for Record {
    #[inline]
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(self.kind as u64);
        checksum.add(self.direction as u64);
        checksum.add(self.start);
        checksum.add(u64::from(self.duration));
        [self.msisdn, self.other, self.imsi, self.imei].into_iter().for_each(|number| checksum.add(number));
    }
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoRecord(String);

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no call detail record: {:?}", self.0)
    }
}

impl std::error::Error for NoRecord {}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "call,mo,1700000000,60,79160000042,79031234567,250011234567890,353912345678901";

    fn record() -> Record {
        Record {
            kind: Kind::Call,
            direction: Direction::MobileOriginated,
            start: 1_700_000_000,
            duration: 60,
            msisdn: 79_160_000_042,
            other: 79_031_234_567,
            imsi: 250_011_234_567_890,
            imei: 353_912_345_678_901,
        }
    }

    fn line(record: &Record) -> String {
        let mut line = Vec::new();
        record.write_csv(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_record_is_the_line_that_the_documentation_shows() {
        assert_eq!(line(&record()), format!("{LINE}\n"));
    }

    #[test]
    fn every_record_is_read_back_as_it_was_up_to_the_largest_numbers() {
        let mut records = vec![record()];
        for kind in Kind::ALL {
            for direction in Direction::ALL {
                records.push(Record { kind, direction, ..record() });
            }
        }
        records.push(Record { start: 0, duration: 0, msisdn: 0, other: 0, imsi: 0, imei: 0, ..record() });
        let (most, longest) = (u64::MAX, u32::MAX);
        records.push(Record {
            start: most,
            duration: longest,
            msisdn: most,
            other: most,
            imsi: most,
            imei: most,
            ..record()
        });
        for record in records {
            assert_eq!(Record::parse(line(&record).trim_end()), Ok(record));
        }
    }

    #[test]
    fn a_line_that_is_cut_off_too_long_or_no_record_is_refused_and_shown() {
        let long = format!("{LINE},1");
        let late = LINE.replace(",60,", ",4294967296,");
        let cut = &LINE[..LINE.rfind(',').unwrap()];
        let wrong = ["", "call", cut, &long, &late, &LINE.replace("call", "fax"), &LINE.replace("mo", "xx"), " "];
        for line in wrong {
            let error = Record::parse(line).unwrap_err();
            assert_eq!(error.to_string(), format!("no call detail record: {line:?}"));
        }
    }

    #[test]
    fn every_field_counts_in_the_checksum() {
        let of = |record: Record| {
            let mut checksum = Checksum::default();
            record.digest(&mut checksum);
            checksum.value()
        };
        let all = record();
        let others = [
            Record { kind: Kind::Data, ..all },
            Record { direction: Direction::MobileTerminated, ..all },
            Record { start: 1, ..all },
            Record { duration: 1, ..all },
            Record { msisdn: 1, ..all },
            Record { other: 1, ..all },
            Record { imsi: 1, ..all },
            Record { imei: 1, ..all },
        ];
        for other in others {
            assert_ne!(of(other), of(all), "{other:?}");
        }
    }
}
