//! Artifacts: the files that a workflow run left behind.

use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use super::ask::Ask;
use super::client::Client;
use super::page::FULL;
use super::refusal::Refusal;

const READ: &str = "actions: read";

/// An artifact of a workflow run. Whoever wrote the workflow, or the code that it ran, may have made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Grows with every artifact.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Bytes of its zip file, as GitHub counted them.
    pub size: u64,
    /// Whether it was thrown away already.
    pub expired: bool,
}

#[derive(Deserialize)]
struct WireArtifacts {
    artifacts: Vec<WireArtifact>,
}

#[derive(Deserialize)]
struct WireArtifact {
    id: u64,
    name: String,
    size_in_bytes: u64,
    expired: bool,
}

impl From<WireArtifact> for Artifact {
    fn from(wire: WireArtifact) -> Self {
        Self { id: wire.id, name: wire.name, size: wire.size_in_bytes, expired: wire.expired }
    }
}

impl Client {
    /// The artifacts of exactly this name of a workflow run, of all its attempts, the newest first.
    ///
    /// # Errors
    /// Where GitHub refuses or doesn't answer.
    pub fn artifacts(&self, run_id: u64, name: &str) -> Result<Vec<Artifact>, Refusal> {
        let wanted: String = byte_serialize(name.as_bytes()).collect();
        let page = |page| {
            let query = format!("name={wanted}&per_page={FULL}&page={page}");
            Ask::get(self.path(&format!("actions/runs/{run_id}/artifacts?{query}"))).needing(READ)
        };
        let items = |wire: WireArtifacts| Ok(wire.artifacts.into_iter().map(Artifact::from).collect());
        let mut artifacts: Vec<Artifact> = self.all(page, items)?;
        artifacts.retain(|artifact| artifact.name == name);
        artifacts.sort_by_key(|artifact| std::cmp::Reverse(artifact.id));
        Ok(artifacts)
    }

    /// The zip file of an artifact, if it has at most so many bytes.
    ///
    /// GitHub sends us on to its storage, which gets no token: the address is signed, and good for a minute. We go to where
    /// GitHub sends us, once, and not to where that may send us.
    ///
    /// # Errors
    /// Where GitHub or its storage refuses or doesn't answer, leads to an address that is not encrypted, or sends more.
    pub fn artifact(&self, id: u64, most_bytes: u64) -> Result<Vec<u8>, Refusal> {
        let ask = Ask::get(self.path(&format!("actions/artifacts/{id}/zip"))).needing(READ);
        self.download(&ask, most_bytes)
    }
}
