//! What a program is made of: the identity of its machine code, and the sizes of its sections.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};
use git2::{ObjectType, Oid};
use object::{Object, ObjectSection, SectionFlags, elf};

use crate::samples::Metric;

/// Identity and sizes of a program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Makeup {
    /// Equal for two programs that load the same bytes: names, addresses and contents of all sections that are loaded,
    /// without build ids and debug info.
    pub(super) code: String,
    /// `binary.text`, `binary.rodata`, `binary.data`, `binary.bss`, `binary.file`, in bytes.
    pub(super) sizes: BTreeMap<Metric, f64>,
    /// Whether what is loaded names the folder that it was built in.
    pub(super) names_tree: bool,
}

/// Reads a program that was built of the sources in `tree`.
///
/// # Errors
/// Where it can't be read or is no object file.
pub(super) fn makeup(program: &Path, tree: &Path) -> Result<Makeup> {
    let bytes = fs::read(program).with_context(|| format!("reading {}", program.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no program", program.display()))?;
    let mut loaded = Vec::new();
    let mut sizes = BTreeMap::from([(size_of_part("file")?, bytes.len() as f64)]);
    for section in file.sections().filter(is_loaded) {
        let name = section.name().unwrap_or_default();
        loaded.extend_from_slice(name.as_bytes());
        loaded.extend_from_slice(&section.address().to_le_bytes());
        loaded.extend_from_slice(section.data().unwrap_or_default());
        if let Some(part) = part(&section) {
            *sizes.entry(size_of_part(part)?).or_default() += section.size() as f64;
        }
    }
    let tree = tree.as_os_str().as_bytes();
    let names_tree = loaded.windows(tree.len()).any(|window| window == tree);
    Ok(Makeup { code: Oid::hash_object(ObjectType::Blob, &loaded)?.to_string(), sizes, names_tree })
}

/// What a loaded section counts as. Everything executable is text, wherever a tool that orders code has put it.
fn part<'data>(section: &impl ObjectSection<'data>) -> Option<&'static str> {
    let executable =
        matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(elf::SHF_EXECINSTR));
    match section.name().unwrap_or_default() {
        _ if executable => Some("text"),
        ".rodata" => Some("rodata"),
        ".data" => Some("data"),
        ".bss" => Some("bss"),
        _ => None,
    }
}

fn size_of_part(part: &str) -> Result<Metric> {
    format!("binary.{part}").parse().map_err(anyhow::Error::msg)
}

/// Loaded at run time, and no note: the build id is one.
fn is_loaded<'data>(section: &impl ObjectSection<'data>) -> bool {
    let allocated = match section.flags() {
        SectionFlags::Elf { sh_flags, .. } => sh_flags.contains(elf::SHF_ALLOC),
        _ => true,
    };
    allocated && !section.name().unwrap_or_default().starts_with(".note")
}
