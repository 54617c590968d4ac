//! Hash tables with random seeds, in programs whose events are counted.

use super::finding::{Finding, Severity, Subject};

/// What a program has in it that draws seeds for std's hash tables, or for others that call their state so. std's own is in no
/// program that uses no such table.
const SIGNS: [&str; 2] = ["hashmap_random_keys", "RandomState"];

/// The beginnings of the names of metrics that count events, which random seeds move.
const COUNTS: [&str; 6] = ["instructions", "branches", "branch-misses", "alloc.", "callgrind", "cache"];

/// Says where counts are compared of a program that seeds its hash tables at random. `program` is what the finding calls it,
/// `symbols` are its functions and variables, mangled or not, and `counted` the metrics that are compared.
#[must_use]
pub fn hash_seeds(program: &str, symbols: &[&str], counted: &[&str]) -> Option<Finding> {
    let moved: Vec<&str> =
        counted.iter().copied().filter(|metric| COUNTS.iter().any(|start| metric.starts_with(start))).collect();
    let drawn = symbols.iter().any(|symbol| SIGNS.iter().any(|sign| symbol.contains(sign)));
    let what = format!("{program} seeds its hash tables at random, and {} of it are compared", moved.join(", "));
    let why = "every process has other collisions and another order of iteration, so that counts differ from run to run where \
        nothing was changed; they are averaged over rounds, and small changes drown";
    let fix = "a hasher without random seeds in what is measured: rustc_hash::FxHashMap, or \
        HashMap<K, V, std::hash::BuildHasherDefault<std::hash::DefaultHasher>>";
    (drawn && !moved.is_empty())
        .then(|| Finding::new("random-hash-seeds", Severity::Note, what, why, fix).about(Subject::Build))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As rustc 1.95 mangles them in an optimised program with a `HashMap`.
    const SEEDED: [&str; 2] = [
        "_RNvNtNtNtCsjrHSEGnQ3l9_3std3sys6random5linux19hashmap_random_keys",
        "_RNvNCNKNvNvMNtNtCsjrHSEGnQ3l9_3std4hash6randomNtBa_11RandomState3new4KEYS0s_023___RUST_STD_INTERNAL_VAL",
    ];

    #[test]
    fn seeds_matter_where_events_are_counted() {
        let found = hash_seeds("engine", &SEEDED[..1], &["wall", "instructions", "alloc.count"]).unwrap();
        assert_eq!(
            found.what,
            "engine seeds its hash tables at random, and instructions, alloc.count of it are compared"
        );
        assert!(hash_seeds("engine", &SEEDED[1..], &["instructions"]).is_some());
        assert!(hash_seeds("engine", &["ahash::random_state::RandomState::new"], &["alloc.bytes"]).is_some());
    }

    #[test]
    fn times_and_programs_without_seeds_are_no_finding() {
        assert_eq!(hash_seeds("engine", &SEEDED, &["wall", "latency.p99"]), None);
        // `getrandom` alone draws other things.
        assert_eq!(hash_seeds("engine", &["std::sys::random::linux::getrandom", "main"], &["instructions"]), None);
    }
}
