//! What the engine has booked, as bytes that can be replayed: frames of one or more records.
//!
//! ```text
//! frame:  records: u32 | checksum of the records: u64 | record ...
//! record: id: u64 | from: u32 | to: u32 | amount: u64
//! ```

use std::hash::Hasher;

use crate::hasher::Fx;

/// An amount that is to move between two accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) id: u64,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) amount: u64,
}

const HEADER: usize = 12;
const RECORD: usize = 24;

impl Transaction {
    fn encode(&self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.id.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.from.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.to.to_le_bytes());
        bytes[16..].copy_from_slice(&self.amount.to_le_bytes());
        bytes
    }
}

/// An append-only journal in memory.
pub(crate) struct Journal {
    bytes: Vec<u8>,
    /// Where the frame that is being written begins.
    frame: usize,
    records: u32,
    checksum: Fx,
}

impl Journal {
    pub(crate) fn with_room_for(records: usize) -> Self {
        let bytes = Vec::with_capacity(records * (HEADER + RECORD));
        Self { bytes, frame: 0, records: 0, checksum: Fx::default() }
    }

    /// Adds a record to the frame that is being written.
    #[inline]
    pub(crate) fn append(&mut self, transaction: &Transaction) {
        if self.records == 0 {
            self.frame = self.bytes.len();
            self.bytes.extend_from_slice(&[0; HEADER]);
        }
        let record = transaction.encode();
        self.checksum.write(&record);
        self.bytes.extend_from_slice(&record);
        self.records += 1;
    }

    /// Seals the frame: only now do its records count.
    #[inline]
    pub(crate) fn commit(&mut self) {
        if self.records == 0 {
            return;
        }
        let header = &mut self.bytes[self.frame..self.frame + HEADER];
        header[..4].copy_from_slice(&self.records.to_le_bytes());
        header[4..].copy_from_slice(&std::mem::take(&mut self.checksum).finish().to_le_bytes());
        self.records = 0;
    }

    /// Forgets everything, as after a snapshot.
    pub(crate) fn truncate(&mut self) {
        self.bytes.clear();
        self.records = 0;
        self.checksum = Fx::default();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn word<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes[..N].try_into().unwrap()
    }

    /// The records of all sealed frames up to the first that is damaged or unsealed, and the size of each frame.
    pub(crate) fn replay(journal: &Journal) -> (Vec<Transaction>, Vec<u32>) {
        let (mut records, mut frames, mut rest) = (Vec::new(), Vec::new(), journal.bytes.as_slice());
        while rest.len() > HEADER {
            let count = u32::from_le_bytes(word(rest));
            let (frame, behind) = rest[HEADER..].split_at(count as usize * RECORD);
            let mut checksum = Fx::default();
            checksum.write(frame);
            if count == 0 || checksum.finish() != u64::from_le_bytes(word(&rest[4..])) {
                break;
            }
            records.extend(frame.chunks(RECORD).map(|record| Transaction {
                id: u64::from_le_bytes(word(record)),
                from: u32::from_le_bytes(word(&record[8..])),
                to: u32::from_le_bytes(word(&record[12..])),
                amount: u64::from_le_bytes(word(&record[16..])),
            }));
            frames.push(count);
            rest = behind;
        }
        (records, frames)
    }

    fn transaction(id: u64) -> Transaction {
        Transaction { id, from: 1, to: 2, amount: id * 3 }
    }

    #[test]
    fn what_was_committed_is_replayed_and_what_was_not_is_not() {
        let mut journal = Journal::with_room_for(4);
        journal.append(&transaction(1));
        journal.commit();
        journal.append(&transaction(2));
        journal.append(&transaction(3));
        journal.commit();
        journal.commit();
        journal.append(&transaction(4));
        assert_eq!(replay(&journal), ([1, 2, 3].map(transaction).to_vec(), vec![1, 2]));
    }

    #[test]
    fn a_damaged_frame_ends_the_replay() {
        let mut journal = Journal::with_room_for(4);
        for id in 1..=2 {
            journal.append(&transaction(id));
            journal.commit();
        }
        let last = journal.bytes.len() - 1;
        journal.bytes[last] ^= 1;
        assert_eq!(replay(&journal).0, [transaction(1)]);
    }

    #[test]
    fn a_truncated_journal_is_empty_even_in_the_middle_of_a_frame() {
        let mut journal = Journal::with_room_for(4);
        journal.append(&transaction(1));
        journal.truncate();
        journal.append(&transaction(2));
        journal.commit();
        assert_eq!(replay(&journal).0, [transaction(2)]);
    }
}
