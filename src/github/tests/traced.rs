//! With every library below us talking, the token is not heard.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber, subscriber};

use crate::github::fixture::{Server, Still, TOKEN, json as answer, with};

/// Hears all events and spans, at every level.
#[derive(Clone, Default)]
struct Ear {
    heard: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl Visit for Ear {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.heard.lock().unwrap().push_str(&format!("{field}: {value:?}\n"));
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn nothing_that_is_traced_has_the_token() {
    let ear = Ear::default();
    subscriber::with_default(ear.clone(), || {
        let storage = Server::new(vec![with(200, &[], "zip")]);
        let led = with(302, &[("location", &storage.url())], "");
        let refused = answer(401, &json!({ "message": TOKEN }));
        let server = Server::new(vec![with(500, &[], TOKEN), led, refused]);
        let client = server.client(&Still::new());
        assert_eq!(client.artifact(11, 100).unwrap(), b"zip");
        assert!(client.create_comment(7, "hello").is_err());
    });
    let heard = ear.heard.lock().unwrap();
    assert!(heard.contains("connect"), "the ear is deaf: {heard}");
    assert!(!heard.contains(TOKEN), "{heard}");
}
