//! Git, for whoever needs it: revisions, worktrees, and small files kept under a ref of their own.
//!
//! Objects and refs are read and written through libgit2. The `git` program does what needs the user's set-up: remotes
//! (credentials, proxies) and checkouts (filters, line endings, partial clones).

mod command;
mod files;
#[cfg(test)]
pub(crate) mod fixture;
mod ledger;
mod remote;
mod repository;
mod revision;
mod scrub;
mod worktree;

pub use files::Files;
pub use ledger::{Ledger, Rules};
pub use repository::{CommitId, Repository, State, content_id};
pub use worktree::Worktree;
