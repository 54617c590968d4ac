//! Which hardware counters can be opened, and why not.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use perf_event::Builder;
use perfplan_harness::protocol::HardwareEvent;

/// What a reason begins with where the kernel has counters and does not let us.
pub(super) const FORBIDDEN: &str = "not permitted";

/// The metrics whose counters can't be opened, with the reason. `paranoid` is the kernel's setting.
pub(super) fn absent(paranoid: Option<&str>) -> BTreeMap<String, String> {
    absent_by(|event| Builder::new().kind(event.kind()).build().map(drop), paranoid)
}

fn absent_by(open: impl Fn(HardwareEvent) -> io::Result<()>, paranoid: Option<&str>) -> BTreeMap<String, String> {
    let reason = |event: HardwareEvent| Some((event.as_str().to_owned(), reason(&open(event).err()?, paranoid)));
    HardwareEvent::ALL.into_iter().filter_map(reason).collect()
}

fn reason(error: &io::Error, paranoid: Option<&str>) -> String {
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::PermissionDenied, _) => match paranoid {
            Some(level) => format!("{FORBIDDEN} (kernel.perf_event_paranoid is {level})"),
            None => format!("{FORBIDDEN}: {error}"),
        },
        // The kernel's answer to an event that the processor, or the virtual machine's part of it, does not have.
        (ErrorKind::NotFound | ErrorKind::Unsupported, _) | (_, Some(libc::EOPNOTSUPP | libc::ENODEV)) => {
            "this machine has no such counter; virtual machines often have none".to_owned()
        }
        (_, Some(libc::ENOSYS)) => "the kernel has no performance events".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_opens_is_not_absent() {
        let fails = |code| move |_| Err(io::Error::from_raw_os_error(code));
        assert!(absent_by(|_| Ok(()), Some("2")).is_empty());
        let forbidden = absent_by(fails(libc::EACCES), Some("3"));
        assert_eq!(forbidden.len(), HardwareEvent::ALL.len());
        assert_eq!(forbidden["cycles"], "not permitted (kernel.perf_event_paranoid is 3)");
        for code in [libc::ENOENT, libc::EOPNOTSUPP, libc::ENODEV] {
            assert!(absent_by(fails(code), None)["instructions"].contains("has no such counter"), "errno {code}");
        }
    }

    #[test]
    fn the_real_kernel_answers_in_words() {
        for (metric, why) in absent(Some("2")) {
            assert!(!why.contains("os error"), "{metric}: {why}");
        }
    }
}
