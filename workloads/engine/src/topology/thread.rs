//! Which CPUs the calling thread may run on: asked and changed.

use std::io;

use super::cpus::Cpus;

/// Bits of a word of the kernel's masks.
const BITS: usize = libc::c_ulong::BITS as usize;

/// The words of the largest mask that is tried: more than any kernel's.
const MOST_WORDS: usize = 65_536 / BITS;

/// The CPUs that the calling thread may run on. The kernel has taken out already what a cpuset of a container forbids,
/// and what is offline (`sched_getaffinity(2)`).
///
/// # Errors
/// Where the kernel does not tell.
pub(crate) fn allowed() -> io::Result<Cpus> {
    // The C library's mask has 1024 bits. A kernel built for more CPUs refuses it, and takes a larger one.
    let mut words = 1_024 / BITS;
    loop {
        let mut mask: Vec<libc::c_ulong> = vec![0; words];
        // SAFETY: the mask is valid for writes of the size given.
        let answer = unsafe { libc::sched_getaffinity(0, size_of_val(&mask[..]), mask.as_mut_ptr().cast()) };
        if answer >= 0 {
            return Ok(numbers(&mask));
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINVAL) || words >= MOST_WORDS {
            return Err(error);
        }
        words *= 2;
    }
}

/// Keeps the calling thread, and threads that it starts from now on, on these CPUs; as far as they are allowed and
/// online (`sched_setaffinity(2)`).
///
/// # Errors
/// Where none of them can be run on, and where a sandbox refuses the call.
pub(crate) fn confine(cpus: &Cpus) -> io::Result<()> {
    let mut mask: Vec<libc::c_ulong> = vec![0; cpus.last().unwrap_or(0) / BITS + 1];
    for cpu in cpus.iter() {
        mask[cpu / BITS] |= 1 << (cpu % BITS);
    }
    // SAFETY: the mask is valid for reads of the size given.
    let answer = unsafe { libc::sched_setaffinity(0, size_of_val(&mask[..]), mask.as_ptr().cast()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The numbers of the bits that are set.
fn numbers(mask: &[libc::c_ulong]) -> Cpus {
    (0..mask.len() * BITS).filter(|number| mask[number / BITS] >> (number % BITS) & 1 == 1).collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_stays_where_it_is_confined_to_and_comes_back() {
        let confined = thread::spawn(|| {
            let before = allowed().unwrap();
            let last: Cpus = before.last().into_iter().collect();
            confine(&last).unwrap();
            let there = allowed().unwrap();
            // SAFETY: a call without arguments.
            let running_on = unsafe { libc::sched_getcpu() };
            confine(&before).unwrap();
            (before, last, there, running_on, allowed().unwrap())
        });
        let (before, last, there, running_on, after) = confined.join().unwrap();
        assert_eq!((&there, Some(running_on as usize)), (&last, last.last()));
        assert_eq!(after, before);
        assert_eq!(allowed().unwrap(), before, "other threads are not touched");
    }

    #[test]
    fn cpus_that_there_are_not_and_no_cpus_are_refused() {
        let refused = |cpus: Cpus| confine(&cpus).unwrap_err().raw_os_error();
        assert_eq!(refused([60_000].into_iter().collect()), Some(libc::EINVAL));
        assert_eq!(refused(Cpus::default()), Some(libc::EINVAL));
    }

    #[test]
    fn the_bits_of_all_words_are_read() {
        assert_eq!(numbers(&[0b101, 0, 1 << (BITS - 1)]), [0, 2, 3 * BITS - 1].into_iter().collect());
    }
}
