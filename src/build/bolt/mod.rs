//! BOLT: the code of a linked program put in another order, as a training run of that very program says (Panchenko, Auler,
//! Nell, Ottoni, CGO 2019).
//!
//! [`relink`] links the program again with its relocations: they name what must be mended when code moves. [`Bolt::instrument`]
//! makes a program that counts its branches and writes the counts when it ends; [`merge`] makes one profile of them, named by
//! its content; [`Bolt::reorder`] takes the profile to the relinked program.

mod counts;
mod program;
#[cfg(test)]
mod tests;
mod tool;

pub use counts::{Merged, merge};
pub use program::{Coverage, NO_LAYOUT, relink};
pub use tool::{Bolt, Search};
