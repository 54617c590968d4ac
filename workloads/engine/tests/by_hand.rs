//! The program as a person starts it.

use std::process::Command;

/// Names that the executable plan refers to; a missing one breaks its steps.
const CASES: [&str; 24] = [
    "batch/one-by-one",
    "batch/batched",
    "batch/under-load",
    "pool/global/64",
    "pool/global/1024",
    "pool/global/4096",
    "pool/preallocated/64",
    "pool/preallocated/1024",
    "pool/preallocated/4096",
    "prefetch/plain/small",
    "prefetch/plain/large",
    "prefetch/prefetching/small",
    "prefetch/prefetching/large",
    "simd/hash/scalar",
    "simd/hash/avx2",
    "simd/compare/scalar",
    "simd/compare/avx2",
    "ultra_low_latency/single_enqueue_dequeue",
    "ultra_low_latency/cache_get_operation",
    "concurrent_operations/threads/8",
    "orders/sort",
    "book/btree",
    "ledger/hash",
    "fees/arithmetic",
];

#[test]
fn every_case_is_listed_with_a_sentence_about_it() {
    #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
    let output = Command::new(env!("CARGO_BIN_EXE_engine")).arg("list").output().unwrap();
    assert!(output.status.success());
    let listed = String::from_utf8(output.stdout).unwrap();
    let about = |case: &str| listed.lines().find_map(|line| line.strip_prefix(case)?.strip_prefix(' ')).map(str::trim);
    for case in CASES {
        assert!(about(case).is_some_and(|about| about.len() > 20), "{case} is not listed:\n{listed}");
    }
    assert_eq!(listed.lines().count(), CASES.len(), "{listed}");
}
