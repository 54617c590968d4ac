//! The service on a loopback socket, with one thread of its own.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::time;

use super::routes::{self, Limits};
use super::service::Shared;

/// A running server. Dropping it closes all connections and ends the thread.
pub(crate) struct Server {
    address: SocketAddr,
    /// Dropped to stop the thread.
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on a port of the loopback interface; 0 takes any that is free.
    ///
    /// # Errors
    /// Where the port is taken, or the system refuses a thread.
    pub(crate) fn start(port: u16, payments: Shared, limits: Limits) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = runtime.block_on(async { TcpListener::from_std(listener) })?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || until(&runtime, stopped, accept(listener, payments, limits));
        let thread = thread::Builder::new().name("payments".to_owned()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub(crate) fn wait(mut self) {
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of a connection ends that connection only.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        self.join();
    }
}

/// Runs `work` until the other end of `stopped` is dropped. What `work` spawned is cancelled with the runtime.
fn until(runtime: &Runtime, stopped: oneshot::Receiver<Infallible>, work: impl Future<Output = ()> + Send + 'static) {
    runtime.spawn(work);
    // Nothing is ever sent: this ends with an error, when the sender is gone.
    let _ = runtime.block_on(stopped);
}

async fn accept(listener: TcpListener, payments: Shared, limits: Limits) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let payments = Arc::clone(&payments);
                tokio::spawn(async move {
                    serve(stream, payments, limits).await;
                    drop(place);
                });
            }
            // Out of descriptors, most likely: some may be free again soon.
            Err(_) => time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Serves a connection until either side closes it.
async fn serve(stream: TcpStream, payments: Shared, limits: Limits) {
    // Else small answers may wait for the client's acknowledgement; where the option is refused they do.
    let _ = stream.set_nodelay(true);
    let respond = service_fn(|request| {
        let payments = Arc::clone(&payments);
        async move { Ok::<_, Infallible>(routes::respond(request, &payments, limits).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    // A client that hangs up or talks nonsense has ended its connection: there is nobody to tell.
    let _ = http.serve_connection(TokioIo::new(stream), respond).await;
}
