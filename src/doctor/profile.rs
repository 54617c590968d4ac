//! A cargo profile as it applies: what manifests, configurations and the environment say, over cargo's defaults.

use std::fmt;

use toml::{Table, Value};

/// The settings of a cargo profile, in a plan's words: <https://doc.rust-lang.org/cargo/reference/profiles.html>. What single
/// packages override is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// `0` to `3`, `s` or `z`.
    pub opt_level: String,
    /// `off`, `false` (between the units of one crate), `thin` or `fat`.
    pub lto: String,
    /// Units that a crate is compiled in, at least 1. More, where builds are incremental.
    pub codegen_units: u32,
    /// `none`, `line-directives-only`, `line-tables-only`, `limited` or `full`.
    pub debug: String,
    /// What is removed from the program: `none`, `debuginfo` or `symbols`.
    pub strip: String,
    /// `unwind` or `abort`.
    pub panic: String,
    /// Whether `debug_assert!` is checked.
    pub debug_assertions: bool,
    /// Whether arithmetic that overflows panics.
    pub overflow_checks: bool,
    /// Whether code is compiled in parts that are kept for the next time.
    pub incremental: bool,
}

/// A text that is no TOML. The message is the parser's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError(String);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading the profile: {}", self.0)
    }
}

impl std::error::Error for ProfileError {}

/// The most profiles that may inherit from each other; cargo refuses a circle, and this ends in one.
const DEEPEST: usize = 16;

impl Profile {
    /// The profile `name` as it applies. `layers` are the texts that say something of it, the strongest first: the
    /// configurations from the nearest folder on, then the workspace's manifest. `variable` gives a variable of the
    /// environment, which is stronger than all of them.
    ///
    /// # Errors
    /// Where a text is no TOML.
    pub fn read(name: &str, layers: &[&str], variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ProfileError> {
        let layers = layers.iter().map(|text| text.parse()).collect::<Result<Vec<Table>, _>>();
        let layers = layers.map_err(|error: toml::de::Error| ProfileError(error.to_string()))?;
        let sources = Sources { layers, variable };
        let (chain, development) = sources.ancestry(name);
        let word = |key: &str| chain.iter().find_map(|name| sources.word(name, key));
        let truth = |key: &str, default: bool| word(key).map_or(default, |word| word == "true" || word == "1");
        let or = |key: &str, of_development: &str, of_release: &str| {
            let default = if development { of_development } else { of_release };
            meaning(key, word(key).unwrap_or(default.to_owned()))
        };
        let incremental = sources.incremental().unwrap_or_else(|| truth("incremental", development));
        let units = word("codegen-units").and_then(|word| word.parse().ok());
        Ok(Self {
            opt_level: or("opt-level", "0", "3"),
            lto: or("lto", "false", "false"),
            codegen_units: units.unwrap_or(if incremental { 256 } else { 16 }),
            debug: or("debug", "full", "none"),
            strip: or("strip", "none", "none"),
            panic: or("panic", "unwind", "unwind"),
            debug_assertions: truth("debug-assertions", development),
            overflow_checks: truth("overflow-checks", development),
            incremental,
            name: name.to_owned(),
        })
    }
}

/// Where settings stand.
struct Sources<'v> {
    layers: Vec<Table>,
    variable: &'v dyn Fn(&str) -> Option<String>,
}

impl Sources<'_> {
    /// The profile and those that it inherits from, and whether they come from `dev`.
    fn ancestry(&self, name: &str) -> (Vec<String>, bool) {
        let mut chain = vec![name.to_owned()];
        while chain.len() < DEEPEST {
            let last = &chain[chain.len() - 1];
            let parent = match last.as_str() {
                "dev" | "release" => break,
                "test" => Some("dev".to_owned()),
                "bench" => Some("release".to_owned()),
                own => self.word(own, "inherits"),
            };
            // Cargo refuses a profile of the user's own that inherits from none.
            chain.push(parent.unwrap_or("release".to_owned()));
        }
        let development = chain.last().is_some_and(|root| root == "dev");
        (chain, development)
    }

    /// What is said of a key of one profile, as text.
    fn word(&self, profile: &str, key: &str) -> Option<String> {
        let upper = |text: &str| text.to_uppercase().replace('-', "_");
        let variable = (self.variable)(&format!("CARGO_PROFILE_{}_{}", upper(profile), upper(key)));
        variable.filter(|value| !value.is_empty()).or_else(|| {
            let value = |layer: &Table| text(layer.get("profile")?.get(profile)?.get(key)?);
            self.layers.iter().find_map(value)
        })
    }

    /// What is said of incremental builds for all profiles at once, which is stronger than what a profile says.
    fn incremental(&self) -> Option<bool> {
        let variable = |name| (self.variable)(name).filter(|value| !value.is_empty());
        let whole = variable("CARGO_INCREMENTAL").map(|value| value != "0");
        let configured = || variable("CARGO_BUILD_INCREMENTAL").map(|value| value == "true");
        let written = || self.layers.iter().find_map(|layer| layer.get("build")?.get("incremental")?.as_bool());
        whole.or_else(configured).or_else(written)
    }
}

