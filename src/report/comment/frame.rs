//! What a comment says besides the run's own outcome.

use std::net::Ipv4Addr;

use crate::report::arms::revision;
use crate::report::markdown::{code, fenced};
use crate::report::text::clean;

/// The longest address that is linked to, in bytes.
const LONGEST_ADDRESS: usize = 2_000;

/// What a comment says besides the run's own outcome. Nothing of it may come from the run: it is what the platform and the
/// repository's own plan say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Which plan or gate it is about: each has a comment of its own. Its first 200 characters count.
    pub plan: String,
    /// The full id of the commit that is compared with. What is no such id is left out, here as in `head`.
    pub base: Option<String>,
    /// The full id of the commit that is judged.
    pub head: Option<String>,
    /// The address of the workflow's run. Addresses are `https`, or `http` on loopback, and plain; others are left out.
    pub run_url: Option<String>,
    /// The artifact with all of the run's files: its name and its address.
    pub artifact: Option<(String, String)>,
    /// The order of the run: one with a later order overwrites the comment of an earlier one.
    pub newest: u64,
}

impl Frame {
    /// Both commits in short, as far as they are known: "base `0123456789` → head `abcdef0123`"; may be empty.
    pub(super) fn commits(&self) -> String {
        let side = |name: &str, id: &Option<String>| id_of(id).map(|id| format!("{name} {}", code(&revision(id))));
        let sides = [side("base", &self.base), side("head", &self.head)];
        sides.into_iter().flatten().collect::<Vec<_>>().join(" → ")
    }

    /// Where all of the run's files and its log are; may be empty.
    pub(super) fn files(&self) -> String {
        let artifact = self.artifact.as_ref().map(|(name, address)| {
            let name = Some(code(&clean(name))).filter(|name| !name.is_empty());
            let artifact = link(&name.unwrap_or_else(|| "the run's files".to_owned()), address);
            format!("The full report, its plots and flamegraphs are in the artifact {artifact}.")
        });
        let run = self.run_url.as_ref().filter(|address| is_plain(address));
        let run = run.map(|address| format!("{} says how they were made.", link("The workflow's log", address)));
        [artifact, run].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The commands that measure all of it again.
    pub(super) fn again(&self) -> String {
        let head = id_of(&self.head).map(|head| format!("git fetch origin {head} && git checkout {head}"));
        let against = id_of(&self.base).map_or_else(String::new, |base| format!(" --against {base}"));
        let lines: Vec<String> = head.into_iter().chain([format!("cargo perfplan run{against}")]).collect();
        fenced(&lines)
    }
}

/// A commit's full id: 40 hexadecimal digits, or 64.
fn id_of(id: &Option<String>) -> Option<&str> {
    let full = |id: &&str| matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    id.as_deref().filter(full)
}

/// A link; the text alone where the address is not one to link to. The text has to be harmless already.
fn link(text: &str, address: &str) -> String {
    if is_plain(address) { format!("[{text}]({address})") } else { text.to_owned() }
}

/// Whether an address is encrypted, or stays on this machine, and has no character that could end a link or that hides its host.
fn is_plain(address: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?&=#%+".contains(c);
    let host = |rest: &str| rest.split(['/', ':', '?', '#']).next().unwrap_or_default().to_owned();
    let named = |rest: &str| host(rest).starts_with(|c: char| c.is_ascii_alphanumeric());
    let here = |rest: &str| host(rest) == "localhost" || host(rest).parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback());
    address.len() <= LONGEST_ADDRESS
        && address.chars().all(plain)
        && (address.strip_prefix("https://").is_some_and(named) || address.strip_prefix("http://").is_some_and(here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_of_encrypted_or_local_servers_are_linked_to() {
        for good in [
            "https://github.com/o/r/actions/runs/1#artifacts",
            "https://ghe.example:8443/o/r",
            "http://127.0.0.1:4000/o/r?x=1&y=%20",
            "http://localhost/x",
        ] {
            assert!(is_plain(good), "{good}");
        }
        let long = format!("https://github.com/{}", "x".repeat(LONGEST_ADDRESS));
        for bad in [
            "",
            "github.com",
            "https://",
            "https:///x",
            "http://github.com/x",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "https://user@evil.example/",
            "https://github.com/x) [y](https://evil.example",
            "https://github.com/<b>",
            "https://github.com/a b",
            "https://github.com/\"x",
            "https://github.com/x\n",
            "https://gıthub.com/",
            "javascript:alert(1)",
            "HTTPS://github.com/",
            long.as_str(),
        ] {
            assert!(!is_plain(bad), "{bad}");
            assert_eq!(link("text", bad), "text");
        }
    }

    #[test]
    fn what_is_no_commit_is_left_out() {
        let frame = |base: &str, head: &str| Frame {
            base: Some(base.to_owned()),
            head: Some(head.to_owned()),
            ..Frame::default()
        };
        let id = "0123456789abcdef0123456789abcdef01234567";
        let known = frame(id, &id.repeat(2)[..64]);
        assert_eq!(known.commits(), "base `0123456789` → head `0123456789`");
        assert!(known.again().contains(&format!("\ncargo perfplan run --against {id}\n")), "{}", known.again());
        for odd in ["", "main", &id[1..], "$(touch x)456789abcdef0123456789abcdef0123"] {
            assert_eq!(frame(odd, odd).commits(), "", "{odd}");
            assert_eq!(frame(odd, odd).again(), "\n```text\ncargo perfplan run\n```\n");
        }
    }
}
