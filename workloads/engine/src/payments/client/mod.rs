//! A client that sends requests when they are due, over keep-alive connections, from one thread.

mod connection;
mod pool;

pub(crate) use pool::Client;
