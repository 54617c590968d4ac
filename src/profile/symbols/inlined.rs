//! Whether a program tells of the functions that were inlined into others.

use std::fs;
use std::path::Path;

use object::{Object, ObjectSection};

/// Whether a program has debug information: without it, nobody knows what was inlined, and a function that was looks gone. What
/// lies in a file beside the program is not looked for. A file that can't be read has none.
#[must_use]
pub fn tells_inlined(program: &Path) -> bool {
    let Ok(data) = fs::read(program) else { return false };
    let has = |file: &object::File<'_>| {
        file.sections().any(|section| section.name().is_ok_and(|name| name == ".debug_info") && section.size() > 0)
    };
    object::File::parse(&*data).is_ok_and(|file| has(&file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_tells_nothing() {
        assert!(!tells_inlined(Path::new("/etc/passwd")));
        assert!(!tells_inlined(Path::new("/no/such/file")));
        assert!(tells_inlined(&std::env::current_exe().unwrap()), "tests are built with debug information");
    }
}
