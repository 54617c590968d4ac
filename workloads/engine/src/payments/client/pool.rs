//! Several connections, and a queue of requests that are due while all are busy.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use perfplan_harness::{Arrival, Load};

use super::super::poll::{FineTimers, Places};
use super::connection::Connection;

/// How long a request may be in flight.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keep-alive connections to one server. Requests are not pipelined: each waits for a connection that is free, and its
/// waiting counts.
pub(crate) struct Client {
    address: SocketAddr,
    lanes: Vec<Lane>,
    places: Places,
    /// Due, and without a connection.
    waiting: VecDeque<Arrival>,
}

/// A connection, and the request in flight on it.
struct Lane {
    connection: Connection,
    busy: Option<Flight>,
}

struct Flight {
    arrival: Arrival,
    until: Instant,
}

impl Client {
    /// Opens so many connections.
    ///
    /// # Errors
    /// Where the server does not listen.
    pub(crate) fn connect(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let lane = |_| Ok(Lane { connection: Connection::open(address)?, busy: None });
        let lanes = (0..connections).map(lane).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { address, lanes, places: Places::default(), waiting: VecDeque::new() })
    }

    /// Sends the requests of a load, each written down by `write`, and notes every answer.
    ///
    /// # Errors
    /// Where a connection that was closed between two loads can't be opened again, and where the system can't wait. A
    /// request that fails is noted as such.
    pub(crate) fn drive(&mut self, load: &Load, write: impl Fn(Arrival, &mut Vec<u8>)) -> io::Result<()> {
        let _timers = FineTimers::set();
        self.reopen()?;
        let mut to_come = load.arrivals().peekable();
        loop {
            let now = Instant::now();
            while let Some(arrival) = to_come.next_if(|arrival| arrival.due <= now) {
                self.waiting.push_back(arrival);
            }
            self.send(load, &write);
            let next = to_come.peek().map(|arrival| arrival.due);
            if next.is_none() && self.waiting.is_empty() && self.lanes.iter().all(|lane| lane.busy.is_none()) {
                return Ok(());
            }
            self.wait(next)?;
            self.receive(load);
        }
    }

    /// Connections that the server closed meanwhile are replaced before the load begins.
    fn reopen(&mut self) -> io::Result<()> {
        for lane in self.lanes.iter_mut().filter(|lane| !lane.connection.is_open()) {
            lane.connection = Connection::open(self.address)?;
        }
        Ok(())
    }

    /// Gives free connections to those that wait, first come first served.
    fn send(&mut self, load: &Load, write: &impl Fn(Arrival, &mut Vec<u8>)) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.busy.is_none()) {
            let Some(arrival) = self.waiting.pop_front() else { return };
            match lane.connection.start(|request| write(arrival, request)) {
                Ok(()) => lane.busy = Some(Flight { arrival, until: Instant::now() + PATIENCE }),
                Err(error) => lane.fail(arrival, load, &error, self.address),
            }
        }
    }

    /// Sleeps until an answer comes, or the next request is due.
    fn wait(&mut self, next: Option<Instant>) -> io::Result<()> {
        self.places.clear();
        let mut deadline = next;
        // A free connection needs no look, so only those that are busy have a place, in their order.
        for (lane, flight) in self.lanes.iter().filter_map(|lane| Some((lane, lane.busy.as_ref()?))) {
            self.places.add(lane.connection.stream(), lane.connection.interest());
            deadline = Some(deadline.map_or(flight.until, |deadline| deadline.min(flight.until)));
        }
        deadline.map_or(Ok(()), |deadline| self.places.wait(deadline))
    }

    fn receive(&mut self, load: &Load) {
        let busy = self.lanes.iter_mut().filter(|lane| lane.busy.is_some()).enumerate();
        for (place, lane) in busy {
            if self.places.is_ready(place) {
                lane.proceed(load, self.address);
            } else {
                lane.give_up(load, self.address);
            }
        }
    }
}

impl Lane {
    /// Goes on with the request in flight.
    fn proceed(&mut self, load: &Load, address: SocketAddr) {
        let Some(flight) = self.busy.take() else { return };
        match self.connection.proceed() {
            Ok(Some(said)) => load.done(flight.arrival, Instant::now(), &said),
            Ok(None) => self.busy = Some(flight),
            Err(error) => self.fail(flight.arrival, load, &error, address),
        }
    }

    /// Gives up a request that is in flight for too long.
    fn give_up(&mut self, load: &Load, address: SocketAddr) {
        if let Some(flight) = self.busy.take_if(|flight| flight.until <= Instant::now()) {
            self.fail(flight.arrival, load, &io::ErrorKind::TimedOut.into(), address);
        }
    }

    /// Notes a failure. What is half read or half written is of no more use, so the next request gets a new connection; where
    /// there is none, that one fails as well.
    fn fail(&mut self, arrival: Arrival, load: &Load, error: &io::Error, address: SocketAddr) {
        load.failed(arrival, Instant::now(), &error.to_string());
        if let Ok(connection) = Connection::open(address) {
            self.connection = connection;
        }
    }
}
