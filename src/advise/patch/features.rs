//! Allocators and other features: on by default in the packages that have them.

use toml_edit::{Item, Value};

use super::document::{Draft, Drafts, item, quoted};
use super::{Note, Package, PatchError, Wanted};

/// The features of a package that are on unless a build says otherwise.
const DEFAULT: [&str; 2] = ["features", "default"];

/// An allocator that a program can be given.
struct Allocator {
    /// The knob's value, and the feature by which a package takes it.
    word: &'static str,
    /// The crate that has it.
    package: &'static str,
    /// Its type.
    path: &'static str,
}

const ALLOCATORS: [Allocator; 3] = [
    Allocator { word: "jemalloc", package: "tikv-jemallocator", path: "tikv_jemallocator::Jemalloc" },
    Allocator { word: "mimalloc", package: "mimalloc", path: "mimalloc::MiMalloc" },
    Allocator { word: "snmalloc", package: "snmalloc-rs", path: "snmalloc_rs::SnMalloc" },
];

/// Switches the wanted features on, and says what to write where a package has none of that name.
pub(super) fn edit(wanted: &Wanted, packages: &[Package], drafts: &mut Drafts) -> Result<Vec<Note>, PatchError> {
    let mut notes = Vec::new();
    for feature in
        wanted.setting("features").into_iter().flat_map(|list| list.split(',')).filter(|name| !name.is_empty())
    {
        let mut anyone = false;
        for package in packages {
            anyone |= switch_on(drafts.at(&package.manifest.path), "features", feature, wanted)?;
        }
        if !anyone {
            let says =
                format!("no measured package has the feature `{feature}`: add it to the features of your own build");
            notes.push(Note::new("features", says, [format!("cargo build --release --features {feature}")]));
        }
    }
    // The system's allocator is what a program has that takes no other.
    let Some(word) = wanted.setting("allocator").filter(|word| *word != "system") else { return Ok(notes) };
    for package in packages {
        if !switch_on(drafts.at(&package.manifest.path), "allocator", word, wanted)? {
            notes.push(by_hand(&package.name, word));
        }
    }
    Ok(notes)
}

/// Adds a feature to a package's default ones; `false` where it has none of that name.
fn switch_on(draft: &mut Draft, knob: &str, feature: &str, wanted: &Wanted) -> Result<bool, PatchError> {
    if !offers(draft.document()?.as_item(), feature) {
        return Ok(false);
    }
    let present = match draft.value(&DEFAULT)? {
        None => Vec::new(),
        Some(list) => names(&list).ok_or_else(|| draft.unfit(&DEFAULT, "an array of features"))?,
    };
    let there = present.iter().any(|name| name == feature);
    let other = |name: &String| knob == "allocator" && ALLOCATORS.iter().any(|allocator| allocator.word == name);
    match present.iter().position(other) {
        _ if there => {}
        // A program has one allocator: a second one would not be linked, or not be used.
        Some(at) => draft.replace(&DEFAULT, at, &quoted(feature))?,
        None => draft.push(&DEFAULT, &quoted(feature))?,
    }
    if !there || draft.noted(&DEFAULT, knob)? {
        draft.note(&DEFAULT, knob, &wanted.line(knob))?;
    }
    Ok(true)
}

fn names(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Whether a package has a feature: by its own name, as an optional dependency that no feature hides behind `dep:`, or
/// as a dependency's feature (`harness/jemalloc`).
fn offers(manifest: &Item, feature: &str) -> bool {
    let dependency = |name: &str| item(manifest, &["dependencies", name]);
    if let Some((name, _)) = feature.split_once('/') {
        return dependency(name.trim_end_matches('?')).is_some();
    }
    let features = manifest.get("features").and_then(Item::as_table_like);
    let hidden = format!("dep:{feature}");
    let lists = features.into_iter().flat_map(|table| table.iter()).filter_map(|(_, list)| names(list.as_value()?));
    let is_hidden = lists.flatten().any(|name| name == hidden);
    let optional = dependency(feature).and_then(|one| one.get("optional")).and_then(Item::as_bool) == Some(true);
    features.is_some_and(|table| table.contains_key(feature)) || (optional && !is_hidden)
}

/// How a package gets an allocator that it has no feature for.
fn by_hand(package: &str, word: &str) -> Note {
    let says =
        format!("the package `{package}` has no feature `{word}`: add the crate, and these two lines to its program");
    let known = ALLOCATORS.iter().find(|allocator| allocator.word == word);
    let lines = known.map(|Allocator { package: dependency, path, .. }| {
        [
            format!("cargo add --package {package} {dependency}"),
            "#[global_allocator]".to_owned(),
            format!("static ALLOCATOR: {path} = {path};"),
        ]
    });
    Note::new("allocator", says, lines.into_iter().flatten())
}
