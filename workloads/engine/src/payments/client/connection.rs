//! One keep-alive connection, with one request in flight at most.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::super::poll::Interest;
use super::super::service::Said;

/// The most headers of a response.
const HEADERS: usize = 16;

/// How many bytes are read at a time; the service's responses are shorter.
const CHUNK: usize = 2048;

/// A connection that never blocks.
pub(super) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    /// How much of the request is sent.
    sent: usize,
    response: Vec<u8>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, request: Vec::with_capacity(1024), sent: 0, response: Vec::with_capacity(CHUNK) })
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// What a request in flight waits for.
    pub(super) fn interest(&self) -> Interest {
        if self.sent < self.request.len() { Interest::ReadAndWrite } else { Interest::Read }
    }

    /// Whether the server has not closed it while nothing was in flight.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Begins a request that `write` writes down.
    pub(super) fn start(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.request.clear();
        self.response.clear();
        self.sent = 0;
        write(&mut self.request);
        self.send()
    }

    /// Sends what the socket takes.
    fn send(&mut self) -> io::Result<()> {
        while self.sent < self.request.len() {
            match (&self.stream).write(&self.request[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Goes on with the request in flight; the response once it is whole.
    pub(super) fn proceed(&mut self) -> io::Result<Option<Said<'_>>> {
        self.send()?;
        loop {
            let before = self.response.len();
            self.response.resize(before + CHUNK, 0);
            let read = (&self.stream).read(&mut self.response[before..]);
            self.response.truncate(before + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // A part of the response may be all that is there yet.
                Ok(count) if count == CHUNK => {}
                Ok(_) => return parse(&self.response),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return parse(&self.response),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The status and the body, where all of it is there.
fn parse(bytes: &[u8]) -> io::Result<Option<Said<'_>>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let nonsense = |error: httparse::Error| io::Error::new(ErrorKind::InvalidData, error.to_string());
    let httparse::Status::Complete(head) = response.parse(bytes).map_err(nonsense)? else { return Ok(None) };
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    let length = length.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "a response without a length"))?;
    let body = bytes[head..].get(..length);
    Ok(body.map(|body| Said(response.code.unwrap_or(0), body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 201 Created\r\ncontent-type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn a_response_is_whole_with_its_last_byte() {
        for length in 0..RESPONSE.len() {
            assert!(parse(&RESPONSE[..length]).unwrap().is_none(), "{length} bytes");
        }
        let said = parse(RESPONSE).unwrap().unwrap();
        assert_eq!((said.0, said.1), (201, b"hello".as_slice()));
    }

    #[test]
    fn what_is_no_response_is_told_from_a_part_of_one() {
        assert!(parse(b"HTTP/1.1 twohundred\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err(), "without a length it never ends");
    }
}
