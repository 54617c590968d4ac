//! Which record goes into which part.

use std::ops::Range;

use crate::record::Record;

/// Records of one batch that go into one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) part: u32,
    /// Where their lines are among those of the batch.
    pub(super) lines: Range<usize>,
    pub(super) records: u64,
}

/// Cuts the records of a shard into parts, before compression.
pub(super) struct Cutter {
    /// The most bytes of a part that has several records.
    limit: u64,
    part: u32,
    /// Bytes in the current part.
    filled: u64,
}

impl Cutter {
    pub(super) fn after(limit: u64) -> Self {
        Self { limit, part: 0, filled: 0 }
    }

    /// Writes a batch as lines, in place of those in `lines`, and says which go where. No piece is without records.
    pub(super) fn cut(&mut self, records: &[Record], lines: &mut Vec<u8>) -> Vec<Piece> {
        lines.clear();
        let mut pieces = Vec::with_capacity(1);
        let mut piece = Piece { part: self.part, lines: 0..0, records: 0 };
        for record in records {
            let start = lines.len();
            record.write_csv(lines);
            let line = (lines.len() - start) as u64;
            if self.filled > 0 && self.filled + line > self.limit {
                (self.part, self.filled) = (self.part + 1, 0);
                let next = Piece { part: self.part, lines: start..start, records: 0 };
                pieces.push(std::mem::replace(&mut piece, next));
            }
            self.filled += line;
            piece.lines.end = lines.len();
            piece.records += 1;
        }
        pieces.push(piece);
        pieces.retain(|piece| piece.records > 0);
        pieces
    }
}
