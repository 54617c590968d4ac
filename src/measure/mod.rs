//! The sampling loop: workers in lockstep, fresh processes and layouts in every round, commands run whole. Records what
//! happens and judges nothing.

mod bench;
mod commands;
mod counting;
mod lockstep;
mod pace;
mod subject;
mod training;
mod worker;

pub use bench::{Bench, Series, Settings};
pub use pace::{Costs, Target};
pub use subject::{Command, Program, Seating, Subject};
pub use training::{Course, train};
pub use worker::{Processes, Seat, Starter, Worker};
