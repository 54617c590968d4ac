//! Asking who had a number: before, the database each time; after, a worker's cache.

use std::ops::RangeInclusive;
use std::sync::Arc;

use redb::Error;

use super::cache::WorkerCache;
use super::database::SubscriberDbRedb;
use super::snapshot::SubscriberSnapshotNumeric;

/// Who had which number when, as a worker asks for it.
pub(crate) trait Identities {
    /// Says that many look-ups within `keys` will follow.
    ///
    /// # Errors
    /// Where the database can't be read.
    fn prepare(&mut self, keys: &RangeInclusive<u64>) -> Result<(), Error>;

    /// Who had `msisdn` at `time`, seconds since 1970. `None` where nobody had it.
    ///
    /// # Errors
    /// Where the database can't be read.
    fn identity_at(&mut self, msisdn: u64, time: u64) -> Result<Option<SubscriberSnapshotNumeric>, Error>;
}

/// Before.
impl Identities for Arc<SubscriberDbRedb> {
    fn prepare(&mut self, _: &RangeInclusive<u64>) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn identity_at(&mut self, msisdn: u64, time: u64) -> Result<Option<SubscriberSnapshotNumeric>, Error> {
        self.get_subscriber_at(msisdn, time)
    }
}

/// After.
impl Identities for WorkerCache {
    fn prepare(&mut self, keys: &RangeInclusive<u64>) -> Result<(), Error> {
        self.get_or_load_cache(keys)
    }

    #[inline]
    fn identity_at(&mut self, msisdn: u64, time: u64) -> Result<Option<SubscriberSnapshotNumeric>, Error> {
        Self::identity_at(self, msisdn, time)
    }
}
