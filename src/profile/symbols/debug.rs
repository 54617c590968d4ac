//! Names by debug information.

use std::borrow::Cow;

use addr2line::gimli::{self, DwarfSections, EndianSlice, NativeEndian, SectionId};
use addr2line::{Context, FunctionName};

use super::demangle::{demangled, is_mangled};
use super::section::content;

/// The debug information of a file, in memory as far as it is packed.
pub(super) type Sections<'data> = DwarfSections<Cow<'data, [u8]>>;

/// A function as debug information names it.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// Whether that is all of its name, with the modules that it is in.
    pub(super) is_whole: bool,
}

/// Looks functions up.
pub(super) struct Debug<'s>(Context<EndianSlice<'s, NativeEndian>>);

/// The debug information of a file; `None` where it has none.
pub(super) fn sections<'data>(object: &object::File<'data>) -> Option<Sections<'data>> {
    use object::Object;
    object.section_by_name(SectionId::DebugInfo.name())?;
    let load = |id: SectionId| Ok::<_, gimli::Error>(content(object, id.name()));
    DwarfSections::load(load).ok()
}

impl<'s> Debug<'s> {
    /// Reads where each compilation unit lies; the units themselves are read when an address in them is asked for. `None`
    /// where the information is damaged.
    pub(super) fn new(sections: &'s Sections<'_>) -> Option<Self> {
        Context::from_dwarf(sections.borrow(|section| EndianSlice::new(section, NativeEndian))).ok().map(Self)
    }

    /// The functions at an address, outermost first: one that was compiled, and those that were inlined into it. Empty
    /// where nothing is known of it.
    pub(super) fn functions(&self, address: u64) -> Vec<Function> {
        let mut functions = Vec::new();
        let Ok(mut frames) = self.0.find_frames(address).skip_all_loads() else { return functions };
        while let Ok(Some(frame)) = frames.next() {
            functions.extend(frame.function.as_ref().and_then(function));
        }
        functions.reverse();
        functions
    }
}

fn function(found: &FunctionName<EndianSlice<'_, NativeEndian>>) -> Option<Function> {
    let name = found.raw_name().ok()?;
    let has_modules = found.language.is_none_or(|language| matches!(language, gimli::DW_LANG_Rust) || is_cpp(language));
    Some(Function { name: demangled(&name), is_whole: is_mangled(&name) || !has_modules })
}

fn is_cpp(language: gimli::DwLang) -> bool {
    matches!(
        language,
        gimli::DW_LANG_C_plus_plus
            | gimli::DW_LANG_C_plus_plus_03
            | gimli::DW_LANG_C_plus_plus_11
            | gimli::DW_LANG_C_plus_plus_14
            | gimli::DW_LANG_C_plus_plus_17
            | gimli::DW_LANG_C_plus_plus_20
    )
}
