//! A variant's knobs as arguments for cargo. Pure.

use serde::Serialize;

use crate::plan::{Allocator, Variant};

/// What a variant adds to `cargo build`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Flags {
    /// The cargo profile that is built and changed.
    pub(super) profile: String,
    /// `--config` values.
    pub(super) config: Vec<String>,
    /// Flags for rustc.
    pub(super) rustflags: Vec<String>,
    /// Features by plain name, for every package that is built.
    pub(super) features: Vec<String>,
}

pub(super) fn flags(variant: &Variant) -> Flags {
    let profile = variant.profile.clone().unwrap_or_else(|| "release".to_owned());
    let config = profile_settings(variant).into_iter().map(|(key, value)| format!("profile.{profile}.{key}={value}"));
    let mut rustflags = variant.rustflags.clone();
    if let Some(cpu) = &variant.target_cpu {
        rustflags.push(format!("-Ctarget-cpu={cpu}"));
    }
    if let Some(kept) = variant.frame_pointers {
        rustflags.push(format!("-Cforce-frame-pointers={}", if kept { "yes" } else { "no" }));
    }
    if let Some(linker) = &variant.linker {
        rustflags.push(format!("-Clink-arg=-fuse-ld={linker}"));
    }
    let mut features = variant.features.clone();
    features.extend(variant.allocator.and_then(allocator_feature).map(str::to_owned));
    Flags { config: config.collect(), profile, rustflags, features }
}

/// The flags for rustc that a variant adds to the user's own.
#[must_use]
pub fn rustflags_of(variant: &Variant) -> Vec<String> {
    flags(variant).rustflags
}

fn profile_settings(variant: &Variant) -> Vec<(&'static str, String)> {
    let quoted = |text: &String| format!("\"{text}\"");
    let number_or_text = |text: &String| if text.parse::<u32>().is_ok() { text.clone() } else { quoted(text) };
    let settings = [
        // `false` is cargo's own word: LTO between the units of one crate.
        ("lto", variant.lto.as_ref().map(|lto| if lto == "false" { lto.clone() } else { quoted(lto) })),
        ("codegen-units", variant.codegen_units.map(|n| n.to_string())),
        ("opt-level", variant.opt_level.as_ref().map(number_or_text)),
        ("panic", variant.panic.as_ref().map(quoted)),
        ("debug", variant.debug.as_ref().map(number_or_text)),
    ];
    settings.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect()
}

/// The feature by which a package takes an allocator; the system's needs none.
#[must_use]
pub fn allocator_feature(allocator: Allocator) -> Option<&'static str> {
    (allocator != Allocator::System).then(|| allocator.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant() -> Variant {
        Variant::plain("v".parse().unwrap())
    }

    #[test]
    fn a_plain_variant_changes_nothing() {
        assert_eq!(flags(&variant()), Flags { profile: "release".to_owned(), ..Flags::default() });
    }

    #[test]
    fn every_knob_becomes_what_cargo_calls_it() {
        let variant = Variant {
            profile: Some("bench".to_owned()),
            lto: Some("fat".to_owned()),
            codegen_units: Some(1),
            opt_level: Some("3".to_owned()),
            panic: Some("abort".to_owned()),
            target_cpu: Some("native".to_owned()),
            linker: Some("mold".to_owned()),
            frame_pointers: Some(true),
            allocator: Some(Allocator::Jemalloc),
            ..variant()
        };
        let flags = flags(&variant);
        assert_eq!(
            flags.config,
            [
                "profile.bench.lto=\"fat\"",
                "profile.bench.codegen-units=1",
                "profile.bench.opt-level=3",
                "profile.bench.panic=\"abort\""
            ]
        );
        assert_eq!(flags.rustflags, ["-Ctarget-cpu=native", "-Cforce-frame-pointers=yes", "-Clink-arg=-fuse-ld=mold"]);
        assert_eq!(flags.features, ["jemalloc"]);
    }
}
