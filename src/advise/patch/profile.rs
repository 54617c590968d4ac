//! The knobs of a cargo profile.

use toml_edit::Value;

use super::document::{Drafts, item, quoted, read};
use super::{Manifests, PatchError, Wanted};

/// The knobs that are keys of a profile, in the order in which new keys are written.
const KNOBS: [&str; 5] = ["opt-level", "lto", "codegen-units", "panic", "debug"];

/// The profiles that cargo knows without a manifest.
const BUILT_IN: [&str; 4] = ["dev", "release", "test", "bench"];

/// The profile that the settings are for.
pub(super) fn profile(wanted: &Wanted) -> &str {
    wanted.setting("profile").unwrap_or("release")
}

/// Sets the wanted knobs of the profile: in the root manifest, or in the configuration where that already decides.
pub(super) fn edit(
    wanted: &Wanted,
    manifests: &Manifests,
    config: &str,
    drafts: &mut Drafts,
) -> Result<(), PatchError> {
    let profile = profile(wanted);
    for knob in KNOBS {
        let Some(setting) = wanted.setting(knob) else { continue };
        let path = ["profile", profile, knob];
        // A configuration's profile wins over the manifest's: https://doc.rust-lang.org/cargo/reference/config.html#profile
        let decides = configured(manifests, &path)? || drafts.at(config).value(&path)?.is_some();
        let file = if decides { config } else { &manifests.root.path };
        let written = drafts.at(file).value(&path)?;
        let same = written.as_ref().is_some_and(|value| meaning(knob, &word(value)) == meaning(knob, setting));
        if !same {
            derive(manifests, profile, drafts)?;
            drafts.at(file).set(&path, &literal(knob, setting))?;
        }
        let draft = drafts.at(file);
        if !same || draft.noted(&path, knob)? {
            draft.note(&path, knob, &wanted.line(knob))?;
        }
    }
    Ok(())
}

/// Whether a configuration that can't be edited has a key.
fn configured(manifests: &Manifests, path: &[&str]) -> Result<bool, PatchError> {
    for file in &manifests.outer {
        if item(read(&file.path, &file.text)?.as_item(), path).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a profile of the user's own that stands nowhere yet: cargo refuses one that inherits from none.
fn derive(manifests: &Manifests, profile: &str, drafts: &mut Drafts) -> Result<(), PatchError> {
    let own = !BUILT_IN.contains(&profile);
    let root = drafts.at(&manifests.root.path);
    let known = item(root.document()?.as_item(), &["profile", profile]).is_some();
    if own && !known && !configured(manifests, &["profile", profile])? {
        root.set(&["profile", profile, "inherits"], "\"release\"")?;
    }
    Ok(())
}

/// A setting as TOML. `false` is cargo's own word: LTO between the units of one crate.
fn literal(knob: &str, setting: &str) -> String {
    let boolean = knob == "lto" && matches!(setting, "true" | "false");
    if boolean || setting.parse::<u32>().is_ok() { setting.to_owned() } else { quoted(setting) }
}

/// A value of a manifest in the words of a plan.
fn word(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    let number = || value.as_integer().map(|number| number.to_string());
    let boolean = || value.as_bool().map(|truth| truth.to_string());
    text.or_else(number).or_else(boolean).unwrap_or_default()
}

/// One word for what cargo takes for the same.
fn meaning<'w>(knob: &str, word: &'w str) -> &'w str {
    match (knob, word) {
        ("lto", "true") => "fat",
        ("lto", "n" | "no") => "off",
        ("debug", "true" | "2") => "full",
        ("debug", "1") => "limited",
        ("debug", "false" | "0") => "none",
        _ => word,
    }
}
