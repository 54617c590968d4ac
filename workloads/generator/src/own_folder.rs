//! The folder that belongs to the user alone, for databases and for work.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A folder below the one for temporary files that only this user can look into; made where there is none.
///
/// # Errors
/// Where it can't be made or is somebody else's.
pub(crate) fn own_folder() -> Result<PathBuf> {
    below(&std::env::temp_dir())
}

fn below(temporary: &Path) -> Result<PathBuf> {
    let user = fs::metadata("/proc/self").context("/proc/self, to know whose process this is")?.uid();
    let folder = temporary.join(format!("perfplan-generator-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("{}: the folder of this user", folder.display()));
        }
        _ => {}
    }
    // Of what stands there itself, not of what a link leads to.
    let found = fs::symlink_metadata(&folder).with_context(|| folder.display().to_string())?;
    ensure!(
        found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0,
        "{} is not a folder of this user's alone (owner {user}, mode 700): remove it, or set TMPDIR",
        folder.display()
    );
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_folder_is_the_users_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = below(temporary.path()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(below(temporary.path()).unwrap(), folder);
    }

    #[test]
    fn a_folder_that_others_may_look_into_or_a_link_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = below(temporary.path()).unwrap();
        let refused = || below(temporary.path()).unwrap_err().to_string().contains("set TMPDIR");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(refused());
        let elsewhere = temporary.path().join("elsewhere");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::rename(&folder, &elsewhere).unwrap();
        symlink(&elsewhere, &folder).unwrap();
        assert!(refused());
    }
}
