//! The client, and what it notes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use perfplan_harness::protocol::Sample;
use perfplan_harness::{Arrival, Load, contract};

use super::super::cases;
use super::super::client::Client;
use super::super::routes::Limits;
use super::super::server::Server;
use super::super::service::lock;
use super::*;

fn ask_for_health(_: Arrival, request: &mut Vec<u8>) {
    request.extend_from_slice(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
}

/// Asks for health, so many times.
fn asked(client: &mut Client, rate: f64, requests: u64) -> Sample {
    Load::run(rate, requests, |load| client.drive(load, ask_for_health).unwrap())
}

#[test]
fn both_services_give_the_same_answers_under_load_in_every_batch() {
    contract::loads_are_equal(4_000.0, cases::load_before, cases::load_after);
}

#[test]
fn a_stall_of_the_service_is_seen_by_every_request_that_was_due_meanwhile() {
    const RATE: f64 = 2_000.0;
    const REQUESTS: u64 = 400;
    let (_, payments) = each_shared().into_iter().next().unwrap();
    let server = Server::start(0, Arc::clone(&payments), Limits::default()).unwrap();
    // Fewer connections than requests come meanwhile: those that find none wait as well.
    let mut client = Client::connect(server.address(), 4).unwrap();
    let (held, mut begun) = (Barrier::new(2), None);
    let (sample, ended) = thread::scope(|scope| {
        let stall = scope.spawn(|| {
            let _ledger = lock(&payments);
            held.wait();
            thread::sleep(Duration::from_millis(50));
            Instant::now()
        });
        held.wait();
        let sample = Load::run(RATE, REQUESTS, |load| {
            begun = load.arrivals().next().map(|arrival| arrival.due);
            client.drive(load, ask_for_health).unwrap();
        });
        (sample, stall.join().unwrap())
    });
    let stall = ended.saturating_duration_since(begun.unwrap()).as_secs_f64();
    for (metric, share) in [("latency.p95", 0.05), ("latency.p99", 0.01)] {
        // So many may be above: each due one period after the other, the first at the begin of the stall.
        let above = (REQUESTS as f64 * share).ceil() + 1.0;
        let implied = (stall - above / RATE) * 1e9 * 0.999;
        let seen = sample.value(metric).unwrap();
        assert!(seen >= implied, "{metric} is {seen:.0} ns, and a stall of {stall} s implies {implied:.0}");
    }
    assert!(sample.value("latency.max").unwrap() >= stall * 1e9 * 0.999);
}

#[test]
fn connections_that_were_closed_between_two_loads_are_opened_again() {
    let hasty = Limits { head: Duration::from_millis(50), ..Limits::default() };
    let server = Server::start(0, each_shared()[1].1.clone(), hasty).unwrap();
    let mut client = Client::connect(server.address(), 3).unwrap();
    let first = asked(&mut client, 1_000.0, 20);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(asked(&mut client, 1_000.0, 20).checksum, first.checksum);
}

/// A server that treats its connections one after the other.
fn treated(treat: impl Fn(&mut std::net::TcpStream) + Send + 'static) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the test program.
    thread::spawn(move || listener.incoming().for_each(|stream| treat(&mut stream.unwrap())));
    Client::connect(address, 1).unwrap()
}

#[test]
fn a_response_in_pieces_is_put_together_and_a_long_one_read_whole() {
    let mut client = treated(|stream| {
        let mut request = [0; 256];
        while stream.read(&mut request).unwrap() > 0 {
            for piece in ["HTTP/1.1 200 OK\r\nContent-", "Length: 5000\r\n\r\n", &"x".repeat(5_000)] {
                stream.write_all(piece.as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let whole = asked(&mut client, 200.0, 4).checksum;
    assert_eq!(asked(&mut client, 200.0, 4).checksum, whole);
}

#[test]
#[should_panic(expected = "5 of 5 requests failed, the first was request 0")]
fn a_server_that_hangs_up_fails_the_batch() {
    let mut client = treated(|stream| {
        let mut request = [0; 8];
        let _ = stream.read(&mut request);
    });
    asked(&mut client, 1_000.0, 5);
}

#[test]
#[should_panic(expected = "2 of 2 requests failed, the first was request 0")]
fn a_server_that_talks_nonsense_fails_the_batch() {
    let mut client = treated(|stream| {
        let mut request = [0; 256];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n\r\n");
    });
    asked(&mut client, 1_000.0, 2);
}
