//! After: one writer per shard, which keeps its file open and its compressor warm until the part is full.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::write::GzEncoder;

use super::WriteError;
use super::contract::{LEVEL, Part, Toll, Writer, Written};
use super::cut::{Cutter, Piece};
use super::disk::{Disk, Files};
use super::shard::{self, Account};
use crate::record::Record;

/// Writes a shard's records, each part as a file with one gzip member. A failed write can cost the records of the current
/// part, as a member is whole or unreadable.
pub(crate) struct EventWriter<F: Files = Disk> {
    files: F,
    folder: PathBuf,
    shard: u32,
    account: Account,
    cutter: Cutter,
    /// The lines of a batch; kept for their room.
    lines: Vec<u8>,
    open: Option<OpenPart<F::File>>,
    written: Written,
}

impl<F: Files> EventWriter<F> {
    /// [`Writer::create`] on a file system of choice.
    pub(super) fn on(files: F, folder: &Path, shard: u32, rotate_bytes: u64) -> Result<Self, WriteError> {
        let mut account = Account::of(shard);
        files.check_folder(folder).map_err(|cause| account.fail(folder, cause))?;
        let (folder, cutter) = (folder.to_owned(), Cutter::after(rotate_bytes));
        Ok(Self { files, folder, shard, account, cutter, lines: Vec::new(), open: None, written: Written::default() })
    }

    fn put(&mut self, piece: &Piece) -> Result<(), WriteError> {
        if self.open.as_ref().is_some_and(|open| open.number != piece.part) {
            self.complete()?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let path = shard::partial(&self.folder, self.shard, piece.part);
                let file = self.files.create(&path).map_err(|cause| self.account.fail(&path, cause))?;
                none.insert(OpenPart::new(piece.part, path, file))
            }
        };
        let lines = &self.lines[piece.lines.clone()];
        open.write(lines, piece.records).map_err(|cause| self.account.fail(&open.path, cause))
    }

    /// Completes the part that is being written, if one is.
    fn complete(&mut self) -> Result<(), WriteError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let path = open.path.clone();
        let closed = open.close().and_then(|part| {
            self.files.rename(&path, &shard::complete(&path))?;
            Ok(part)
        });
        let part = closed.map_err(|cause| self.account.fail(&path, cause))?;
        self.account.keep(part.records);
        self.written.parts.push(part);
        Ok(())
    }
}

impl<F: Files> Writer for EventWriter<F> {
    fn create(folder: &Path, shard: u32, rotate_bytes: u64) -> Result<Self, WriteError> {
        Self::on(F::default(), folder, shard, rotate_bytes)
    }

    fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.account.give(records.len() as u64)?;
        let pieces = self.cutter.cut(records, &mut self.lines);
        pieces.iter().try_for_each(|piece| self.put(piece))
    }

    fn toll(&self) -> Toll {
        self.account.toll()
    }

    fn finish(mut self) -> Result<Written, WriteError> {
        self.account.give(0)?;
        self.complete()?;
        Ok(self.written)
    }
}

/// A part that is being written. Dropped, it leaves what it can in its `.partial` file.
struct OpenPart<W: Write> {
    number: u32,
    path: PathBuf,
    encoder: GzEncoder<BufWriter<W>>,
    crc: Crc,
    records: u64,
    bytes: u64,
}

impl<W: Write> OpenPart<W> {
    fn new(number: u32, path: PathBuf, file: W) -> Self {
        let encoder = GzEncoder::new(BufWriter::new(file), LEVEL);
        Self { number, path, encoder, crc: Crc::new(), records: 0, bytes: 0 }
    }

    fn write(&mut self, lines: &[u8], records: u64) -> io::Result<()> {
        self.encoder.write_all(lines)?;
        self.crc.update(lines);
        self.records += records;
        self.bytes += lines.len() as u64;
        Ok(())
    }

    fn close(self) -> io::Result<Part> {
        let part = Part { records: self.records, bytes: self.bytes, crc: self.crc.sum() };
        self.encoder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(part)
    }
}
