//! Who had a number from when to when, and the bytes that say so.

/// Bytes of a snapshot: four words and a half, little endian, in the order of the fields.
const BYTES: usize = 36;

/// One owner's identity behind a number, for as long as nothing about it changed. Times are seconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubscriberSnapshotNumeric {
    /// The first second.
    pub(crate) valid_from: u64,
    /// The first second that no longer counts; `u64::MAX` where no end is known.
    pub(crate) valid_to: u64,
    /// The SIM card: country, network and 10 more digits.
    pub(crate) imsi: u64,
    /// The handset: 14 digits and their check digit.
    pub(crate) imei: u64,
    /// Country and network, such as 25001.
    pub(crate) mccmnc: u32,
}

impl SubscriberSnapshotNumeric {
    #[inline]
    pub(crate) fn holds_at(&self, time: u64) -> bool {
        self.valid_from <= time && time < self.valid_to
    }

    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let words = [self.valid_from, self.valid_to, self.imsi, self.imei];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes[32..].copy_from_slice(&self.mccmnc.to_le_bytes());
        bytes
    }

    #[inline]
    fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let mccmnc = u32::from_le_bytes([bytes[32], bytes[33], bytes[34], bytes[35]]);
        Self { valid_from: word(0), valid_to: word(8), imsi: word(16), imei: word(24), mccmnc }
    }
}

/// The snapshot that holds at `time`, of some that are sorted by `valid_from` and don't overlap. `None` in a gap, where the
/// number belongs to nobody.
#[inline]
pub(crate) fn find_at(snapshots: &[SubscriberSnapshotNumeric], time: u64) -> Option<SubscriberSnapshotNumeric> {
    let begun = snapshots.partition_point(|snapshot| snapshot.valid_from <= time);
    let last = snapshots[..begun].last()?;
    last.holds_at(time).then_some(*last)
}

/// The value that is stored under a number.
pub(crate) fn encode(snapshots: &[SubscriberSnapshotNumeric]) -> Vec<u8> {
    snapshots.iter().flat_map(|snapshot| snapshot.to_bytes()).collect()
}

/// The snapshots in a stored value; `None` where it holds part of one.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<SubscriberSnapshotNumeric>> {
    let (snapshots, rest) = value.as_chunks();
    rest.is_empty().then(|| snapshots.iter().map(SubscriberSnapshotNumeric::from_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(valid_from: u64, valid_to: u64) -> SubscriberSnapshotNumeric {
        let imsi = 250_010_000_000_000 + valid_from;
        SubscriberSnapshotNumeric { valid_from, valid_to, imsi, imei: 350_000_000_000_009, mccmnc: 25_001 }
    }

    #[test]
    fn a_snapshot_holds_from_its_first_second_to_the_one_before_its_end() {
        let history = [valid(10, 20), valid(20, 30), valid(50, u64::MAX)];
        let found = |time| find_at(&history, time).map(|snapshot| snapshot.valid_from);
        assert_eq!([9, 10, 19, 20, 29].map(found), [None, Some(10), Some(10), Some(20), Some(20)]);
        assert_eq!([30, 49, 50, u64::MAX - 1].map(found), [None, None, Some(50), Some(50)]);
        assert_eq!(find_at(&[], 10), None);
    }

    #[test]
    fn searching_by_halves_finds_what_looking_at_each_finds() {
        let history: Vec<_> = (0..9).map(|i| valid(10 * i, 10 * i + if i % 3 == 0 { 10 } else { 7 })).collect();
        for time in 0..100 {
            let each = history.iter().find(|snapshot| snapshot.holds_at(time)).copied();
            assert_eq!(find_at(&history, time), each, "at {time}");
        }
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let history = vec![valid(1, 2), SubscriberSnapshotNumeric { mccmnc: u32::MAX, ..valid(3, u64::MAX) }];
        assert_eq!(decode(&encode(&history)), Some(history));
        assert_eq!(decode(&[]), Some(Vec::new()));
    }

    #[test]
    fn a_value_with_part_of_a_snapshot_is_refused() {
        let value = encode(&[valid(1, 2)]);
        assert_eq!(decode(&value[..BYTES - 1]), None);
        assert_eq!(decode(&[&value[..], &[0]].concat()), None);
    }
}
