//! Looks at the machine and at the builds: what makes its numbers its own, what explains them, what it can't measure, and
//! what should be changed before they are trusted. Prints nothing and changes nothing.
//!
//! ```text
//!   environment ──> samples::Environment ──┬──> findings
//!      watch: a second of looking on ──────┘
//!   Build (cargo profile, flags), Toolchain, symbols ──> build_findings, toolchain_findings, hash_seeds
//! ```

mod build;
mod circumstances;
mod counters;
mod environment;
mod files;
mod finding;
mod findings;
mod fingerprint;
mod groups;
mod lint;
mod profile;
mod rules;
mod seeds;
mod toolchain;
mod watch;

pub use build::Build;
pub use environment::environment;
pub use finding::{Finding, Severity, Subject, brief};
pub use findings::findings;
pub use lint::build_findings;
pub use profile::{Profile, ProfileError};
pub use seeds::hash_seeds;
pub use toolchain::{Toolchain, toolchain_findings};
pub use watch::watch;
