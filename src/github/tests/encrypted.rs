//! Connections that must be encrypted.

use std::io::Read;
use std::net::TcpListener;
use std::thread;

use crate::github::fixture::{Still, TOKEN, client};
use crate::github::{Cause, Patience};

/// What a record of TLS begins with that is part of the handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

#[test]
fn nothing_is_asked_before_the_connection_is_encrypted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut sent = vec![0; 1 << 14];
        let length = listener.accept().unwrap().0.read(&mut sent).unwrap();
        sent.truncate(length);
        sent
    });
    let patience = Patience { attempts: 1, ..Patience::default() };
    let refusal = client(&url, &Still::new(), patience).create_comment(7, "hello").unwrap_err();
    assert_eq!((refusal.cause, refusal.attempts), (Cause::Unanswered, 1));
    let sent = server.join().unwrap();
    assert_eq!(sent.first(), Some(&HANDSHAKE));
    assert!(!sent.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()));
}
