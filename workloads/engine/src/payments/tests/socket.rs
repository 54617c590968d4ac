//! The service over its socket: paths, limits, and clients that do what they should not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::super::routes::Limits;
use super::super::server::Server;
use super::super::service::lock;
use super::super::traffic::{self, Traffic};
use super::*;

/// Nothing that is waited for takes so long, even on a busy machine.
const LONG: Duration = Duration::from_secs(30);

fn limits() -> Limits {
    Limits { head: LONG, body: LONG, ..Limits::default() }
}

/// Both implementations, each served.
fn each_served(limits: Limits) -> Vec<(&'static str, Server, Shared)> {
    let start =
        |(name, payments): (_, Shared)| (name, Server::start(0, Arc::clone(&payments), limits).unwrap(), payments);
    each_shared().into_iter().map(start).collect()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// All that the server says before it closes: the status, the head and the body; status 0 where it says nothing.
fn rest(mut stream: TcpStream) -> (u16, String, String) {
    let mut bytes = Vec::new();
    // A server that closes with input unread may reset the connection after its answer.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    (status, head.to_owned(), body.to_owned())
}

fn exchange(server: &Server, request: &str) -> (u16, String, String) {
    let mut stream = connect(server);
    // The server may refuse and close before it has read everything.
    let _ = stream.write_all(request.as_bytes());
    rest(stream)
}

fn get(server: &Server, path: &str) -> (u16, String) {
    let (status, _, body) = exchange(server, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    (status, body)
}

/// A `POST /payments` with further header lines.
fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    let fixed = "POST /payments HTTP/1.1\r\nHost: x\r\nConnection: close";
    format!("{fixed}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

fn booked(server: &Server, key: &str, body: &str) -> (u16, String) {
    let (status, _, body) = exchange(server, &post(&format!("Idempotency-Key: {key}\r\n"), body));
    (status, body)
}

#[test]
fn every_path_is_answered_in_json_and_has_its_method() {
    for (name, server, _) in each_served(limits()) {
        assert_eq!(get(&server, "/health"), (200, r#"{"status":"ok"}"#.to_owned()), "{name}");
        assert_eq!(booked(&server, "a", PAYMENT), (201, RECEIPT.to_owned()), "{name}");
        assert_eq!(get(&server, "/accounts/acct-000085"), (200, PAID.to_owned()), "{name}");
        assert_eq!(get(&server, "/accounts/nobody").0, 404, "{name}");
        assert_eq!(get(&server, "/").0, 404, "{name}");
        let (status, head, body) = exchange(&server, "GET /payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_eq!((status, body.as_str()), (405, r#"{"error":"method_not_allowed"}"#), "{name}");
        assert!(head.contains("allow: POST") && head.contains("content-type: application/json"), "{name}: {head}");
        let (status, head, _) = exchange(&server, "DELETE /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!(status == 405 && head.contains("allow: GET"), "{name}: {head}");
    }
}

#[test]
fn refusals_have_their_status_over_the_socket_too() {
    for (name, server, _) in each_served(limits()) {
        assert_eq!(exchange(&server, &post("", PAYMENT)).0, 400, "{name}: no key");
        assert_eq!(booked(&server, "a", "{").0, 400, "{name}");
        assert_eq!(booked(&server, "b", &PAYMENT.replace("acct-000085", "acct-000000")).0, 402, "{name}");
        assert_eq!(booked(&server, "c", &PAYMENT.replace("EUR", "XAU")).0, 422, "{name}");
        assert_eq!(booked(&server, "d", PAYMENT).0, 201, "{name}");
        assert_eq!(booked(&server, "d", &PAYMENT.replace("1250", "1")).0, 409, "{name}");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let key = "Idempotency-Key: a\r\n";
    let start = "POST /payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
    for (name, server, _) in each_served(limits()) {
        let large = format!("{PAYMENT}{}", " ".repeat(limits().bytes));
        assert_eq!(exchange(&server, &post(key, &large)).0, 413, "{name}");
        let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
        assert_eq!(exchange(&server, &format!("{start}{key}\r\n{chunk}")).0, 413, "{name}");
        let announced = format!("POST /payments HTTP/1.1\r\nHost: x\r\n{key}Content-Length: 1000000\r\n\r\n");
        assert_eq!(exchange(&server, &announced).0, 413, "{name}: before any of it came");
        let fits = format!("{PAYMENT}{}", " ".repeat(limits().bytes - PAYMENT.len()));
        assert_eq!(exchange(&server, &post(key, &fits)).0, 201, "{name}");
    }
}

#[test]
fn a_body_that_does_not_come_is_given_up_and_a_head_that_does_not_closes_the_connection() {
    let hasty = Limits { head: Duration::from_millis(100), body: Duration::from_millis(100), ..Limits::default() };
    for (name, server, _) in each_served(hasty) {
        let request = post("Idempotency-Key: a\r\n", PAYMENT);
        let (all_but_the_end, _) = request.split_at(request.len() - 5);
        assert_eq!(exchange(&server, all_but_the_end).0, 408, "{name}");
        let begun = Instant::now();
        let (status, ..) = exchange(&server, "POST /payments HTTP/1.1\r\nHost:");
        assert!([0, 408].contains(&status) && begun.elapsed() < LONG, "{name}: {status}");
        assert_eq!(booked(&server, "a", PAYMENT).0, 201, "{name}: nothing was booked under this key");
    }
}

#[test]
fn a_connection_that_is_closed_midway_books_nothing_and_hurts_nobody() {
    for (name, server, payments) in each_served(limits()) {
        let request = post("Idempotency-Key: a\r\n", PAYMENT);
        for length in [10, request.len() - PAYMENT.len(), request.len() - 1] {
            connect(&server).write_all(&request.as_bytes()[..length]).unwrap();
            assert_eq!(get(&server, "/health").0, 200, "{name}");
        }
        assert!(statement(&*lock(&payments), "acct-000085").1.contains("1000000000000"), "{name}");
        assert_eq!(booked(&server, "a", PAYMENT).0, 201, "{name}");
    }
}

#[test]
fn the_same_key_at_the_same_time_books_once() {
    for (name, server, payments) in each_served(limits()) {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| booked(&server, "a", PAYMENT))).collect();
            for client in clients {
                assert_eq!(client.join().unwrap(), (201, RECEIPT.to_owned()), "{name}");
            }
        });
        assert_eq!(statement(&*lock(&payments), "acct-000085").1, PAID, "{name}");
    }
}

#[test]
fn money_is_neither_made_nor_lost_while_many_pay() {
    let traffic = Traffic::record(512, ACCOUNTS, 3);
    for (name, server, payments) in each_served(limits()) {
        let pay = |start: u64| {
            for position in 0..100 {
                let sent = traffic.request_in_order(start, position);
                let key = String::from_utf8(traffic::key(start * 1_000 + sent.key).to_vec()).unwrap();
                assert!(booked(&server, &key, sent.body).0 < 500, "{name}");
            }
        };
        thread::scope(|scope| {
            (0..4).for_each(|start| drop(scope.spawn(move || pay(start))));
            for _ in 0..50 {
                assert_eq!(get(&server, "/health").0, 200, "{name}: the books add up at any moment");
            }
        });
        assert_eq!(lock(&payments).sum(), 0, "{name}");
        assert_ne!(statement(&*lock(&payments), "acct-000085"), statement(&*each()[0].1, "acct-000085"), "{name}");
    }
}

#[test]
fn more_connections_than_are_allowed_wait_their_turn() {
    let (name, server, _) = each_served(Limits { connections: 2, ..limits() }).remove(0);
    let held = [connect(&server), connect(&server)];
    thread::scope(|scope| {
        let third = scope.spawn(|| booked(&server, "a", PAYMENT));
        thread::sleep(Duration::from_millis(50));
        assert!(!third.is_finished(), "{name}");
        drop(held);
        assert_eq!(third.join().unwrap().0, 201, "{name}");
    });
}

#[test]
fn a_dropped_server_leaves_no_thread_no_socket_and_no_connection() {
    for (name, server, payments) in each_served(limits()) {
        let address = server.address();
        let idle = connect(&server);
        let mut midway = connect(&server);
        midway.write_all(b"POST /payments HTTP/1.1\r\n").unwrap();
        assert_eq!(get(&server, "/health").0, 200, "{name}");
        drop(server);
        assert_eq!(Arc::strong_count(&payments), 1, "{name}: whoever held the others has ended");
        assert!(TcpStream::connect(address).is_err(), "{name}");
        assert_eq!((rest(idle).0, rest(midway).0), (0, 0), "{name}");
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let (_, server, payments) = each_served(limits()).remove(0);
    assert!(Server::start(server.address().port(), payments, limits()).is_err());
}
