//! How the plan's variants are really built, for whoever looks at builds with a critical eye.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build::{self, Workspace};
use crate::doctor::{Build, Profile};
use crate::plan::{self, Variant};
use crate::samples::VariantName;

/// The builds of the plan in `folder`, as its manifest, the user's configuration and the environment make them. Variants that
/// are there to be asked for are left out.
///
/// # Errors
/// Where there is no workspace, or the plan or the manifest can't be read.
pub fn builds(folder: &Path, file: Option<&Path>) -> Result<Vec<Build>> {
    let workspace = Workspace::of(folder)?;
    let plan = plan::load(&workspace.root, file)?;
    of_variants(&workspace.root, &build::host(&workspace.root)?, &plan.variants, &plan.baseline)
}

/// How these variants are built for `target` in the workspace at `root`.
pub(super) fn of_variants(
    root: &Path,
    target: &str,
    variants: &[Variant],
    baseline: &VariantName,
) -> Result<Vec<Build>> {
    let manifest = root.join("Cargo.toml");
    let files = build::configurations(root).into_iter().filter(|path| path.is_file()).chain([manifest]);
    let read = |path: PathBuf| std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()));
    let layers = files.map(read).collect::<Result<Vec<String>>>()?;
    let own = build::rustflags(root, target);
    let shown = variants.iter().filter(|variant| !variant.explicit);
    shown.map(|variant| of(variant, &layers, &own, target, baseline)).collect()
}

fn of(variant: &Variant, layers: &[String], own: &[String], target: &str, baseline: &VariantName) -> Result<Build> {
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let name = variant.profile.as_deref().unwrap_or("release");
    let mut profile = Profile::read(name, &layers, &|name| std::env::var(name).ok())?;
    let take = |place: &mut String, knob: &Option<String>| knob.iter().for_each(|value| place.clone_from(value));
    take(&mut profile.lto, &variant.lto);
    take(&mut profile.opt_level, &variant.opt_level);
    take(&mut profile.panic, &variant.panic);
    take(&mut profile.debug, &variant.debug);
    variant.codegen_units.into_iter().for_each(|units| profile.codegen_units = units);
    let mut rustflags = own.to_vec();
    rustflags.extend(build::rustflags_of(variant));
    Ok(Build {
        variant: variant.name.to_string(),
        baseline: variant.name == *baseline,
        profile,
        rustflags,
        target: target.to_owned(),
    })
}
