//! Looks at the machine: what makes its numbers its own, what explains them, what it can't measure, and what should be
//! changed before it is trusted. Prints nothing and changes nothing.

mod circumstances;
mod counters;
mod environment;
mod files;
mod findings;
mod fingerprint;

pub use environment::environment;
pub use findings::{Finding, Severity, findings};
