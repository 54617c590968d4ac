//! A small program that is always there to be measured: the tool itself, as a worker.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::process::ExitCode;

use perfplan_harness::{Size, Suite};

/// The environment variable by which the tool is told to be a worker.
pub const ITSELF: &str = "PERFPLAN_ITSELF";
/// The case that it has.
pub const MIXED: &str = "mixed";
/// Numbers that an iteration handles.
const NUMBERS: u64 = 400;

/// Serves as a worker, where this process was started as one.
#[must_use]
pub fn serve() -> Option<ExitCode> {
    std::env::var_os(ITSELF)?;
    let mut suite = Suite::new("itself");
    suite.case(MIXED, mixed).about("400 numbers are drawn, put into a hash table, taken out and sorted");
    Some(suite.main())
}

/// What programs are made of: arithmetic, allocation, a hash table, branches.
fn mixed(_: Size) -> impl FnMut(u64) -> u64 {
    |index| {
        let mut rng = fastrand::Rng::with_seed(index);
        let mut table: HashMap<u64, u64, BuildHasherDefault<DefaultHasher>> = HashMap::default();
        (0..NUMBERS).for_each(|number| *table.entry(rng.u64(..NUMBERS)).or_default() += number);
        let mut sums: Vec<u64> = table.into_values().collect();
        sums.sort_unstable();
        sums[sums.len() / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        perfplan_harness::contract::results_depend_on_the_index_alone(mixed);
    }
}
