//! The program as a person starts it.

use perfplan_harness::contract;

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
    contract::cases_are_listed(env!("CARGO_BIN_EXE_engine"), &CASES);
}
