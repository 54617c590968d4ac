//! The system calls of sampling: the only file of the room with unsafe code.

use std::fs::File;
use std::io;
use std::mem::{MaybeUninit, offset_of, size_of};
use std::ops::Deref;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libc::{c_int, c_ulong, cpu_set_t, pollfd};
use memmap2::{Mmap, MmapOptions, MmapRaw};
use perf_event_open_sys::bindings::{PERF_FLAG_FD_CLOEXEC, perf_event_attr, perf_event_mmap_page};
use perf_event_open_sys::{ioctls, perf_event_open};

/// The result of a call that says -1 where it failed.
fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A large file's bytes without reading them: pages come from the disk when they are looked at.
#[derive(Debug)]
pub struct MappedFile(Mmap);

impl MappedFile {
    /// Maps a whole file for reading.
    ///
    /// # Errors
    /// Where the kernel refuses; an empty file can't be mapped.
    pub fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the mapping is private and read-only. Nothing keeps others from writing into the file or from cutting it
        // short, which changes these bytes or ends this process (SIGBUS). What is mapped are programs, libraries and debug
        // information, which linkers and package managers replace by new files instead of writing into old ones; and only
        // those that are too large to be copied.
        unsafe { Mmap::map(file) }.map(Self)
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// An event of the kernel for one thread, and those that it starts, on one CPU.
#[derive(Debug)]
pub(super) struct Event(OwnedFd);

impl Event {
    /// `perf_event_open`, without a group.
    pub(super) fn open(attr: &perf_event_attr, thread: u32, cpu: u32) -> io::Result<Self> {
        let mut attr = *attr;
        let (thread, cpu) = (thread.cast_signed(), cpu.cast_signed());
        // SAFETY: the struct lives through the call and says its own size; the kernel writes at most that size back.
        let fd =
            checked(unsafe { perf_event_open(&raw mut attr, thread, cpu, -1, c_ulong::from(PERF_FLAG_FD_CLOEXEC)) })?;
        // SAFETY: the kernel made this descriptor for us just now.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Lets it count, and its heirs in younger threads with it.
    pub(super) fn enable(&self) -> io::Result<()> {
        // SAFETY: an open descriptor and numbers.
        checked(unsafe { ioctls::ENABLE(self.0.as_raw_fd(), 0) }).map(drop)
    }

    /// Stops it, and its heirs.
    pub(super) fn disable(&self) -> io::Result<()> {
        // SAFETY: an open descriptor and numbers.
        checked(unsafe { ioctls::DISABLE(self.0.as_raw_fd(), 0) }).map(drop)
    }

    /// Lets it write into the ring of another event on the same CPU.
    pub(super) fn write_into_ring_of(&self, other: &Self) -> io::Result<()> {
        // SAFETY: two open descriptors.
        checked(unsafe { ioctls::SET_OUTPUT(self.0.as_raw_fd(), other.fd()) }).map(drop)
    }

    /// What to wait on for records.
    pub(super) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The memory that the kernel writes the records of one CPU's events into.
#[derive(Debug)]
pub(super) struct Ring {
    /// A page of the kernel's notes, then the records.
    pages: MmapRaw,
    page: usize,
}

impl Ring {
    /// A ring of so many bytes, a power of two that is no less than a page, for an event and those redirected to it.
    pub(super) fn new(event: &Event, bytes: usize) -> io::Result<Self> {
        let page = page_size();
        let pages = MmapOptions::new().len(page + bytes).map_raw(event.fd())?;
        Ok(Self { pages, page })
    }

    /// How many bytes of records it holds.
    pub(super) fn bytes(&self) -> usize {
        self.pages.len() - self.page
    }

    /// One of the two positions in the kernel's notes.
    fn position(&self, at: usize) -> &AtomicU64 {
        // SAFETY: the position lies within the first page, aligned to 8 bytes; the mapping lives as long as `self`; the
        // kernel and we touch it by atomic operations only.
        unsafe { AtomicU64::from_ptr(self.pages.as_mut_ptr().add(at).cast()) }
    }

    /// Moves all records that the kernel has completed to the end of `records`.
    pub(super) fn drain(&mut self, records: &mut Vec<u8>) {
        let written = self.position(offset_of!(perf_event_mmap_page, data_head)).load(Ordering::Acquire);
        let tail = self.position(offset_of!(perf_event_mmap_page, data_tail));
        let read = tail.load(Ordering::Relaxed);
        let (size, length) = (self.bytes(), (written - read) as usize);
        let from = (read as usize) & (size - 1);
        let first = length.min(size - from);
        // SAFETY: the kernel writes behind `written` only, until the tail is moved below, and never more than a ring's size
        // ahead of the tail; both parts lie within the mapping.
        unsafe {
            let data = self.pages.as_mut_ptr().add(self.page);
            records.extend_from_slice(std::slice::from_raw_parts(data.add(from), first));
            records.extend_from_slice(std::slice::from_raw_parts(data, length - first));
        }
        self.position(offset_of!(perf_event_mmap_page, data_tail)).store(written, Ordering::Release);
    }
}

/// Bytes of a page of memory.
pub(super) fn page_size() -> usize {
    // SAFETY: takes a number and touches no memory. This question always has an answer.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Waits until something happens to one of the descriptors, or the time is over.
pub(super) fn poll(fds: &mut [pollfd], timeout: Duration) -> io::Result<()> {
    let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: the slice is valid for its length.
    match checked(unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) }) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            fds.iter_mut().for_each(|fd| fd.revents = 0);
            Ok(())
        }
        result => result.map(drop),
    }
}

/// Keeps the calling thread on these CPUs.
pub(super) fn stay_on(cpus: &[u32]) -> io::Result<()> {
    // SAFETY: all zeroes is the empty set.
    let mut set: cpu_set_t = unsafe { MaybeUninit::zeroed().assume_init() };
    for cpu in cpus.iter().map(|cpu| *cpu as usize).filter(|cpu| *cpu < libc::CPU_SETSIZE as usize) {
        // SAFETY: the number is below the set's size.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: the pointer is valid for the size given.
    checked(unsafe { libc::sched_setaffinity(0, size_of::<cpu_set_t>(), &raw const set) }).map(drop)
}
