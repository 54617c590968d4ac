//! The writer task before and after. It ends with the channel, or with the first error.

use tokio::sync::mpsc::Receiver;

use super::WriteError;
use super::contract::{Writer, Written};
use super::disk::Files;
use super::event::EventWriter;
use super::per_batch::{Appender, Batch};
use crate::record::Record;

/// Before: a blocking job per batch.
pub(super) async fn per_batch<F: Files>(
    mut batches: Receiver<Batch>,
    mut appender: Appender<F>,
) -> Result<Written, WriteError> {
    while let Some(batch) = batches.recv().await {
        let given = appender.account.give(batch.records);
        let appended = match given {
            Ok(()) => appender.append(batch).await,
            refused => refused,
        };
        if let Err(error) = appended {
            return Err(error.and_lost(unread(batches, |batch| batch.records).await));
        }
    }
    appender.finish().await
}

/// After: one writer, in the task itself. It mostly writes to memory, and no other task waits for this thread.
pub(super) async fn persistent<F: Files>(
    mut batches: Receiver<Vec<Record>>,
    mut writer: EventWriter<F>,
) -> Result<Written, WriteError> {
    while let Some(batch) = batches.recv().await {
        if let Err(error) = writer.write(&batch) {
            return Err(error.and_lost(unread(batches, |batch| batch.len() as u64).await));
        }
    }
    writer.finish()
}

/// The records that were sent and will not be read. Whoever sends from now on gets its batch back.
async fn unread<M>(mut batches: Receiver<M>, records: impl Fn(&M) -> u64) -> u64 {
    batches.close();
    let mut unread = 0;
    while let Some(batch) = batches.recv().await {
        unread += records(&batch);
    }
    unread
}
