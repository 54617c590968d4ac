//! What a payment must be like, whoever books it.

use serde_json::error::Category;

/// Currencies that accounts are held in.
pub(crate) const CURRENCIES: [&str; 5] = ["EUR", "USD", "GBP", "CHF", "SEK"];

/// The longest `Idempotency-Key`, bytes. A UUID has 36.
pub(crate) const LONGEST_KEY: usize = 64;

/// The largest amount of one payment, in minor units.
pub(crate) const LARGEST_AMOUNT: i64 = 1_000_000_000_000;

/// The longest reference, bytes; a SEPA transfer has 140.
pub(crate) const LONGEST_REFERENCE: usize = 140;

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    MissingKey,
    InvalidKey,
    /// The body is not JSON.
    MalformedJson,
    /// The body is JSON, and not a payment: fields are missing, unknown or of other types.
    NotAPayment,
    InvalidAmount,
    UnknownCurrency,
    ReferenceTooLong,
    SameAccount,
    UnknownAccount,
    /// An account is held in another currency.
    CurrencyMismatch,
    InsufficientFunds,
    /// The key came before, with another body.
    KeyReused,
    NoSuchAccount,
    NoSuchPath,
    NoSuchMethod,
    /// The body did not come in time.
    TooSlow,
    TooLarge,
    /// The books don't add up to zero.
    Unbalanced,
}

impl Refusal {
    /// The HTTP status.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::MissingKey | Self::InvalidKey | Self::MalformedJson => 400,
            Self::InsufficientFunds => 402,
            Self::NoSuchAccount | Self::NoSuchPath => 404,
            Self::NoSuchMethod => 405,
            Self::TooSlow => 408,
            Self::KeyReused => 409,
            Self::TooLarge => 413,
            Self::Unbalanced => 500,
            _ => 422,
        }
    }

    /// The word in the answer, for programs.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::MissingKey => "missing_idempotency_key",
            Self::InvalidKey => "invalid_idempotency_key",
            Self::MalformedJson => "malformed_json",
            Self::NotAPayment => "not_a_payment",
            Self::InvalidAmount => "invalid_amount",
            Self::UnknownCurrency => "unknown_currency",
            Self::ReferenceTooLong => "reference_too_long",
            Self::SameAccount => "same_account",
            Self::UnknownAccount => "unknown_account",
            Self::CurrencyMismatch => "currency_mismatch",
            Self::InsufficientFunds => "insufficient_funds",
            Self::KeyReused => "idempotency_key_reused",
            Self::NoSuchAccount => "no_such_account",
            Self::NoSuchPath => "no_such_path",
            Self::NoSuchMethod => "method_not_allowed",
            Self::TooSlow => "request_timeout",
            Self::TooLarge => "request_too_large",
            Self::Unbalanced => "unbalanced",
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::NotAPayment,
            Category::Syntax | Category::Eof | Category::Io => Self::MalformedJson,
        }
    }
}

/// A key is 1 to [`LONGEST_KEY`] visible ASCII characters.
pub(crate) fn check_key(key: &[u8]) -> Result<(), Refusal> {
    let plain = (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if plain { Ok(()) } else { Err(Refusal::InvalidKey) }
}

/// What can be told without the ledger, except the currency.
pub(crate) fn check(from: &str, to: &str, amount: i64, reference: &str) -> Result<(), Refusal> {
    if !(1..=LARGEST_AMOUNT).contains(&amount) {
        return Err(Refusal::InvalidAmount);
    }
    if from == to {
        return Err(Refusal::SameAccount);
    }
    if reference.len() > LONGEST_REFERENCE {
        return Err(Refusal::ReferenceTooLong);
    }
    Ok(())
}
