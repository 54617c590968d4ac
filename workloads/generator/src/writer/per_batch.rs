//! Before: every batch is a blocking job that opens the file it is told, appends a gzip member and closes the file.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::write::GzEncoder;
use perfplan_harness::add;
use tokio::runtime::Runtime;
use tokio::task;

use super::contract::{LEVEL, Part, Toll, Writer, Written};
use super::cut::Cutter;
use super::disk::{Disk, Files};
use super::shard::{self, Account};
use super::{WriteError, runtime};
use crate::record::Record;

/// What a writer task is sent: the plan's `WriterMessage::Batch`, with the name of a file that its sender has worked out.
pub(super) struct Batch {
    file: PathBuf,
    lines: Vec<u8>,
    pub(super) records: u64,
}

/// The sender's side: it keeps the number of the part, and so has to know how long each line is.
pub(super) struct Namer {
    folder: PathBuf,
    shard: u32,
    cutter: Cutter,
    lines: Vec<u8>,
}

impl Namer {
    pub(super) fn new(folder: &Path, shard: u32, rotate_bytes: u64) -> Self {
        Self { folder: folder.to_owned(), shard, cutter: Cutter::after(rotate_bytes), lines: Vec::new() }
    }

    /// The batches that records become: one, or more where a part ends among them.
    pub(super) fn batches(&mut self, records: &[Record]) -> Vec<Batch> {
        let pieces = self.cutter.cut(records, &mut self.lines);
        let batch = |piece: super::cut::Piece| Batch {
            file: shard::partial(&self.folder, self.shard, piece.part),
            lines: self.lines[piece.lines].to_vec(),
            records: piece.records,
        };
        pieces.into_iter().map(batch).collect()
    }
}

/// The task's side: it knows no more of a file than what batches say.
pub(super) struct Appender<F: Files> {
    files: F,
    pub(super) account: Account,
    current: Option<Growing>,
    written: Written,
}

/// A file that has got batches, and may get more.
struct Growing {
    file: PathBuf,
    /// Its bytes: whole members.
    length: u64,
    crc: Crc,
    records: u64,
    bytes: u64,
}

impl Growing {
    fn new(file: PathBuf) -> Self {
        Self { file, length: 0, crc: Crc::new(), records: 0, bytes: 0 }
    }
}

impl<F: Files> Appender<F> {
    pub(super) fn on(files: F, folder: &Path, shard: u32) -> Result<Self, WriteError> {
        let mut account = Account::of(shard);
        files.check_folder(folder).map_err(|cause| account.fail(folder, cause))?;
        Ok(Self { files, account, current: None, written: Written::default() })
    }

    /// Appends a batch to its file, and completes the file before if it is another one. The caller has given the records to
    /// the account.
    pub(super) async fn append(&mut self, batch: Batch) -> Result<(), WriteError> {
        if self.current.as_ref().is_some_and(|current| current.file != batch.file) {
            self.complete().await?;
        }
        let current = self.current.get_or_insert_with(|| Growing::new(batch.file.clone()));
        let (files, start, bytes) = (self.files.clone(), current.length, batch.lines.len() as u64);
        let (file, lines, records) = (batch.file, batch.lines, batch.records);
        let member = blocking(move || append_member(&files, &file, &lines, start)).await;
        let member = member.map_err(|cause| self.account.fail(&current.file, cause))?;
        current.length += member.length;
        current.crc.combine(&member.crc);
        current.records += records;
        current.bytes += bytes;
        self.account.keep(records);
        Ok(())
    }

    /// Completes the current file, if there is one.
    async fn complete(&mut self) -> Result<(), WriteError> {
        let Some(Growing { file, crc, records, bytes, .. }) = self.current.take() else { return Ok(()) };
        let (files, from) = (self.files.clone(), file.clone());
        let renamed = blocking(move || files.rename(&from, &shard::complete(&from))).await;
        renamed.map_err(|cause| self.account.fail(&file, cause))?;
        self.written.parts.push(Part { records, bytes, crc: crc.sum() });
        Ok(())
    }

    /// Completes the last file.
    pub(super) async fn finish(mut self) -> Result<Written, WriteError> {
        self.account.give(0)?;
        self.complete().await?;
        Ok(self.written)
    }
}

/// Does `job` where it holds up no task.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    add("spawn_blocking", 1);
    task::spawn_blocking(job).await.unwrap_or_else(|panic| Err(io::Error::other(panic)))
}

/// A gzip member that was appended.
struct Member {
    /// Its bytes.
    length: u64,
    /// The CRC-32 of its lines.
    crc: Crc,
}

/// Appends lines as a gzip member to a file of `start` bytes, or begins the file where that is 0.
fn append_member<F: Files>(files: &F, file: &Path, lines: &[u8], start: u64) -> io::Result<Member> {
    let opened = if start == 0 { files.create(file)? } else { files.append(file)? };
    let member = write_member(opened, lines);
    if member.is_err() {
        // So that what is left are whole members. Where that fails too, the file keeps the name of an unfinished one.
        let _ = files.truncate(file, start);
    }
    member
}

fn write_member(file: impl Write, lines: &[u8]) -> io::Result<Member> {
    let mut encoder = GzEncoder::new(Counted { inner: BufWriter::new(file), bytes: 0 }, LEVEL);
    encoder.write_all(lines)?;
    let mut counted = encoder.finish()?;
    counted.flush()?;
    let mut crc = Crc::new();
    crc.update(lines);
    Ok(Member { length: counted.bytes, crc })
}

/// Counts the bytes on their way.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Both sides in one, for callers that are no tasks: writes a shard's records, and waits for each batch. A failed write costs
/// the records of its batch.
pub(crate) struct PerBatch<F: Files = Disk> {
    runtime: &'static Runtime,
    namer: Namer,
    appender: Appender<F>,
}

impl<F: Files> PerBatch<F> {
    /// [`Writer::create`] on a file system of choice.
    pub(super) fn on(files: F, folder: &Path, shard: u32, rotate_bytes: u64) -> Result<Self, WriteError> {
        let mut appender = Appender::on(files, folder, shard)?;
        let runtime = runtime::shared().map_err(|cause| appender.account.fail(folder, cause))?;
        Ok(Self { runtime, namer: Namer::new(folder, shard, rotate_bytes), appender })
    }
}

impl<F: Files> Writer for PerBatch<F> {
    fn create(folder: &Path, shard: u32, rotate_bytes: u64) -> Result<Self, WriteError> {
        Self::on(F::default(), folder, shard, rotate_bytes)
    }

    fn write(&mut self, records: &[Record]) -> Result<(), WriteError> {
        self.appender.account.give(records.len() as u64)?;
        let mut batches = self.namer.batches(records).into_iter();
        batches.try_for_each(|batch| self.runtime.block_on(self.appender.append(batch)))
    }

    fn toll(&self) -> Toll {
        self.appender.account.toll()
    }

    fn finish(self) -> Result<Written, WriteError> {
        self.runtime.block_on(self.appender.finish())
    }
}