/// A value as text; numbers and booleans are written as in TOML.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// One word for what cargo takes for the same.
fn meaning(key: &str, word: String) -> String {
    let one = match (key, word.as_str()) {
        ("lto", "true") => "fat",
        ("lto", "n" | "no") => "off",
        ("debug", "true" | "2") => "full",
        ("debug", "1") => "limited",
        ("debug", "false" | "0") | ("strip", "false") => "none",
        ("strip", "true") => "symbols",
        _ => return word,
    };
    one.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, layers: &[&str]) -> Profile {
        Profile::read(name, layers, &|_| None).unwrap()
    }

    #[test]
    fn nothing_said_is_cargos_own_profile() {
        let release = read("release", &["[package]\nname = \"x\""]);
        let (words, truths) = (
            [&*release.opt_level, &*release.lto, &*release.debug, &*release.strip, &*release.panic],
            [release.debug_assertions, release.overflow_checks, release.incremental],
        );
        assert_eq!((words, truths, release.codegen_units), (["3", "false", "none", "none", "unwind"], [false; 3], 16));
        let dev = read("dev", &[]);
        assert_eq!((&*dev.opt_level, &*dev.debug, dev.codegen_units), ("0", "full", 256));
        assert!(dev.debug_assertions && dev.overflow_checks && dev.incremental);
    }

    #[test]
    fn a_profile_inherits_and_the_nearest_text_wins_key_by_key() {
        let manifest = "[profile.release]\nlto = true\ncodegen-units = 1\nstrip = true\n\
            [profile.fast]\ninherits = \"release\"\ndebug = 1\ncodegen-units = 4\n";
        let config = "[profile.fast]\ncodegen-units = 2\n[profile.release]\npanic = \"abort\"";
        let fast = read("fast", &[config, manifest]);
        assert_eq!((&*fast.lto, fast.codegen_units, &*fast.debug), ("fat", 2, "limited"));
        assert_eq!((&*fast.strip, &*fast.panic), ("symbols", "abort"));
        assert_eq!(read("bench", &[manifest]).codegen_units, 1);
        assert_eq!(read("test", &["[profile.dev]\nopt-level = 1"]).opt_level, "1");
    }

    #[test]
    fn the_environment_is_stronger_than_all_texts() {
        let variable = |name: &str| match name {
            "CARGO_PROFILE_MY_FAST_CODEGEN_UNITS" => Some("3".to_owned()),
            "CARGO_INCREMENTAL" => Some("1".to_owned()),
            "CARGO_PROFILE_RELEASE_OPT_LEVEL" => Some(String::new()),
            _ => None,
        };
        let manifest = "[profile.my-fast]\ninherits = \"release\"\ncodegen-units = 9\nincremental = false";
        let profile = Profile::read("my-fast", &[manifest], &variable).unwrap();
        assert_eq!((profile.codegen_units, profile.incremental, &*profile.opt_level), (3, true, "3"));
        assert!(read("release", &["[build]\nincremental = true"]).incremental);
    }

    #[test]
    fn a_circle_ends_and_broken_texts_are_errors() {
        let circle = "[profile.a]\ninherits = \"b\"\n[profile.b]\ninherits = \"a\"\ndebug = true";
        assert_eq!(read("a", &[circle]).debug, "full");
        assert!(Profile::read("release", &["[profile"], &|_| None).is_err());
    }
}
