//! How long to go on asking, and what may be asked again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode};

use super::fault::Fault;
use crate::process::interrupt;

/// What GitHub asks to wait for at least after a secondary rate limit that names no time (REST API, "Best practices",
/// handle rate limit errors appropriately); twice that the next time, and so on.
const UNNAMED: Duration = Duration::from_secs(60);

/// How a client goes on where GitHub doesn't answer as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often the same is asked at most.
    pub attempts: u32,
    /// The first pause; each one after it is twice as long, all shortened at random by up to a half.
    pub first_pause: Duration,
    /// The longest pause that is taken where GitHub named none.
    pub longest_pause: Duration,
    /// How long one request may take from connecting to the last byte. Of a download it is the longest silence.
    pub per_request: Duration,
    /// How long a client's pauses and failed requests may take all together. A pause that doesn't fit is not begun.
    pub all_together: Duration,
}

impl Default for Patience {
    /// GitHub gives a request up after ten seconds (REST API, "Troubleshooting", timeouts), so nothing comes any more after
    /// 15 s. Five minutes are enough for a secondary rate limit, and no job hangs longer.
    fn default() -> Self {
        Self {
            attempts: 5,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            per_request: Duration::from_secs(15),
            all_together: Duration::from_secs(300),
        }
    }
}

impl Patience {
    /// How long to wait before the same is asked again; `None` where it must not be, or not any more.
    ///
    /// `tries` counts the requests so far, `spent` is what of [`Patience::all_together`] is gone, and `luck`, from 0 to 1, is
    /// drawn at random, so that those who were turned away together don't come back together.
    pub(super) fn pause(&self, turned: &Turned<'_>, tries: u32, spent: Duration, luck: f64) -> Option<Duration> {
        if tries >= self.attempts {
            return None;
        }
        let doubled = |first: Duration| first.saturating_mul(1 << (tries - 1).min(16));
        let own = doubled(self.first_pause).min(self.longest_pause).mul_f64(1.0 - luck / 2.0);
        let pause = match turned.fault {
            Fault::Unreached(_) => own,
            Fault::Silent(_) | Fault::Storage(_) if turned.repeatable() => own,
            Fault::Status(error) if turned.fault.is_limit() => {
                let named = error.headers.as_ref().and_then(|headers| named(headers, turned.now));
                named.unwrap_or(doubled(UNNAMED)).saturating_add(own)
            }
            Fault::Status(error) if error.status_code.is_server_error() => {
                let named = error.headers.as_ref().and_then(|headers| retry_after(headers, turned.now));
                let untouched = error.status_code == StatusCode::SERVICE_UNAVAILABLE && named.is_some();
                if !untouched && !turned.repeatable() {
                    return None;
                }
                named.unwrap_or_default().saturating_add(own)
            }
            _ => return None,
        };
        (spent.saturating_add(pause) <= self.all_together).then_some(pause)
    }
}

/// A request that did not get what it asked for.
pub(super) struct Turned<'f> {
    pub(super) method: &'f Method,
    pub(super) fault: &'f Fault,
    pub(super) now: SystemTime,
}

impl Turned<'_> {
    /// Whether asking twice comes to the same as asking once. A POST that got no answer may have made something.
    fn repeatable(&self) -> bool {
        *self.method != Method::POST
    }
}

/// How long GitHub says that a rate limit lasts.
fn named(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    retry_after(headers, now).or_else(|| {
        let spent = text(headers, "x-ratelimit-remaining") == Some("0");
        let reset: u64 = text(headers, "x-ratelimit-reset")?.parse().ok()?;
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        // A second more: our clock and the second of the reset are both rounded.
        spent.then(|| Duration::from_secs(reset).saturating_sub(since).saturating_add(Duration::from_secs(1)))
    })
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER.as_str())?;
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Time as a client needs it; tests bring one that takes none.
pub trait Clock {
    /// The time of day.
    fn now(&self) -> SystemTime;

