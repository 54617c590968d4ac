//! Arms to artifacts: flags, cargo, recorded links and their layouts, identity of machine code.

mod artifact;
mod cargo;
mod config;
mod flags;
mod identity;
mod layout;
pub mod pgo;
mod profiling;
mod record;
mod workspace;

pub use artifact::{Artifact, Builder, Order};
pub use layout::{LayoutFolder, Layouts};
pub use profiling::Profiling;
pub use record::{Link, WRAPPER, content_of, main as link_main};
pub use workspace::{Measurable, Workspace};
