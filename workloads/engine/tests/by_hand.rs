//! The program as a person starts it.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use perfplan_harness::contract;

/// Names that the executable plan refers to; a missing one breaks its steps.
const CASES: [&str; 49] = [
    "batch/one-by-one",
    "batch/batched",
    "batch/under-load",
    "batch/single-arrivals",
    "breaker/failures-only",
    "breaker/latency-aware",
    "breaker/spikes/failures-only",
    "breaker/spikes/latency-aware",
    "pool/global/64",
    "pool/global/1024",
    "pool/global/4096",
    "pool/global/mixed",
    "pool/preallocated/64",
    "pool/preallocated/1024",
    "pool/preallocated/4096",
    "pool/preallocated/mixed",
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
    "latency_under_load/load_factor/1.0",
    "latency_under_load/load_factor/5.0",
    "allocation/orders",
    "allocation/lifetimes",
    "allocation/growth",
    "allocation/handover",
    "concurrent_operations/threads/8",
    "affinity/unpinned",
    "affinity/pinned",
    "numa/plain",
    "numa/aware",
    "orders/sort",
    "book/btree",
    "ledger/hash",
    "fees/arithmetic",
    "payments/handle/before",
    "payments/handle/after",
    "payments/before/1k",
    "payments/before/4k",
    "payments/before/16k",
    "payments/after/1k",
    "payments/after/4k",
    "payments/after/16k",
];

#[test]
fn every_case_is_listed_with_a_sentence_about_it() {
    contract::cases_are_listed(env!("CARGO_BIN_EXE_engine"), &CASES);
}

#[test]
fn the_payments_service_can_be_started_alone_and_says_where_it_listens() {
    #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
    let mut child = Command::new(env!("CARGO_BIN_EXE_engine"))
        .args(["serve", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line);
    let health = read.and_then(|_| health(line.trim_start_matches("http://").split(": ").next().unwrap_or_default()));
    child.kill().and_then(|()| child.wait()).expect("it is ended");
    let health = health.unwrap_or_else(|error| panic!("{error}, where it said {line:?}"));
    assert!(health.starts_with("HTTP/1.1 200 OK") && health.ends_with(r#"{"status":"ok"}"#), "{health}");
}

/// Runs the program to its end: the exit code, and what it says on stderr.
fn ended(arguments: &[&OsStr]) -> (Option<i32>, String) {
    #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
    let output = match Command::new(env!("CARGO_BIN_EXE_engine")).args(arguments).output() {
        Ok(output) => output,
        Err(error) => panic!("the program does not start: {error}"),
    };
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_port_that_is_taken_is_named_and_the_program_fails() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let (code, said) = ended(&["serve", "--port", &port].map(OsStr::new));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with(&format!("port {port} is taken; ")), "{said}");
}

#[test]
fn an_argument_that_is_no_text_is_refused_in_words() {
    for arguments in [vec![OsStr::from_bytes(b"\xff")], vec![OsStr::new("run"), OsStr::from_bytes(b"a\xff")]] {
        let (code, said) = ended(&arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("\\xFF") && !said.contains("panicked"), "{said}");
    }
}

fn health(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    io::read_to_string(stream)
}
