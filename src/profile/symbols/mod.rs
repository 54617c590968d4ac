//! Names for addresses: debug information, with the functions that were inlined; else symbol tables; else the file.

mod damaged;
mod debug;
mod demangle;
mod image;
mod inlined;
mod kernel;
mod naming;
mod section;
mod separate;
mod table;

pub(super) use damaged::careful;
pub(super) use demangle::{demangled, folded};
pub use image::{Identity, Image, Segment};
pub use inlined::tells_inlined;
pub use naming::Symbols;
pub use section::Bytes;
