//! From places in code to folded stacks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::observer::{Seen, Trace};
use crate::profile::symbols::{Symbols, folded};
use crate::profile::unwind::{End, Frame};

/// The frames below the thread of a stack whose outer end was not reached.
const TRUNCATED: &str = "[truncated]";
const BROKEN: &str = "[broken]";
/// Code that no file stands behind.
const UNKNOWN: &str = "[unknown]";
/// The functions that threads begin in, or that are the last with a frame pointer on the way out to them.
const ROOTS: [&str; 8] = ["_start", "main", "start_thread", "clone", "clone3", "__clone", "__clone3", "thread_start"];

/// Folded stacks, and how many of them are complete.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) stacks: BTreeMap<String, u64>,
    pub(super) samples: u64,
    pub(super) rooted: u64,
    pub(super) truncated: u64,
}

/// Names what was seen.
pub(super) fn fold(seen: &Seen, symbols: &mut Symbols) -> Folded {
    seen.images.look_up(seen.traces.keys().flat_map(|trace| trace.frames.iter().copied()), symbols);
    let mut all = Folded::default();
    for (trace, count) in &seen.traces {
        let (line, end) = line(trace, seen, symbols);
        *all.stacks.entry(line).or_default() += count;
        all.samples += count;
        match end {
            End::Root => all.rooted += count,
            End::CutOff => all.truncated += count,
            End::Broken => {}
        }
    }
    all
}

/// `thread;outermost;...;innermost`, and how complete it is.
fn line(trace: &Trace, seen: &Seen, symbols: &mut Symbols) -> (String, End) {
    let mut names: Vec<Arc<str>> = Vec::new();
    for frame in trace.frames.iter().rev() {
        match frame {
            Frame::Code { image, address } => match seen.images.get(*image) {
                Some(image) => names.extend(symbols.names(image, *address).iter().map(Arc::clone)),
                None => names.push(UNKNOWN.into()),
            },
            Frame::Kernel(address) => {
                let name = symbols.kernel(*address);
                // A kernel that hides its functions is one frame, however deep it was.
                if symbols.knows_kernel() || names.last() != Some(&name) {
                    names.push(name);
                }
            }
            Frame::Unknown => names.push(UNKNOWN.into()),
        }
    }
    let outermost = names.first().map_or("", |name| name);
    // The unwinder does not know every root: the dynamic loader begins in one of its own.
    let end = match trace.end {
        Some(End::Broken) | None if is_root(outermost) => End::Root,
        end => end.unwrap_or(End::Broken),
    };
    let mut line = folded(&trace.thread);
    let mark = match end {
        End::Root => None,
        End::CutOff => Some(TRUNCATED),
        End::Broken => Some(BROKEN),
    };
    for name in mark.into_iter().chain(names.iter().map(|name| &**name)) {
        line.push(';');
        line.push_str(name);
    }
    (line, end)
}

/// Whether a thread begins in a function of this name.
fn is_root(name: &str) -> bool {
    let last = name.rsplit("::").next().unwrap_or(name);
    ROOTS.contains(&last) || name.starts_with("__libc_start")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(traces: &[(&str, &[Frame], Option<End>, u64)]) -> Seen {
        let mut seen = Seen::default();
        for (thread, frames, end, count) in traces {
            let trace = Trace { thread: (*thread).into(), frames: frames.to_vec(), end: *end };
            seen.traces.insert(trace, *count);
        }
        seen
    }

    #[test]
    fn stacks_that_end_too_early_are_marked_and_counted() {
        let unknown: &[Frame] = &[Frame::Unknown];
        let seen = seen(&[
            ("a;b", unknown, Some(End::Root), 5),
            ("w", unknown, Some(End::CutOff), 3),
            ("w", unknown, Some(End::Broken), 2),
        ]);
        let folded = fold(&seen, &mut Symbols::new());
        let stacks: Vec<_> = folded.stacks.iter().map(|(line, count)| (&**line, *count)).collect();
        assert_eq!(stacks, [("a:b;[unknown]", 5), ("w;[broken];[unknown]", 2), ("w;[truncated];[unknown]", 3)]);
        assert_eq!((folded.samples, folded.rooted, folded.truncated), (10, 5, 3));
    }

    #[test]
    fn the_kernels_frames_are_innermost() {
        let seen = seen(&[("w", &[Frame::Kernel(u64::MAX), Frame::Unknown], Some(End::Root), 1)]);
        let folded = fold(&seen, &mut Symbols::new());
        let line = folded.stacks.keys().next().unwrap();
        assert!(line.starts_with("w;[unknown];") && line.ends_with("_[k]"), "{line}");
    }

    #[test]
    fn a_chain_that_begins_in_no_root_function_is_broken() {
        let folded = fold(&seen(&[("w", &[Frame::Unknown], None, 1)]), &mut Symbols::new());
        assert_eq!((folded.rooted, folded.samples), (0, 1));
        let roots = ["_start", "main", "__libc_start_call_main", "std::sys::thread::unix::Thread::new::thread_start"];
        assert!(roots.iter().all(|name| is_root(name)));
        assert!(!is_root("domain") && !is_root("work::main_loop"));
    }
}
