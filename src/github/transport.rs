//! One request over the network, through octocrab.
//!
//! Every request has a runtime and a connection of its own. Requests are few and minutes can lie between them, in which
//! GitHub closes what is idle: a POST on a connection that is just being closed would leave open whether it was done.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::request::Builder;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use rustls::crypto::ring;
use serde_json::Value;
use tokio::runtime;
use tokio::time::timeout;

use super::address::ApiUrl;
use super::ask::Ask;
use super::fault::Fault;
use super::token::Token;

/// The most bytes of an answer in JSON. A hundred comments, each as long as GitHub's database takes them (262,144 bytes), fit:
/// whoever can comment could otherwise keep us from finding our own.
const MOST: u64 = 32 << 20;

/// How we call ourselves; GitHub refuses who has no name.
const NAME: HeaderValue = HeaderValue::from_static(concat!("cargo-perfplan/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/vnd.github+json");

type Body = BoxBody<Bytes, octocrab::Error>;
type Headers = Vec<(HeaderName, HeaderValue)>;

/// What GitHub answered where it did what was asked.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// The way to one API, with one token.
pub(super) struct Transport {
    api: ApiUrl,
    token: Token,
    line: Line,
}

/// What makes the connections.
enum Line {
    Plain(Client<HttpConnector, OctoBody>),
    Encrypted(Client<HttpsConnector<HttpConnector>, OctoBody>),
}

impl Transport {
    /// # Errors
    /// Where an encrypted connection is needed, and the machine has no certificates of those who vouch for servers.
    pub(super) fn new(api: ApiUrl, token: Token) -> Result<Self> {
        let line = if api.is_plain() { Line::Plain(unpooled(HttpConnector::new())) } else { Line::encrypted()? };
        Ok(Self { api, token, line })
    }

    pub(super) fn token(&self) -> &Token {
        &self.token
    }

    /// Asks for JSON, within this time from connecting to the last byte.
    pub(super) fn ask(&self, ask: &Ask, limit: Duration) -> Result<Answer, Fault> {
        run(limit, async {
            let (parts, body) = self.send(ask).await?.into_parts();
            let body = read(body, MOST, limit).await?;
            checked(Response::from_parts(parts, Full::from(body))).await
        })
    }

    /// Asks for a file of at most so many bytes. Where GitHub keeps it with somebody else, it is fetched from there without
    /// the token. There may be `silence` for so long, and all may take `limit`.
    pub(super) fn download(&self, ask: &Ask, most: u64, silence: Duration, limit: Duration) -> Result<Vec<u8>, Fault> {
        run(limit, async {
            let response = within(silence, self.send(ask)).await?;
            let Some(location) = response.headers().get(LOCATION).filter(|_| response.status().is_redirection()) else {
                let (parts, body) = response.into_parts();
                let body = read(body, most, silence).await?;
                return Ok(checked(Response::from_parts(parts, Full::from(body))).await?.body);
            };
            let stored = within(silence, self.fetch(location)).await?;
            match stored.status() {
                status if status.is_success() => read(stored.into_body(), most, silence).await,
                status if status.is_redirection() => Err(Fault::Unusable("its storage leads on elsewhere".to_owned())),
                status => Err(Fault::Storage(status)),
            }
        })
    }

    async fn send(&self, ask: &Ask) -> Result<Response<Body>, Fault> {
        let sent = send(&self.github(), ask.method.clone(), &ask.path, ask.body.as_ref()).await;
        sent.map_err(|fault| fault.at(self.api.host()))
    }

    /// Goes where an answer of GitHub's leads, without the token.
    async fn fetch(&self, location: &HeaderValue) -> Result<Response<Body>, Fault> {
        let to = location.to_str().map_err(|_| "it leads to no address".to_owned());
        let to = to.and_then(|to| self.api.leading_to(to)).map_err(Fault::Unusable)?;
        let sent = send(&self.stranger(), Method::GET, &to.to_string(), None).await;
        sent.map_err(|fault| fault.at(to.host().unwrap_or_default()))
    }

    /// Speaks to the API, with the token. octocrab adds it to what has a path and no host, which is then the API's.
    fn github(&self) -> Octocrab {
        let auth = AuthState::AccessToken { token: self.token.secret() };
        self.line.octocrab(vec![(USER_AGENT, NAME), (ACCEPT, JSON)], Some(&self.api), auth)
    }

    /// Speaks to whomever, without the token: with it, octocrab would give it to api.github.com, whoever sent us there.
    fn stranger(&self) -> Octocrab {
        self.line.octocrab(vec![(USER_AGENT, NAME)], None, AuthState::None)
    }
}

impl Line {
    fn encrypted() -> Result<Self> {
        let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(ring::default_provider());
        let connector = builder
            .context("reading the machine's certificates: install ca-certificates, or set SSL_CERT_FILE")?
            .https_only()
            .enable_http1()
            .build();
        Ok(Self::Encrypted(unpooled(connector)))
    }

    fn octocrab(&self, headers: Headers, base: Option<&ApiUrl>, auth: AuthState) -> Octocrab {
        match self {
            Self::Plain(client) => octocrab(client.clone(), headers, base, auth),
            Self::Encrypted(client) => octocrab(client.clone(), headers, base, auth),
        }
    }
}

fn unpooled<C: Connect + Clone>(connector: C) -> Client<C, OctoBody> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}

