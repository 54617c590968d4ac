//! From a thread's registers and stack to the addresses that it will return to, by the unwind tables of the programs and
//! libraries that are mapped; and from addresses to places in files.
//!
//! ```text
//!   mapping in a process          file                        as the linker stated it
//!   start .. start + length  ──>  offset .. offset + length  ──>  segment's address + (offset - segment's offset)
//! ```

mod images;
mod mapping;
mod registers;
mod space;
mod stack;
mod tables;

pub use images::Images;
pub use mapping::Mapping;
pub use registers::{Registers, USER_REGISTERS};
pub use space::{AddressSpace, Frame};
pub use stack::{End, Stack, Unwinder};
