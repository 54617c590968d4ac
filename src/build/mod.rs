//! Arms to artifacts: flags, cargo, recorded links and their layouts, identity of machine code.

mod artifact;
pub mod bolt;
mod builder;
mod cache;
mod cargo;
mod config;
mod disk;
mod flags;
mod identity;
mod layout;
pub mod pgo;
mod preload;
mod profiling;
mod recipe;
mod record;
mod sources;
mod unfit;
mod workspace;

pub use artifact::{Artifact, Made, Order, Tree};
pub use builder::Builder;
pub use cache::{Cost, Key};
pub use cargo::{host, target};
pub use config::{configurations, rustflags};
pub use disk::{InUse, Taken, clean, taken, worktrees};
pub use flags::{allocator_feature, rustflags_of};
pub use layout::{LayoutFolder, Layouts};
pub use preload::Preload;
pub use profiling::Profiling;
pub use record::{Link, WRAPPER, content_of, main as link_main};
pub use unfit::Fitness;
pub use workspace::{Measurable, Workspace};
