//! The parts of a generator of call detail records, each as cases for `cargo perfplan`.
//!
//! An iteration's result depends on its index alone: its random numbers are seeded with the index. The work inside an
//! iteration is `amount(n)` equal units and little else.

mod arrivals;
mod config;
mod contacts;
mod durations;
#[cfg(test)]
mod fit;
mod msisdn;
mod random;

use std::process::ExitCode;

use perfplan_harness::Suite;

perfplan_harness::allocator!();

fn main() -> ExitCode {
    let mut suite = Suite::new("generator");
    contacts::register(&mut suite);
    msisdn::register(&mut suite);
    durations::register(&mut suite);
    arrivals::register(&mut suite);
    suite.main()
}
