//! The sampling loop: workers in lockstep, fresh processes and layouts in every round, commands run whole. Records what
//! happens and judges nothing.

mod bench;
mod commands;
mod counting;
mod itself;
mod lockstep;
mod pace;
mod ready;
mod subject;
mod training;
mod worker;

pub use bench::{Bench, Series, Settings};
pub use counting::{Counted, counted_iterations};
pub use itself::{ITSELF, MIXED, serve};
pub use pace::{Costs, Target};
pub use ready::{Around, Count, Ready};
pub use subject::{Command, Program, Seating, Subject};
pub use training::{Course, train};
pub use worker::{Processes, Seat, Starter, Worker};