    /// Waits, and says whether to go on: `false` where the tool was asked to end meanwhile.
    fn pause(&self, length: Duration) -> bool;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Clock for System {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn pause(&self, length: Duration) -> bool {
        const GLANCE: Duration = Duration::from_millis(100);
        let mut left = length;
        while !left.is_zero() && !interrupt::requested() {
            std::thread::sleep(left.min(GLANCE));
            left = left.saturating_sub(GLANCE);
        }
        !interrupt::requested()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Response};
    use http_body_util::{BodyExt, Full};
    use tokio::runtime::Builder;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn patience() -> Patience {
        Patience::default()
    }

    fn status(code: u16, headers: &[(&'static str, &str)]) -> Fault {
        let mut response = Response::new(Full::from("{\"message\": \"no\"}").map_err(|never| match never {}).boxed());
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        *response.headers_mut() =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let answered = Builder::new_current_thread().build().unwrap().block_on(octocrab::map_github_error(response));
        Fault::of(answered.err().unwrap())
    }

    fn pause(method: &Method, fault: &Fault, tries: u32, spent: u64, luck: f64) -> Option<f64> {
        let turned = Turned { method, fault, now: UNIX_EPOCH + Duration::from_secs(NOW) };
        patience().pause(&turned, tries, Duration::from_secs(spent), luck).map(|pause| pause.as_secs_f64())
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_are_shortened_by_at_most_a_half() {
        let fault = Fault::Silent(String::new());
        let at = |tries, luck| pause(&Method::GET, &fault, tries, 0, luck).unwrap();
        assert_eq!([1, 2, 3, 4].map(|tries| at(tries, 0.0)), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!([1, 2, 3, 4].map(|tries| at(tries, 1.0)), [0.5, 1.0, 2.0, 4.0]);
        let long = Patience { attempts: u32::MAX, ..patience() };
        let turned = Turned { method: &Method::GET, fault: &fault, now: UNIX_EPOCH };
        assert_eq!(long.pause(&turned, 4_000_000, Duration::ZERO, 0.0), Some(long.longest_pause));
    }

    #[test]
    fn attempts_and_time_run_out() {
        let fault = Fault::Silent(String::new());
        assert!(pause(&Method::GET, &fault, 4, 292, 0.0).is_some());
        assert_eq!(pause(&Method::GET, &fault, 4, 293, 0.0), None, "8 s more than there were");
        assert_eq!(pause(&Method::GET, &fault, 5, 0, 0.0), None, "a sixth attempt");
    }

    #[test]
    fn what_may_have_been_done_is_not_asked_twice() {
        let unknown =
            [Fault::Silent(String::new()), status(500, &[]), status(502, &[("retry-after", "1")]), status(503, &[])];
        for fault in &unknown {
            assert_eq!(pause(&Method::POST, fault, 1, 0, 0.0), None, "{fault:?}");
            for method in [Method::GET, Method::PATCH, Method::DELETE] {
                assert!(pause(&method, fault, 1, 0, 0.0).is_some(), "{method} {fault:?}");
            }
        }
    }

    #[test]
    fn what_was_surely_not_done_is_asked_again() {
        let sure = [
            Fault::Unreached(String::new()),
            status(503, &[("retry-after", "3")]),
            status(429, &[]),
            status(403, &[("retry-after", "3")]),
            status(403, &[("x-ratelimit-remaining", "0")]),
        ];
        for fault in &sure {
            assert!(pause(&Method::POST, fault, 1, 0, 0.0).is_some(), "{fault:?}");
        }
    }

    #[test]
    fn what_was_refused_for_good_is_not_asked_again() {
        for code in [301, 400, 401, 403, 404, 409, 410, 422] {
            assert_eq!(pause(&Method::GET, &status(code, &[]), 1, 0, 0.0), None, "{code}");
        }
        assert_eq!(pause(&Method::GET, &Fault::Unusable(String::new()), 1, 0, 0.0), None);
    }

    #[test]
    fn the_pause_that_github_names_is_taken() {
        let at = |headers: &[(&'static str, &str)]| pause(&Method::GET, &status(429, headers), 1, 0, 0.0);
        assert_eq!(at(&[("retry-after", "120")]), Some(121.0));
        // 1,800,000,000 is 15 January 2027, 08:00:00.
        assert_eq!(at(&[("retry-after", "Fri, 15 Jan 2027 08:01:00 GMT")]), Some(61.0));
        assert_eq!(at(&[("retry-after", "Fri, 15 Jan 2027 07:00:00 GMT")]), Some(1.0));
        assert_eq!(at(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000090")]), Some(92.0));
        assert_eq!(at(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "17")]), Some(2.0), "it is over");
        assert_eq!(at(&[("x-ratelimit-remaining", "9"), ("x-ratelimit-reset", "1800000090")]), Some(61.0));
        assert_eq!(at(&[("retry-after", "soon")]), Some(61.0));
        assert_eq!(at(&[]), Some(61.0));
    }

    #[test]
    fn a_pause_that_is_too_long_is_not_begun() {
        for named in ["301", "18446744073709551615", "Sat, 15 Jan 2028 08:01:00 GMT"] {
            let fault = status(429, &[("retry-after", named)]);
            assert_eq!(pause(&Method::GET, &fault, 1, 0, 0.0), None, "{named}");
        }
    }
}
