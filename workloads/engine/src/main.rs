//! The parts of a low-latency transaction engine, each as cases for `cargo perfplan`.
//!
//! An iteration's result depends on its index alone: what an iteration changes it puts back, and its inputs come from a
//! [`tape`] that the index points into. The work inside an iteration is `amount(n)` equal units and little else.

mod affinity;
mod allocations;
mod arrivals;
mod atomic;
mod batch;
mod book;
mod breaker;
mod cache;
mod concurrent;
mod fees;
mod hasher;
mod journal;
mod ledger;
mod load;
mod mapping;
mod numa;
mod orders;
mod payments;
mod pool;
mod prefetch;
mod queue;
mod simd;
mod tape;
mod topology;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use perfplan_harness::Suite;

perfplan_harness::allocator!();

fn main() -> ExitCode {
    // Before anything else reads them: `std::env::args` panics where one is not UTF-8.
    let arguments = match std::env::args_os().map(OsString::into_string).collect::<Result<Vec<_>, _>>() {
        Ok(arguments) => arguments,
        Err(argument) => {
            let _ =
                writeln!(io::stderr(), "no argument of this program is {argument:?}; `list` and `help` say what is");
            return ExitCode::from(2);
        }
    };
    if let Some(code) = payments::by_hand(arguments.into_iter().skip(1)) {
        return code;
    }
    let mut suite = Suite::new("engine");
    batch::register(&mut suite);
    arrivals::register(&mut suite);
    breaker::register(&mut suite);
    pool::register(&mut suite);
    prefetch::register(&mut suite);
    simd::register(&mut suite);
    queue::register(&mut suite);
    cache::register(&mut suite);
    load::register(&mut suite);
    allocations::register(&mut suite);
    concurrent::register(&mut suite);
    affinity::register(&mut suite);
    numa::register(&mut suite);
    orders::register(&mut suite);
    book::register(&mut suite);
    ledger::register(&mut suite);
    fees::register(&mut suite);
    payments::register(&mut suite);
    suite.main()
}
