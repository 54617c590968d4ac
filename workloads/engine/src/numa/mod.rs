//! Tasks run near their memory: a pool of workers and a pool of memory in each NUMA node, and workers of other nodes
//! that help out only while they have nothing to do. Beside it a plain pool of threads, to compare with.

mod cases;
mod memory;
mod plain;
mod region;
mod scheduler;
mod station;
#[cfg(test)]
mod tests;

pub(crate) use cases::register;
