//! A client as small as one can be: it hides nothing of what the hub sends.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::hub::Hub;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The message of an error, and the reasons for it.
    #[track_caller]
    pub fn message(&self) -> String {
        let json = self.json();
        format!("{}{}", json["message"].as_str().unwrap_or_default(), json["errors"])
    }
}

/// Where to ask, and as whom.
#[derive(Clone, Debug)]
pub struct Client {
    /// `127.0.0.1:80`.
    pub host: String,
    base: String,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Client {
    /// One that has the hub's token.
    pub fn of(hub: &Hub) -> Self {
        Self::at(&hub.url(), hub.settings().token)
    }

    pub fn at(url: &str, token: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let (host, base) = address.split_at(address.find('/').unwrap_or(address.len()));
        let headers = vec![
            ("user-agent", "test".to_owned()),
            ("accept", "application/vnd.github+json".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        Self { host: host.to_owned(), base: base.to_owned(), headers }
    }

    pub fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    /// The bytes of a request of the repository, or where the path begins with two slashes, of the root.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
        let path = match path.strip_prefix('/') {
            Some(root) if root.starts_with('/') => format!("{}{root}", self.base),
            _ => format!("{}/repos/octo/widget{path}", self.base),
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += "content-type: application/json\r\n";
        }
        format!("{text}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    /// # Errors
    /// Where the connection ends before the answer does.
    pub fn try_ask(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Answer> {
        let stream = TcpStream::connect(&self.host)?;
        (&stream).write_all(&self.request(method, path, body))?;
        read_answer(&mut BufReader::new(&stream))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.try_ask("GET", path, None).unwrap()
    }

    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.try_ask(method, path, Some(&body)).unwrap()
    }
}

pub fn read_answer(from: &mut impl BufRead) -> io::Result<Answer> {
    let status = line(from)?;
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut headers = Vec::new();
    loop {
        let line = line(from)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    answer.body = vec![0; length];
    from.read_exact(&mut answer.body)?;
    Ok(answer)
}

fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
