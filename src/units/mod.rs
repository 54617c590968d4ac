//! Durations, bytes, counts, percentages and days: read as people write them, printed as people read them.

mod bytes;
mod count;
mod date;
mod duration;
mod number;
mod percent;
mod unreadable;

pub use bytes::{bytes, parse_bytes};
pub use count::{count, parse_count};
pub use date::day;
pub use duration::{duration_ns, parse_duration};
pub use percent::{parse_percent, percent, signed_percent};
pub use unreadable::Unreadable;
