//! The program as a person starts it.

use perfplan_harness::contract;

/// Names that the executable plan refers to; a missing one breaks its steps.
const CASES: [&str; 23] = [
    "contacts/rebuilt",
    "contacts/prepared",
    "msisdn/formatted",
    "msisdn/arithmetic",
    "durations/rebuilt",
    "durations/reused",
    "arrivals/rebuilt",
    "arrivals/reused",
    "redb/naive",
    "redb/cached",
    "redb/naive/100k",
    "redb/cached/100k",
    "redb/naive/1M",
    "redb/cached/1M",
    "redb/naive/far",
    "redb/cached/far",
    "writer/per-batch",
    "writer/persistent",
    "generate/naive",
    "generate/formatted",
    "generate/all",
    "generate/naive/100k",
    "generate/all/100k",
];

#[test]
fn every_case_is_listed_with_a_sentence_about_it() {
    contract::cases_are_listed(env!("CARGO_BIN_EXE_generator"), &CASES);
}
