//! Where the plan's file is, and reading it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{Plan, PlanError};

/// The places of the file in a workspace, the first that exists is taken.
pub const PLACES: [&str; 2] = ["perfplan.toml", ".config/perfplan.toml"];

/// The plan's file of the workspace at `root`, if there is one.
#[must_use]
pub fn find(root: &Path) -> Option<PathBuf> {
    // A dangling link counts as a file: better an error than a plan that silently does not apply.
    PLACES.iter().map(|place| root.join(place)).find(|path| path.symlink_metadata().is_ok())
}

/// The plan of the workspace at `root`: of the file `explicit`, else of the file that [`find`] finds, else the defaults.
///
/// # Errors
/// Where the file can't be read, or says what no plan can say.
pub fn load(root: &Path, explicit: Option<&Path>) -> Result<Plan, PlanError> {
    let Some(path) = explicit.map(Path::to_owned).or_else(|| find(root)) else {
        return Ok(Plan { path: None, ..Plan::parse("", Path::new("default.toml"))? });
    };
    let text = fs::read(&path).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    let text = text.map_err(|error| PlanError::unreadable(&path, &error))?;
    Plan::parse(&text, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_explicit_file_wins_then_the_root_then_the_folder_config_then_the_defaults() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let write = |name: &str, layouts: u32| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("[measure]\nlayouts = {layouts}")).unwrap();
            path
        };
        let loaded = |explicit: Option<&Path>| {
            let plan = load(root, explicit).unwrap();
            (plan.path, plan.measure.layouts)
        };
        assert_eq!(loaded(None), (None, 640));
        let hidden = write(".config/perfplan.toml", 1);
        assert_eq!(loaded(None), (Some(hidden), 1));
        let plain = write("perfplan.toml", 2);
        assert_eq!(loaded(None), (Some(plain), 2));
        let other = write("other.toml", 3);
        assert_eq!(loaded(Some(&other)), (Some(other.clone()), 3));
    }

    #[test]
    fn a_file_that_can_not_be_read_is_an_error_and_never_the_defaults() {
        let root = tempfile::tempdir().unwrap();
        let missing = root.path().join("missing.toml");
        let error = load(root.path(), Some(&missing)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: can't be read: ", missing.display())), "{error}");

        fs::write(root.path().join("perfplan.toml"), b"# caf\xe9 ").unwrap();
        let error = load(root.path(), None).unwrap_err().to_string();
        assert!(error.contains("invalid utf-8 sequence of 1 bytes from index 5"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_an_error_too() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("perfplan.toml")).unwrap();
        assert!(load(root.path(), None).is_err());
    }
}
