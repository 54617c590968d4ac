//! Debug information that distributions keep apart from the programs.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use flate2::Crc;
use object::Object;

use super::Image;

/// Where distributions put it.
const ROOT: &str = "/usr/lib/debug";

/// The file with the debug information of an image: by its build id, else by the link that was left in it
/// (GDB's manual, "Separate Debug Files").
pub(super) fn debug_file(image: &Image) -> Option<Image> {
    let object = image.object()?;
    let by_id = object.build_id().ok().flatten().and_then(|id| {
        let found = open(&by_build_id(id)?)?;
        (found.object()?.build_id().ok().flatten() == Some(id)).then_some(found)
    });
    by_id.or_else(|| {
        let (name, crc) = object.gnu_debuglink().ok().flatten()?;
        by_link(image.path(), OsStr::from_bytes(name)).iter().find_map(|path| {
            let found = open(path)?;
            (crc_of(found.data()) == crc).then_some(found)
        })
    })
}

fn open(path: &Path) -> Option<Image> {
    Image::open(&File::open(path).ok()?, path.to_owned()).ok()
}

/// `/usr/lib/debug/.build-id/ab/cdef.debug`
fn by_build_id(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    let mut path = format!("{ROOT}/.build-id/{first:02x}/");
    for byte in rest {
        write!(path, "{byte:02x}").ok()?;
    }
    Some(format!("{path}.debug").into())
}

/// Beside the program, in `.debug` there, and in the same folder below the root of debug information.
fn by_link(program: &Path, name: &OsStr) -> Vec<PathBuf> {
    let Some(folder) = program.parent() else { return Vec::new() };
    let below = folder.strip_prefix("/").unwrap_or(folder);
    let folders = [folder.to_owned(), folder.join(".debug"), Path::new(ROOT).join(below)];
    folders.into_iter().map(|folder| folder.join(name)).filter(|path| path != program).collect()
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_id_names_a_file() {
        let path = by_build_id(&[0xab, 0xcd, 0x0f]).unwrap();
        assert_eq!(path, Path::new("/usr/lib/debug/.build-id/ab/cd0f.debug"));
        assert_eq!(by_build_id(&[]), None);
    }

    #[test]
    fn a_link_is_followed_to_three_places_and_not_to_the_program_itself() {
        let places = by_link(Path::new("/opt/x/prog"), OsStr::new("prog.debug"));
        let expected = ["/opt/x/prog.debug", "/opt/x/.debug/prog.debug", "/usr/lib/debug/opt/x/prog.debug"];
        assert_eq!(places, expected.map(PathBuf::from));
        assert_eq!(by_link(Path::new("/opt/x/prog"), OsStr::new("prog")).len(), 2);
    }

    #[test]
    fn the_checksum_is_the_one_of_debug_links() {
        assert_eq!(crc_of(b"123456789"), 0xcbf4_3926);
    }
}
