//! What may be wrong with a machine: one small pure function per finding, from the facts that were recorded. A fact that is
//! not known is no finding.

pub(super) mod clock;
mod known;
pub(super) mod memory;
pub(super) mod processor;
pub(super) mod profiling;
pub(super) mod sharing;
