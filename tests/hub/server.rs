//! The hub's threads: two addresses, one thread per connection, and none that outlives the hub.

use std::io::{self, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::json;

use super::http::{Request, Response, read_request};
use super::models::Place;
use super::routes::{self, Context};
use super::script::{Answer, Script};
use super::state::State;
use super::{NAME, OWNER, Settings, pulls, refusals};

/// Which of the hub's two addresses a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The interface.
    Api,
    /// The other host, where artifacts lie: it must never see a token.
    Storage,
}

/// A request, and where it came to.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where.
    pub origin: Origin,
    /// What.
    pub request: Request,
}

impl Recorded {
    /// `GET /repos/octo/widget/pulls/7`.
    pub fn line(&self) -> String {
        format!("{} {}", self.request.method, self.request.path)
    }
}

/// What all threads share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) state: Mutex<State>,
    pub(super) script: Script,
    pub(super) log: Mutex<Vec<Recorded>>,
    /// What the interface's addresses in answers begin with.
    pub(super) address: Mutex<String>,
    storage: SocketAddr,
    open: Mutex<Vec<TcpStream>>,
    closing: AtomicBool,
}

/// A server of both addresses; dropping it ends all its threads.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) api: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(settings: Settings) -> Self {
        let [api, storage] = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let address = api.local_addr().unwrap();
        let shared = Arc::new(Shared {
            address: Mutex::new(format!("http://{address}{}", settings.base)),
            settings,
            state: Mutex::default(),
            script: Script::default(),
            log: Mutex::default(),
            storage: storage.local_addr().unwrap(),
            open: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let threads = [(api, Origin::Api), (storage, Origin::Storage)].map(|(listener, origin)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, origin, &shared))
        });
        Self { shared, api: address, threads: threads.into() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.shared.script.close();
        // Each listener is woken by one more connection, and each connection by its end.
        for address in [self.api, self.shared.storage] {
            drop(TcpStream::connect(address));
        }
        for stream in self.shared.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

fn accept(listener: &TcpListener, origin: Origin, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    for stream in listener.incoming().map_while(Result::ok) {
        let Ok(other) = stream.try_clone() else { break };
        shared.open.lock().unwrap().push(other);
        // Looked at after the connection is listed: whoever closes meanwhile either finds it there or is seen here.
        if shared.closing.load(Ordering::SeqCst) {
            break;
        }
        let shared = Arc::clone(shared);
        connections.push(thread::spawn(move || drop(serve(&stream, origin, &shared))));
    }
    for connection in connections {
        drop(connection.join());
    }
}

/// One connection, request after request.
fn serve(stream: &TcpStream, origin: Origin, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        match read_request(&mut reader) {
            Ok(Some(request)) => {
                if !respond(stream, origin, shared, request)? {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                refusals::of(400, &error.to_string()).send(&mut writer)?;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    stream.shutdown(Shutdown::Both)
}

/// Answers a request; says whether the connection stays open.
fn respond(mut stream: &TcpStream, origin: Origin, shared: &Shared, mut request: Request) -> io::Result<bool> {
    let closes = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let below_base = request.path.strip_prefix(shared.settings.base).map(str::to_owned);
    let known = origin == Origin::Storage || below_base.is_some();
    if let (Origin::Api, Some(path)) = (origin, below_base) {
        request.path = path;
    }
    shared.log.lock().unwrap().push(Recorded { origin, request: request.clone() });
    if !known {
        return refusals::missing().send(&mut stream).map(|()| !closes);
    }
    let fault = shared.script.fault(&request);
    let asked = fault.as_ref().is_none_or(|fault| fault.change).then(|| carry_out(origin, shared, &request));
    shared.script.wait(&request);
    // What only half of is sent, where nothing was done.
    let asked = asked.unwrap_or_else(|| Response::json(200, &json!({ "id": 1, "body": "This is as far as it goes" })));
    match fault.map(|fault| fault.answer) {
        None => asked.send(&mut stream).map(|()| !closes),
        Some(Answer::Whole(answer)) => answer.send(&mut stream).map(|()| !closes),
        Some(Answer::Half) => asked.send_half(stream).map(|()| false),
        Some(Answer::Silence(time)) => {
            shared.script.sleep(time);
            Ok(false)
        }
    }
}

fn carry_out(origin: Origin, shared: &Shared, request: &Request) -> Response {
    let mut state = shared.state.lock().unwrap();
    if origin == Origin::Storage {
        return pulls::stored(&state, request);
    }
    let root = shared.address.lock().unwrap().clone();
    let repository = format!("{root}/repos/{OWNER}/{NAME}");
    let place = Place { root, repository };
    let storage = format!("http://{}", shared.storage);
    routes::answer(&mut state, &Context { settings: &shared.settings, place, storage, request })
}
