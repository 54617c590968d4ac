//! What a shard's records are like, for people and for comparisons between builds.

use std::fmt::Write;

use hdrhistogram::Histogram;

use crate::record::Record;

/// Contacts are counted by their place in the circle, coarsely: up to these places, counted from 1.
const PLACES: [usize; 7] = [1, 2, 3, 5, 10, 20, 30];

/// Durations of calls are told apart up to this, seconds, with two significant digits.
const LONGEST: u64 = 1_000_000;

const KINDS: [&str; 3] = ["call", "message", "data"];
const DIRECTIONS: [&str; 2] = ["mo", "mt"];

/// Counts of one shard; as large after a million records as before the first.
#[derive(Clone, Debug)]
pub(super) struct Statistics {
    /// By kind and direction.
    records: [[u64; 2]; 3],
    /// Events whose subscriber's number belonged to nobody: they have no records.
    pub(super) without_caller: u64,
    /// Events whose other number belonged to nobody: they have one record.
    pub(super) without_called: u64,
    /// Events by the contact's place.
    contacts: [u64; PLACES.len()],
    /// Of calls, seconds.
    durations: Histogram<u64>,
    seconds: u64,
}

impl Statistics {
    pub(super) fn new() -> Self {
        let durations = match Histogram::new_with_bounds(1, LONGEST, 2) {
            Ok(histogram) => histogram,
            Err(error) => unreachable!("the bounds are constants that hdrhistogram accepts: {error}"),
        };
        let contacts = [0; PLACES.len()];
        Self { records: [[0; 2]; 3], without_caller: 0, without_called: 0, contacts, durations, seconds: 0 }
    }

    pub(super) fn record(&mut self, record: &Record) {
        self.records[record.kind as usize][record.direction as usize] += 1;
    }

    /// How long a call lasted.
    pub(super) fn call(&mut self, seconds: u32) {
        self.durations.saturating_record(u64::from(seconds));
        self.seconds += u64::from(seconds);
    }

    /// Which contact was called, by the place in the circle, from 0.
    pub(super) fn contact(&mut self, place: usize) {
        let bin = PLACES.partition_point(|&last| last <= place);
        if let Some(count) = self.contacts.get_mut(bin) {
            *count += 1;
        }
    }

    #[cfg(test)]
    pub(super) fn records(&self) -> u64 {
        self.records.iter().flatten().sum()
    }

    /// Events by the contact's place, and how many of them each bin gets where place `at` gets `weights[at]`.
    #[cfg(test)]
    pub(super) fn contacts(&self, weights: &[f64]) -> (&[u64], Vec<f64>) {
        let bin = |(first, &last): (usize, &usize)| weights[first - 1..last].iter().sum();
        (&self.contacts, first_places().zip(&PLACES).map(bin).collect())
    }

    /// The statistics of shard `shard` as JSON.
    pub(super) fn to_json(&self, shard: u32) -> String {
        let mut text = format!("{{\n  \"shard\": {shard},\n  \"records\": {{\n");
        let kinds = KINDS.iter().zip(&self.records).map(|(kind, counts)| {
            let directions = DIRECTIONS.iter().zip(counts).map(|(name, count)| format!("\"{name}\": {count}"));
            format!("    \"{kind}\": {{ {} }}", joined(directions, ", "))
        });
        text += &joined(kinds, ",\n");
        let Self { without_caller, without_called, .. } = self;
        let places = PLACES.iter().zip(first_places()).zip(&self.contacts);
        let contacts = places.map(|((last, first), count)| match first == *last {
            true => format!("\"{last}\": {count}"),
            false => format!("\"{first}-{last}\": {count}"),
        });
        // Writing to a text never fails.
        let _ = write!(
            text,
            "\n  }},\n  \"unknown_subscribers\": {{ \"caller\": {without_caller}, \"called\": {without_called} }},\n  \
             \"contacts_by_place\": {{ {} }},\n  \"call_seconds\": {{ {} }}\n}}\n",
            joined(contacts, ", "),
            self.call_seconds()
        );
        text
    }

    fn call_seconds(&self) -> String {
        let calls = self.durations.len();
        let mean = if calls == 0 { 0.0 } else { self.seconds as f64 / calls as f64 };
        let at = |quantile: f64| self.durations.value_at_quantile(quantile);
        let (p50, p90, p99) = (at(0.5), at(0.9), at(0.99));
        format!("\"count\": {calls}, \"mean\": {mean:.3}, \"p50\": {p50}, \"p90\": {p90}, \"p99\": {p99}")
    }
}

/// The first place of each bin, counted from 1.
fn first_places() -> impl Iterator<Item = usize> {
    std::iter::once(1).chain(PLACES.iter().map(|last| last + 1))
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::CIRCLE;
    use crate::record::{Direction, Kind};

    fn record(kind: Kind, direction: Direction) -> Record {
        Record { kind, direction, start: 0, duration: 0, msisdn: 0, other: 0, imsi: 0, imei: 0 }
    }

    #[test]
    fn the_file_says_what_was_counted() {
        let mut statistics = Statistics::new();
        statistics.record(&record(Kind::Call, Direction::MobileOriginated));
        statistics.record(&record(Kind::Message, Direction::MobileTerminated));
        statistics.record(&record(Kind::Message, Direction::MobileTerminated));
        statistics.record(&record(Kind::Data, Direction::MobileOriginated));
        (statistics.without_caller, statistics.without_called) = (5, 6);
        [0, 1, 3, 4, 5, 9, 10, 29].into_iter().for_each(|place| statistics.contact(place));
        (1..=100).for_each(|seconds| statistics.call(seconds));
        assert_eq!(statistics.records(), 4);
        let expected = r#"{
  "shard": 7,
  "records": {
    "call": { "mo": 1, "mt": 0 },
    "message": { "mo": 0, "mt": 2 },
    "data": { "mo": 1, "mt": 0 }
  },
  "unknown_subscribers": { "caller": 5, "called": 6 },
  "contacts_by_place": { "1": 1, "2": 1, "3": 0, "4-5": 2, "6-10": 2, "11-20": 1, "21-30": 1 },
  "call_seconds": { "count": 100, "mean": 50.500, "p50": 50, "p90": 90, "p99": 99 }
}
"#;
        assert_eq!(statistics.to_json(7), expected);
    }

    #[test]
    fn a_shard_without_records_has_numbers_all_the_same() {
        let text = Statistics::new().to_json(0);
        assert!(text.contains(r#""count": 0, "mean": 0.000, "p50": 0"#), "{text}");
    }

    #[test]
    fn every_place_in_a_circle_has_its_bin() {
        let mut statistics = Statistics::new();
        (0..CIRCLE).for_each(|place| statistics.contact(place));
        assert_eq!(statistics.contacts, [1, 1, 1, 2, 5, 10, 10]);
    }

    #[test]
    fn a_call_beyond_all_bounds_counts_as_the_longest() {
        let mut statistics = Statistics::new();
        statistics.call(u32::MAX);
        let longest = statistics.durations.max();
        assert!((LONGEST..2 * LONGEST).contains(&longest), "{longest}");
    }
}
