//! Sentences with names in them: renderers write the names as their format keeps them harmless.

use crate::report::text::clean;

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// The report's own words.
    Words(String),
    /// What a file calls something; harmless, but not to be trusted with Markdown.
    Name(String),
}

/// A sentence with names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Phrase(Vec<Part>);

impl Phrase {
    pub(super) fn words(mut self, words: &str) -> Self {
        self.0.push(Part::Words(words.to_owned()));
        self
    }

    pub(super) fn name(mut self, name: &str) -> Self {
        self.0.push(Part::Name(clean(name)));
        self
    }

    /// `, ` between several phrases, or whatever else.
    pub(super) fn joined(phrases: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut all = Vec::new();
        for phrase in phrases {
            all.extend((!all.is_empty()).then(|| Part::Words(between.to_owned())));
            all.extend(phrase.0);
        }
        Self(all)
    }

    /// A setting by the name that it has everywhere: `lto=fat`.
    pub(super) fn setting(self, knob: &str, value: &str) -> Self {
        self.name(&setting(knob, value))
    }

    /// Several settings: `lto=fat, pgo=true`.
    pub(super) fn settings<'a>(self, settings: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        let each = settings.into_iter().map(|(knob, value)| Self::default().setting(knob, value));
        Self(self.0.into_iter().chain(Self::joined(each, ", ").0).collect())
    }

    /// As one text, the names by `quoted`.
    pub(super) fn text(&self, quoted: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Words(words) => words.clone(),
            Part::Name(name) => quoted(name),
        };
        self.0.iter().map(part).collect()
    }
}

/// The name of a setting, everywhere the same: `lto=fat`.
pub(super) fn setting(knob: &str, value: &str) -> String {
    clean(&format!("{knob}={value}"))
}
