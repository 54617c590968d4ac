//! What is measured: the handler alone, and the whole service under load.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use perfplan_harness::{Arrival, Checksum, Digest, Load, Size, Suite, amount};

use super::after::After;
use super::before::Before;
use super::client::Client;
use super::opening::{self, Opened};
use super::routes::Limits;
use super::server::Server;
use super::service::{Answer, Payments, Said};
use super::traffic::{self, Traffic};

const REQUESTS: usize = amount(100);

/// Requests per second, and the word for it.
const RATES: [(f64, &str); 3] = [(1_000.0, "1k"), (4_000.0, "4k"), (16_000.0, "16k")];

/// More than are ever in flight while the service keeps up.
const CONNECTIONS: usize = 32;

/// How far apart in the traffic two iterations begin. Odd, so that each of its places is a beginning once.
const STRIDE: u64 = 127;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("payments/handle/before", handle_before)
        .about("100 payments are parsed, checked, deduplicated and booked: owned strings, SipHash, clones")
        .operations(REQUESTS as u64);
    suite
        .case("payments/handle/after", handle_after)
        .about("the same 100 payments with borrowed text, a fast hasher and buffers that are used again")
        .operations(REQUESTS as u64);
    for (rate, word) in RATES {
        let about = format!(
            "{rate} payments per second, over HTTP to a service in this process, open loop; 200 or more are an iteration"
        );
        suite.load(&format!("payments/before/{word}"), rate, load_before).about(&about).threads(2);
        suite.load(&format!("payments/after/{word}"), rate, load_after).about(&about).threads(2);
    }
}

pub(super) fn handle_before(size: Size) -> impl FnMut(u64) -> u64 {
    handle(size, Before::open)
}

pub(super) fn handle_after(size: Size) -> impl FnMut(u64) -> u64 {
    handle(size, After::open)
}

pub(super) fn load_before(size: Size) -> impl FnMut(&Load) {
    served(size, Before::open)
}

pub(super) fn load_after(size: Size) -> impl FnMut(&Load) {
    served(size, After::open)
}

/// The size of the scene: accounts, keys that are remembered, and different bodies.
fn scene<P>(size: Size, open: impl Fn(Vec<Opened>, usize) -> P) -> (P, Traffic) {
    let accounts = size.pick(160, 1_600, 160_000);
    let payments = open(opening::accounts(accounts), size.pick(512, 4_096, 65_536));
    (payments, Traffic::record(size.pick(512, 4_096, 65_536), accounts, 17))
}

/// Numbers of keys that were not used before, so that payments are booked, and no stored answers given, whatever ran before.
/// No answer tells its key or a balance, so that answers depend on the index alone.
#[derive(Default)]
struct Keys(Cell<u64>);

impl Keys {
    /// The first of `count` new ones.
    fn next(&self, count: u64) -> u64 {
        self.0.replace(self.0.get() + count)
    }
}

fn handle<P: Payments>(size: Size, open: impl Fn(Vec<Opened>, usize) -> P) -> impl FnMut(u64) -> u64 {
    let (mut payments, traffic) = scene(size, open);
    let (keys, mut answer) = (Keys::default(), Answer::with_room());
    move |index| {
        let first = keys.next(REQUESTS as u64);
        let mut checksum = Checksum::default();
        for position in 0..REQUESTS as u64 {
            let sent = traffic.request_in_order(index.wrapping_mul(STRIDE), position);
            payments.pay(Some(&traffic::key(first + sent.key)), sent.body.as_bytes(), &mut answer);
            Said(answer.status, &answer.body).digest(&mut checksum);
        }
        checksum.value()
    }
}

fn served<P: Payments + 'static>(size: Size, open: impl Fn(Vec<Opened>, usize) -> P) -> impl FnMut(&Load) {
    let (payments, traffic) = scene(size, open);
    let started = Server::start(0, Arc::new(Mutex::new(payments)), Limits::default())
        .and_then(|server| Ok((Client::connect(server.address(), CONNECTIONS)?, server)));
    let (mut client, server) =
        started.unwrap_or_else(|error| panic!("the payments service on a local socket: {error}"));
    let keys = Keys::default();
    move |load| {
        let first = keys.next(load.requests());
        let driven = client.drive(load, |arrival, request| write(request, &traffic, first, arrival));
        driven.unwrap_or_else(|error| panic!("the payments service at {}: {error}", server.address()));
    }
}

/// Writes a request down as it goes over the socket.
fn write(request: &mut Vec<u8>, traffic: &Traffic, first: u64, arrival: Arrival) {
    let sent = traffic.request(0, arrival.index);
    let written: io::Result<()> = (|| {
        request.write_all(
            b"POST /payments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ",
        )?;
        request.write_all(&traffic::key(first + sent.key))?;
        write!(request, "\r\nContent-Length: {}\r\n\r\n{}", sent.body.len(), sent.body)
    })();
    // A vector takes whatever it is given.
    debug_assert!(written.is_ok(), "{written:?}");
}
