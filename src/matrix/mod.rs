//! A plan to cells and arms: which variants of which revisions are measured against which. Pure.

mod arms;
mod design;
mod shard;

pub use arms::{Cell, Drill, Source, arms, cells, drills};
pub use design::{Design, Excluded, design};
pub use shard::Share;

pub use crate::samples::Shard;
