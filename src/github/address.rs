//! The address of the API, and where a token may be sent.

use std::fmt;
use std::str::FromStr;

use octocrab::service::middleware::base_uri::BaseUriLayer;
use url::{Host, Url};

use super::text::clean;

/// How much of a wrong address is shown.
const SHOWN: usize = 100;

/// The address of a REST API of GitHub: `https://api.github.com`, or `https://host/api/v3` of GitHub Enterprise.
///
/// It is `https`; `http` is taken where the host is this machine, since a token must not cross a network in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl {
    url: Url,
    uri: http::Uri,
}

impl ApiUrl {
    /// The host, for messages about the connection.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether the API is this machine's, without encryption.
    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Puts the API's address before the paths of requests.
    pub(super) fn layer(&self) -> BaseUriLayer {
        BaseUriLayer::new(self.uri.clone())
    }

    /// The address that an answer leads on to. It is as safe as the API's own: `https`, or this machine where the API is
    /// this machine's.
    pub(super) fn leading_to(&self, location: &str) -> Result<http::Uri, String> {
        // The address itself is not quoted: it is signed, and good for whoever has it.
        let url = self.url.join(location).map_err(|error| format!("it leads to no address: {error}"))?;
        match safety(&url) {
            Ok(()) if url.scheme() == self.url.scheme() => {
                url.as_str().parse().map_err(|_| "it leads to no address".to_owned())
            }
            _ => Err(format!("it leads to {}, which is not safe", clean(&url.origin().ascii_serialization(), SHOWN))),
        }
    }
}

impl fmt::Display for ApiUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.url.as_str().trim_end_matches('/'))
    }
}

impl FromStr for ApiUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = web(text)?;
        safety(&url)?;
        let uri = url.as_str().parse().map_err(|_| format!("{url} is not an address"))?;
        Ok(Self { url, uri })
    }
}

/// An address of the web without a user, a query and a fragment.
pub(super) fn web(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| format!("{:?} is not an address of GitHub's: {why}", clean(text, SHOWN));
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("expected https://..."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not quoted: what stands there may be a secret.
        return Err("an address of GitHub's has no user and no password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("expected nothing after the path"));
    }
    Ok(url)
}

fn safety(url: &Url) -> Result<(), String> {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => Err(format!("{} is not encrypted: expected https", clean(&url.origin().ascii_serialization(), SHOWN))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(text: &str) -> ApiUrl {
        text.parse().unwrap()
    }

    #[test]
    fn the_path_of_an_enterprise_stays() {
        assert_eq!(api("https://ghe.example/api/v3/").to_string(), "https://ghe.example/api/v3");
        assert_eq!(api("https://api.github.com").to_string(), "https://api.github.com");
        assert_eq!(api("https://ghe.example:8443/api/v3").host(), "ghe.example");
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for good in ["http://127.0.0.1:80", "http://127.9.9.9", "http://[::1]:1", "http://localhost:9"] {
            assert!(api(good).is_plain());
        }
        for bad in [
            "http://api.github.com",
            "http://128.0.0.1",
            "http://localhost.evil",
            "http://[::2]",
            "ftp://127.0.0.1",
            "file:///etc",
            "api.github.com",
            "",
            "https://",
            "https://host/?x",
            "https://host/#x",
        ] {
            assert!(bad.parse::<ApiUrl>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_being_quoted() {
        let said = "https://me:s3cret@host".parse::<ApiUrl>().unwrap_err();
        assert!(!said.contains("s3cret"), "{said}");
    }

    #[test]
    fn an_answer_leads_on_only_to_what_is_as_safe() {
        let (github, here) = (api("https://ghe.example/api/v3"), api("http://127.0.0.1:1/"));
        let leads = |api: &ApiUrl, to: &str| api.leading_to(to).map(|uri| uri.to_string());
        assert_eq!(leads(&github, "https://blob.example/a?sig=b").unwrap(), "https://blob.example/a?sig=b");
        assert_eq!(leads(&github, "/storage/a").unwrap(), "https://ghe.example/storage/a");
        assert_eq!(leads(&here, "http://127.0.0.1:2/a").unwrap(), "http://127.0.0.1:2/a");
        for (api, bad) in [
            (&github, "http://blob.example/a?sig=s3cret"),
            (&github, "http://127.0.0.1/latest?sig=s3cret"),
            (&github, "file:///etc/passwd?s3cret"),
            (&here, "http://192.168.0.1/a?s3cret"),
            (&here, "https://blob.example/a?s3cret"),
        ] {
            let said = leads(api, bad).unwrap_err();
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
