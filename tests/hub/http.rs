//! As much of HTTP/1.1 as clients of an API speak: requests with a length or in chunks, one after the other.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

/// The most that a request's line and headers, or those after its last chunk, may take together, bytes.
const MOST_HEAD: u64 = 64 << 10;
/// The most that a request's body may take, bytes.
const MOST_BODY: u64 = 4 << 20;

/// What a client asked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, ...
    pub method: String,
    /// The path, still percent-encoded, without what the hub's addresses begin with ([`super::Settings::base`]).
    pub path: String,
    /// What stands behind the question mark, still percent-encoded.
    pub query: String,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Without the chunks' frames.
    pub body: Vec<u8>,
}

impl Request {
    /// A header's value; the case of the name does not count.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key) == name).then(|| decoded(&value.replace('+', " ")))
        })
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Text without its `%20`s; what is no such code is left as it is.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The next request of a connection; `None` where the client is done.
///
/// # Errors
/// Where the connection breaks, or what comes is no request or too large ([`io::ErrorKind::InvalidData`]).
pub fn read_request(from: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut left = MOST_HEAD;
    let line = line(from, &mut left)?;
    if line.is_empty() {
        return Ok(None);
    }
    let [method, target, "HTTP/1.1"] = line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(wrong(&format!("no request line: {line:?}")));
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers(from, &mut left)?;
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Vec::new(),
    };
    request.body = body(from, &request)?;
    Ok(Some(request))
}

fn wrong(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// A line without its end; empty at the end of the stream. What it takes is taken from `left`, bytes.
fn line(from: &mut impl BufRead, left: &mut u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    *left -= from.take(*left).read_until(b'\n', &mut bytes)? as u64;
    if *left == 0 {
        return Err(wrong("the head is too long"));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("the head is no text"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn headers(from: &mut impl BufRead, left: &mut u64) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(from, left)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| wrong(&format!("no header: {line:?}")))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn body(from: &mut impl BufRead, request: &Request) -> io::Result<Vec<u8>> {
    if request.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return chunks(from);
    }
    let length = request.header("content-length").unwrap_or("0");
    exactly(from, length.parse().map_err(|_| wrong(&format!("no length: {length:?}")))?)
}

fn chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(from, &mut MOST_HEAD.clone())?;
        let digits = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| wrong(&format!("no size of a chunk: {size:?}")))?;
        if size == 0 {
            headers(from, &mut MOST_HEAD.clone())?;
            return Ok(body);
        }
        body.extend(exactly(from, size)?);
        if body.len() as u64 > MOST_BODY || !line(from, &mut MOST_HEAD.clone())?.is_empty() {
            return Err(wrong("the chunks are too large, or one is longer than it says"));
        }
    }
}

fn exactly(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > MOST_BODY {
        return Err(wrong("the body is too large"));
    }
    let mut body = Vec::new();
    match from.take(length).read_to_end(&mut body)? as u64 == length {
        true => Ok(body),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Beside the length, which the body has.
    pub headers: Vec<(&'static str, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Response {
    /// JSON, as GitHub sends it.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Bytes of another type.
    pub fn text(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    /// Nothing, which is what a deletion is answered with.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The same with a header more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends it, as far as the client listens.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.bytes())
    }

    /// Sends all but the second half of the body, and ends the connection.
    pub fn send_half(&self, mut to: &TcpStream) -> io::Result<()> {
        let bytes = self.bytes();
        to.write_all(&bytes[..bytes.len() - self.body.len().div_ceil(2)])?;
        to.shutdown(Shutdown::Both)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} \r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        // A 204 has no length (RFC 9110, 8.6).
        if self.status != 204 {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}
