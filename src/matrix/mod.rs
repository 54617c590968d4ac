//! A plan to cells and arms: which variants of which revisions are measured against which. Pure.

mod arms;

pub use arms::{Cell, Drill, Source, arms, cells, drills};
