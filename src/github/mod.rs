//! GitHub: where a workflow run is, and the REST API that it can speak to.
//!
//! [`Workplace`] is what GitHub Actions tells a step. [`Client`] asks the API about one repository, through octocrab; what
//! it does not get is a [`Refusal`], by whose [`Cause`] a caller decides. All names that come from elsewhere are checked
//! before they stand in an address, all answers have a limit, and a [`Token`] is sent to the API and shown to nobody.

mod address;
mod artifacts;
mod ask;
mod checks;
mod client;
mod comments;
mod compare;
mod event;
mod fault;
#[cfg(test)]
pub(crate) mod fixture;
mod names;
mod page;
mod patience;
mod pulls;
mod refusal;
mod statuses;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod transport;
mod wire;
mod workplace;

pub use address::ApiUrl;
pub use artifacts::Artifact;
pub use checks::{Annotation, CheckRun, Conclusion, Level, NewCheckRun};
pub use client::Client;
pub use comments::Comment;
pub use event::Event;
pub use names::{RepositoryName, Sha};
pub use page::Page;
pub use patience::{Clock, Patience};
pub use pulls::PullRequest;
pub use refusal::{Cause, Refusal};
pub use statuses::{State, Status};
pub use token::Token;
pub use workplace::Workplace;
