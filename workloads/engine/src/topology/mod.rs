//! What the machine is made of: the CPUs that this process may use, the cores and packages they belong to, the NUMA
//! nodes with their memory and distances; and which of the CPUs the engine's threads take.

mod cpus;
mod files;
mod layout;
mod machine;
mod read;
mod thread;

pub(crate) use cpus::Cpus;
pub(crate) use layout::Layout;
#[cfg(test)]
pub(crate) use machine::tests::fake;
pub(crate) use machine::{Machine, TopologyError};
pub(crate) use thread::{allowed, confine};
