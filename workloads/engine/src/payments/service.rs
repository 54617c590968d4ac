//! What every implementation of the service does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perfplan_harness::{Checksum, Digest};

use super::rules::Refusal;

/// Payments between accounts of one ledger. All answers are JSON.
pub(crate) trait Payments: Send {
    /// Books a payment. `key` is the `Idempotency-Key`, `body` the request's body.
    ///
    /// | answer | where |
    /// |---|---|
    /// | 201, the receipt | it is booked: the amount left one account and reached the other |
    /// | 402 | the payer has less than that; nothing is booked |
    /// | 400, 422 | the key or the body is none, or what it asks for can't be done; nothing is booked |
    /// | 409 | the key came before, with another body |
    ///
    /// A key that came before, with the same body, gets the answer of then, 201 or 402. Refusals of the other kinds are not
    /// kept: the client may correct them under the same key. Keys are forgotten by count, the oldest first.
    fn pay(&mut self, key: Option<&[u8]>, body: &[u8], answer: &mut Answer);

    /// An account's currency and balance: 200, or 404.
    fn account(&self, id: &str, answer: &mut Answer);

    /// The sum of all balances in minor units: zero, as whatever one account has another one owes.
    fn sum(&self) -> i64;
}

/// The service as a server's connections share it.
pub(crate) type Shared = Arc<Mutex<dyn Payments>>;

/// Locks the service. A panic in a request can't leave half a booking: both sides are written last, and can't fail.
pub(crate) fn lock<'a>(payments: &'a Mutex<dyn Payments + 'static>) -> MutexGuard<'a, dyn Payments + 'static> {
    payments.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The status and the body of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer with room for all that the service says, references of usual length included.
    pub(crate) fn with_room() -> Self {
        Self { status: 0, body: Vec::with_capacity(256) }
    }

    /// Says the same as another answer, in the buffer that is there.
    pub(crate) fn repeat(&mut self, other: &Self) {
        self.status = other.status;
        self.body.clone_from(&other.body);
    }

    /// Says why not, in place of whatever stood here.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.status = refusal.status();
        self.body.clear();
        self.body.extend_from_slice(br#"{"error":""#);
        self.body.extend_from_slice(refusal.code().as_bytes());
        self.body.extend_from_slice(br#""}"#);
    }
}

/// An answer's part in a checksum: `status` and `body`.
pub(crate) struct Said<'a>(pub(crate) u16, pub(crate) &'a [u8]);

impl Digest for Said<'_> {
    fn digest(&self, checksum: &mut Checksum) {
        checksum.add(u64::from(self.0) ^ (self.1.len() as u64) << 16);
        for chunk in self.1.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            checksum.add(u64::from_le_bytes(word));
        }
    }
}
