//! A server that answers by a script, and a clock that takes no time.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{ApiUrl, Client, Clock, Patience, Token};

/// The token of every client here.
pub(crate) const TOKEN: &str = "ghs_s3cretT0ken";
/// The id of a commit.
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
/// When it is.
pub(crate) const NOW: u64 = 1_800_000_000;

/// What the server does with one request.
pub(crate) enum Reply {
    /// Answers: status line, headers and body as they stand here.
    Raw(Vec<u8>),
    /// Says nothing until the server is dropped.
    Silence,
}

/// An answer with a body of JSON.
pub(crate) fn json(status: u16, body: &Value) -> Reply {
    with(status, &[], &body.to_string())
}

/// An answer with headers.
pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    Reply::Raw(format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes())
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /repos/...?...`
    pub(crate) line: String,
    /// In small letters, but for the values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A server on this machine. Every request gets the next reply; when there is none left, the connection is closed.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, ended) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicBool>::default());
        let (theirs, over) = (Arc::clone(&seen), Arc::clone(&ended));
        let thread = thread::spawn(move || serve(&listener, replies, &theirs, &over));
        Self { address, seen, ended, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The first lines of what came.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    /// A client of this server for the repository `octo/hello`.
    pub(crate) fn client(&self, clock: &Still) -> Client {
        self.client_with(clock, Patience::default())
    }

    pub(crate) fn client_with(&self, clock: &Still, patience: Patience) -> Client {
        client(&self.url(), clock, patience)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            // A panic there shows as a request that was not seen.
            let _ = thread.join();
        }
    }
}

pub(crate) fn client(url: &str, clock: &Still, patience: Patience) -> Client {
    let (api, token): (ApiUrl, _) = (url.parse().unwrap(), Token::new(TOKEN).unwrap());
    let client = Client::new(api, "octo/hello".parse().unwrap(), token, patience).unwrap();
    client.with_clock(Box::new(clock.clone()))
}

fn serve(listener: &TcpListener, replies: Vec<Reply>, seen: &Mutex<Vec<Seen>>, ended: &AtomicBool) {
    let (mut replies, mut silent) = (replies.into_iter(), Vec::new());
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        if ended.load(Ordering::SeqCst) {
            return;
        }
        let Some(request) = receive(&stream) else { continue };
        seen.lock().unwrap().push(request);
        match replies.next() {
            // Whoever gave up in the middle need not hear the rest.
            Some(Reply::Raw(bytes)) => drop(stream.write_all(&bytes)),
            Some(Reply::Silence) => silent.push(stream),
            None => {}
        }
    }
}

fn receive(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { line, headers, body: String::from_utf8(body).unwrap() })
}

/// A clock on which only pauses take time, unless it is made to tick.
#[derive(Clone)]
pub(crate) struct Still {
    now: Rc<Cell<SystemTime>>,
    tick: Rc<Cell<Duration>>,
    pauses: Rc<RefCell<Vec<Duration>>>,
    goes_on: Rc<Cell<bool>>,
}

impl Still {
    pub(crate) fn new() -> Self {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        Self {
            now: Rc::new(Cell::new(now)),
            tick: Rc::default(),
            pauses: Rc::default(),
            goes_on: Rc::new(Cell::new(true)),
        }
    }

    /// The pauses so far, in seconds.
    pub(crate) fn pauses(&self) -> Vec<f64> {
        self.pauses.borrow().iter().map(Duration::as_secs_f64).collect()
    }

    /// Lets so much time go by whenever it is looked at.
    pub(crate) fn ticking(self, tick: Duration) -> Self {
        self.tick.set(tick);
        self
    }

    /// Lets every pause end with the tool being asked to end.
    pub(crate) fn interrupt(&self) {
        self.goes_on.set(false);
    }
}

impl Clock for Still {
    fn now(&self) -> SystemTime {
        self.now.set(self.now.get() + self.tick.get());
        self.now.get()
    }

    fn pause(&self, length: Duration) -> bool {
        self.now.set(self.now.get() + length);
        self.pauses.borrow_mut().push(length);
        self.goes_on.get()
    }
}
