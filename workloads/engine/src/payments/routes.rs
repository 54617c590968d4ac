//! From requests to answers: paths, methods, and the limits of what is read.

use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time;

use super::rules::Refusal;
use super::service::{Answer, Shared, lock};

/// What a client may ask of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The time between two requests, and for the head of one. The connection is closed where it takes longer.
    pub(crate) head: Duration,
    /// The time for the body of a request.
    pub(crate) body: Duration,
    /// The largest body, bytes.
    pub(crate) bytes: usize,
    /// Connections at a time; more wait to be accepted.
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(60), body: Duration::from_secs(5), bytes: 4096, connections: 1024 }
    }
}

/// Answers one request.
pub(crate) async fn respond(request: Request<Incoming>, payments: &Shared, limits: Limits) -> Response<Full<Bytes>> {
    let mut answer = Answer::with_room();
    let path = request.uri().path();
    let allowed = if path == "/payments" { Method::POST } else { Method::GET };
    let is_allowed = *request.method() == allowed;
    match path.strip_prefix("/accounts/").ok_or(path) {
        Ok(_) | Err("/payments" | "/health") if !is_allowed => answer.refuse(Refusal::NoSuchMethod),
        Ok(id) => lock(payments).account(id, &mut answer),
        Err("/health") => health(payments, &mut answer),
        Err("/payments") => pay(request, payments, limits, &mut answer).await,
        Err(_) => answer.refuse(Refusal::NoSuchPath),
    }
    response(answer, &allowed)
}

async fn pay(request: Request<Incoming>, payments: &Shared, limits: Limits, answer: &mut Answer) {
    let (head, body) = request.into_parts();
    match read(body, limits).await {
        Ok(body) => {
            let key = head.headers.get("idempotency-key").map(HeaderValue::as_bytes);
            lock(payments).pay(key, &body, answer);
        }
        Err(refusal) => answer.refuse(refusal),
    }
}

/// The whole body. One that says beforehand that it is too large is not read at all.
async fn read(body: Incoming, limits: Limits) -> Result<Bytes, Refusal> {
    if body.size_hint().lower() > limits.bytes as u64 {
        return Err(Refusal::TooLarge);
    }
    match time::timeout(limits.body, Limited::new(body, limits.bytes).collect()).await {
        Err(_) => Err(Refusal::TooSlow),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        // Nobody is there to read this: the connection broke.
        Ok(Err(_)) => Err(Refusal::MalformedJson),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

/// Healthy is a ledger whose books add up.
fn health(payments: &Shared, answer: &mut Answer) {
    if lock(payments).sum() == 0 {
        answer.status = 200;
        answer.body.extend_from_slice(br#"{"status":"ok"}"#);
    } else {
        answer.refuse(Refusal::Unbalanced);
    }
}

fn response(answer: Answer, allowed: &Method) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if answer.status == Refusal::NoSuchMethod.status() {
        let allowed = if *allowed == Method::POST { "POST" } else { "GET" };
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    response
}
