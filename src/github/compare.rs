//! How two commits are related.

use serde::Deserialize;

use super::ask::Ask;
use super::client::Client;
use super::names::Sha;
use super::refusal::Refusal;

impl Client {
    /// The commit at which the lines of two commits parted. `head` may be a fork's, where a pull request brought it here.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn merge_base(&self, base: &Sha, head: &Sha) -> Result<Sha, Refusal> {
        #[derive(Deserialize)]
        struct Comparison {
            merge_base_commit: Commit,
        }
        #[derive(Deserialize)]
        struct Commit {
            sha: String,
        }
        let ask = Ask::get(self.path(&format!("compare/{base}...{head}?per_page=1&page=1"))).needing("contents: read");
        self.get(&ask, |wire: Comparison| wire.merge_base_commit.sha.parse())
    }
}