fn octocrab<C>(client: Client<C, OctoBody>, headers: Headers, base: Option<&ApiUrl>, auth: AuthState) -> Octocrab
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let headers = ExtraHeadersLayer::new(Arc::new(headers));
    let builder = OctocrabBuilder::new_empty().with_service(client).with_layer(&headers);
    let Ok(octocrab) = match base {
        Some(api) => builder.with_layer(&api.layer()).with_auth(auth).build(),
        None => builder.with_auth(auth).build(),
    };
    octocrab
}

/// Runs one conversation to its end, or to the end of its time.
fn run<T>(limit: Duration, conversation: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let built = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = built.map_err(|error| Fault::Unreached(error.to_string()))?;
    let outcome = runtime.block_on(within(limit, conversation));
    // Dropping it would wait for a look-up of the host's name that nobody waits for any more.
    runtime.shutdown_background();
    outcome
}

async fn within<T>(limit: Duration, conversation: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let late = |_| Err(Fault::Silent(format!("no answer within {limit:?}")));
    timeout(limit, conversation).await.unwrap_or_else(late)
}

async fn send(octocrab: &Octocrab, method: Method, to: &str, body: Option<&Value>) -> Result<Response<Body>, Fault> {
    let request = octocrab.build_request(Builder::new().method(method).uri(to), body).map_err(Fault::of)?;
    octocrab.execute(request).await.map_err(Fault::of)
}

/// Reads what was sent, unless that is more than `most` bytes, or `silence` is kept meanwhile.
async fn read(mut body: Body, most: u64, silence: Duration) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    loop {
        let next = async { body.frame().await.transpose().map_err(Fault::of) };
        let Some(frame) = within(silence, next).await? else { return Ok(bytes) };
        // What is no data are trailers.
        let data = frame.into_data().unwrap_or_default();
        if bytes.len() as u64 + data.len() as u64 > most {
            return Err(Fault::Unusable(format!("it is longer than {most} bytes")));
        }
        bytes.extend_from_slice(&data);
    }
}

/// The answer, if GitHub did what was asked.
async fn checked(response: Response<Full<Bytes>>) -> Result<Answer, Fault> {
    let response = response.map(|body| body.map_err(|never| match never {}).boxed());
    let (parts, body) = octocrab::map_github_error(response).await.map_err(Fault::of)?.into_parts();
    let body = body.collect().await.map_err(Fault::of)?.to_bytes();
    Ok(Answer { headers: parts.headers, body: body.into() })
}
