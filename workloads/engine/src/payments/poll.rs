//! Waiting for sockets, to the microsecond. Runtimes wait in whole milliseconds, which at thousands of requests per second
//! would send them in bunches.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::{Duration, Instant};

/// What to wait for on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    ReadAndWrite,
}

/// Places to wait at, in an order of the caller's.
#[derive(Default)]
pub(crate) struct Places {
    places: Vec<libc::pollfd>,
}

impl Places {
    /// Forgets all places.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
    }

    /// Adds a connection, as the next place.
    pub(crate) fn add(&mut self, stream: &TcpStream, interest: Interest) {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::ReadAndWrite => libc::POLLIN | libc::POLLOUT,
        };
        self.places.push(libc::pollfd { fd: stream.as_raw_fd(), events, revents: 0 });
    }

    /// Sleeps until something can be done at a place, or until `deadline`.
    ///
    /// # Errors
    /// What the kernel says, except that a signal came: that ends the wait early.
    pub(crate) fn wait(&mut self, deadline: Instant) -> io::Result<()> {
        let time = timespec(deadline.saturating_duration_since(Instant::now()));
        // SAFETY: the pointer and the length are those of a vector that lives on; the time is read only, and no signal mask
        // is given.
        let ready = unsafe {
            libc::ppoll(self.places.as_mut_ptr(), self.places.len() as libc::nfds_t, &raw const time, ptr::null())
        };
        if ready >= 0 {
            return Ok(());
        }
        self.places.iter_mut().for_each(|place| place.revents = 0);
        let error = io::Error::last_os_error();
        if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
    }

    /// Whether something happened at a place, be it that the other end hung up.
    pub(crate) fn is_ready(&self, place: usize) -> bool {
        self.places.get(place).is_some_and(|place| place.revents != 0)
    }
}

fn timespec(time: Duration) -> libc::timespec {
    // SAFETY: a structure of numbers, of which zero is a value.
    let mut spec: libc::timespec = unsafe { std::mem::zeroed() };
    spec.tv_sec = time.as_secs() as libc::time_t;
    spec.tv_nsec = time.subsec_nanos() as libc::c_long;
    spec
}

/// While it lives, this thread's timers fire when they should. The kernel else lets them be 50 us late, to wake up seldom.
pub(crate) struct FineTimers {
    before: libc::c_int,
}

impl FineTimers {
    pub(crate) fn set() -> Self {
        // SAFETY: both options take and give numbers, and concern this thread alone. Where they fail nothing changes.
        unsafe {
            let before = libc::prctl(libc::PR_GET_TIMERSLACK);
            libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong);
            Self { before }
        }
    }
}

impl Drop for FineTimers {
    fn drop(&mut self) {
        // Zero would mean the default; a negative number is an error.
        if self.before > 0 {
            // SAFETY: as above.
            unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, self.before as libc::c_ulong) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    #[test]
    fn a_wait_ends_at_its_deadline_or_when_something_comes() {
        let ((first, _silent), (second, mut other)) = (pair(), pair());
        let mut places = Places::default();
        places.add(&first, Interest::Read);
        places.add(&second, Interest::Read);
        let start = Instant::now();
        places.wait(start + Duration::from_millis(3)).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(3));
        assert!(!places.is_ready(0) && !places.is_ready(1));
        other.write_all(b"x").unwrap();
        places.wait(start + Duration::from_secs(60)).unwrap();
        assert!(!places.is_ready(0) && places.is_ready(1) && !places.is_ready(2));
    }

    #[test]
    fn room_to_write_is_waited_for_only_by_who_wants_to_write() {
        let (ours, _other) = pair();
        let mut places = Places::default();
        places.add(&ours, Interest::Read);
        places.wait(Instant::now() + Duration::from_millis(1)).unwrap();
        assert!(!places.is_ready(0));
        places.clear();
        places.add(&ours, Interest::ReadAndWrite);
        places.wait(Instant::now() + Duration::from_secs(60)).unwrap();
        assert!(places.is_ready(0));
    }
}
