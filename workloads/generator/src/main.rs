//! The parts of a generator of call detail records, each as cases for `cargo perfplan`; and the generator itself, as
//! `generate`.
//!
//! An iteration's result depends on its index alone: its random numbers are seeded with the index. The work inside an
//! iteration is `amount(n)` equal units and little else.

mod arrivals;
mod config;
mod contacts;
mod durations;
#[cfg(test)]
mod fit;
mod generate;
mod msisdn;
mod own_folder;
mod random;
mod record;
mod subscribers;
mod writer;

use std::process::ExitCode;

use perfplan_harness::Suite;

perfplan_harness::allocator!();

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "generate") {
        return generate::main(arguments);
    }
    cases().main()
}

fn cases() -> Suite {
    let mut suite = Suite::new("generator");
    contacts::register(&mut suite);
    msisdn::register(&mut suite);
    durations::register(&mut suite);
    arrivals::register(&mut suite);
    subscribers::register(&mut suite);
    writer::register(&mut suite);
    generate::register(&mut suite);
    suite
}
