//! The kernels as cases for `cargo perfplan`.

use std::process::ExitCode;

use against_criterion::KERNELS;
use perfplan_harness::Suite;

perfplan_harness::allocator!();

fn main() -> ExitCode {
    let mut suite = Suite::new("against-criterion");
    for kernel in KERNELS {
        suite.case(kernel.name, move |_size| (kernel.setup)()).about(kernel.about);
    }
    suite.main()
}
