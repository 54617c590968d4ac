//! An edit as a unified diff.

use similar::TextDiff;

use super::Edit;

/// A unified diff that `git apply` and `patch -p1` take in the workspace's root; empty where nothing changes.
#[must_use]
pub fn diff(edit: &Edit) -> String {
    // A name with blanks ends at a tab; without one, both tools read it only up to the blank.
    let end = if edit.path.contains(char::is_whitespace) { "\t" } else { "" };
    let named = |side: &str| format!("{side}/{}{end}", edit.path);
    let before = edit.old.as_ref().map_or_else(|| "/dev/null".to_owned(), |_| named("a"));
    let old = edit.old.as_deref().unwrap_or("");
    TextDiff::from_lines(old, &edit.new).unified_diff().header(&before, &named("b")).to_string()
}
