//! The client against a server of our own: what is asked, and what comes of every fault.

mod asked;
mod downloads;
mod encrypted;
mod faults;
mod traced;
