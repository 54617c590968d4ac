//! A circuit breaker before a service that fails or stalls: one that counts failures, and one that watches latencies, too.
//!
//! Time comes in as an argument, in nanoseconds since any start, so that results depend on the calls alone.

mod breakers;
mod cases;
mod machine;
mod service;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use cases::register;
