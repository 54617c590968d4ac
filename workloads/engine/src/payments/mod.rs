//! A payments service on a socket, with two implementations of what it does with a request: the way such services are
//! written at first, and one that allocates and hashes less.
//!
//! ```text
//! client ── keep-alive connections ──▶ server ──▶ routes ──▶ Payments: Before or After ──▶ accounts, answers by key
//! open loop, from traffic              hyper      paths,     keys, rules, booking
//! client/, traffic.rs                  server.rs  limits     before.rs, after.rs, rules.rs
//!                                                 routes.rs
//! ```

mod after;
mod before;
mod cases;
mod client;
mod opening;
mod poll;
mod routes;
mod rules;
mod serve;
mod server;
mod service;
#[cfg(test)]
mod tests;
mod traffic;

pub(crate) use cases::register;
pub(crate) use serve::by_hand;
