//! A GitHub for tests: a real server that keeps what it is told, on this machine's loopback.
//!
//! It speaks the part of the REST interface that publishing needs, for one repository (`octo/widget`), with GitHub's limits,
//! fields and words, so that a client meets here what it will meet there: pages with links, refusals by permission, rate
//! limits, addresses of artifacts on another host. What it answers is checked against GitHub's own description of the
//! interface by a proxy in between (`Prism`). Beyond that it does what a test orders: requests go wrong or wait for each other.
//!
//! ```ignore
//! let hub = Hub::start();
//! hub.add_pull(PullRequest::new(7));
//! hub.add_talk(7, 250);
//! hub.fail(2, Matcher::new("POST", "/issues/7/comments"), Fault::status(500));
//! // ... something publishes to hub.url() with hub.settings().token ...
//! assert_eq!(hub.own_comments(7).len(), 1);
//! ```

#![allow(dead_code, unused_imports, reason = "every test program takes what it needs of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod checks;
mod comments;
mod http;
mod models;
mod pages;
mod prism;
mod pull_models;
mod pulls;
mod refusals;
mod routes;
mod script;
mod server;
mod state;

pub use bench::{Hub, NAME, OWNER, Settings};
pub use http::{Request, Response};
pub use prism::Prism;
pub use script::{Fault, Matcher};
pub use server::{Origin, Recorded};
pub use state::{Artifact, Check, Comment, PullRequest, Status, WORKFLOW, sha};
