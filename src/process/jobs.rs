//! Turns at the CPUs, shared by builds that run side by side: GNU make's jobserver protocol ("POSIX Jobserver Interaction" in
//! its manual), which cargo, rustc and make itself speak.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::forked::CHANNEL;
use super::interrupt::{self, check_interrupt};
use super::run::watched;
use super::sys;

/// A fixed number of turns. Whoever wants to compute takes one, and gives it back.
#[derive(Clone, Debug)]
pub struct Jobs(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    /// A pipe that is open at both ends, one byte a turn, which this process never waits in.
    turns: File,
    /// The same pipe, which children wait in.
    lent: File,
    count: usize,
}

/// One turn. It is given back when this is dropped.
#[derive(Debug)]
pub struct Turn(Jobs);

impl Jobs {
    /// So many turns, at least one.
    ///
    /// # Errors
    /// Where the kernel allows no pipe.
    pub fn new(count: usize) -> Result<Self> {
        let make = || {
            let count = count.max(1);
            let (pipe, _writer) = io::pipe()?;
            // Each opening has its own way of waiting: children expect to wait, this process must hear Ctrl-C.
            let open = || File::options().read(true).write(true).open(format!("/proc/self/fd/{}", pipe.as_raw_fd()));
            let (turns, lent) = (open()?, open()?);
            sys::set_nonblocking(turns.as_fd())?;
            (&turns).write_all(&vec![b'+'; count])?;
            io::Result::Ok(Self(Arc::new(Pool { turns, lent, count })))
        };
        make().context("making a jobserver")
    }

    /// How many turns there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count
    }

    /// Waits for a turn. Every child that shares the turns is started with one.
    ///
    /// # Errors
    /// Where the tool is asked to end meanwhile.
    pub fn take(&self) -> Result<Turn> {
        loop {
            check_interrupt()?;
            match (&self.0.turns).read(&mut [0]) {
                Ok(_) => return Ok(Turn(self.clone())),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("waiting for a turn to build"),
            }
            sys::poll(&mut [self.0.turns.as_raw_fd(), interrupt::bell()].map(watched), None)?;
        }
    }

    /// The descriptor that a child is given as its channel.
    pub(super) fn lent(&self) -> &File {
        &self.0.lent
    }

    /// What `MAKEFLAGS` has to be in such a child.
    pub(super) fn make_flags(&self) -> String {
        format!(" -j{} --jobserver-auth={CHANNEL},{CHANNEL} --jobserver-fds={CHANNEL},{CHANNEL}", self.0.count)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The pipe had room for this byte before.
        let _ = (&self.0.0.turns).write_all(b"+");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Spec, run};
    use super::*;

    #[test]
    fn there_are_no_more_turns_than_were_made_and_each_comes_back() {
        let jobs = Jobs::new(2).unwrap();
        let first = jobs.take().unwrap();
        let _second = jobs.take().unwrap();
        assert_eq!((&jobs.0.turns).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(first);
        let _third = jobs.take().unwrap();
    }

    #[test]
    fn make_takes_its_turns_from_the_pool() {
        let folder = tempfile::tempdir().unwrap();
        // Three targets that each say when they begin and end; with one turn beside make's own, two overlap and three never do.
        let rule = "all: a b c\na b c:\n\t@echo begin; sleep 0.2; echo end\n";
        std::fs::write(folder.path().join("Makefile"), rule).unwrap();
        let jobs = Jobs::new(2).unwrap();
        let turn = jobs.take().unwrap();
        let output = run(&Spec::new("make").current_dir(folder.path()).sharing(&jobs)).unwrap();
        let output = output.check("make").unwrap();
        let mut running = 0;
        let mut most = 0;
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            running += if line == "begin" { 1 } else { -1 };
            most = most.max(running);
        }
        assert_eq!((most, running), (2, 0));
        drop(turn);
        assert_eq!([0; 2].map(|_| (&jobs.0.turns).read(&mut [0]).unwrap()), [1, 1], "make gave its turn back");
    }
}
