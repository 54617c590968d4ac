//! Memory set aside at the start, in blocks of 64, 1024 and 4096 bytes and of 2 MB, and handed out without a lock.

mod blocks;
mod cases;
mod free_list;
mod pages;
mod region;
#[cfg(test)]
mod tests;

pub(crate) use cases::register;
