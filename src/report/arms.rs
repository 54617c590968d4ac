//! How arms are called: by what tells them apart, and no longer than that takes.

use std::collections::BTreeSet;

use crate::samples::{Arm, Shard};
use crate::units;

use super::text::clean;

/// Which parts of an arm's identity differ in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Naming {
    variants: bool,
    revisions: bool,
}

impl Naming {
    /// What tells these arms apart.
    pub(super) fn of<'a>(arms: impl Iterator<Item = &'a Arm>) -> Self {
        let (mut variants, mut revisions) = (BTreeSet::new(), BTreeSet::new());
        for arm in arms {
            variants.insert(&arm.variant);
            revisions.insert(&arm.revision);
        }
        Self { variants: variants.len() > 1, revisions: revisions.len() > 1 }
    }

    /// The arm's name among the others: `native`, `working tree`, `native, working tree`, `handicap +2 %`. An arm that nothing
    /// tells apart goes by its variant.
    pub(super) fn name(self, arm: &Arm) -> String {
        let mut parts = Vec::new();
        let handicapped = arm.handicap != 0.0;
        if self.variants || (!self.revisions && !handicapped) {
            parts.push(clean(arm.variant.as_str()));
        }
        if self.revisions {
            parts.push(revision(&arm.revision));
        }
        if handicapped {
            parts.push(format!("handicap {}", units::signed_percent(arm.handicap, 2)));
        }
        parts.join(", ")
    }

    /// The same in one part of a merged run: arms of two parts are two arms, on two machines.
    pub(super) fn name_in(self, part: Option<Shard>, arm: &Arm) -> String {
        let name = self.name(arm);
        part.map_or(name.clone(), |part| format!("{name}, shard {part}"))
    }
}

/// A commit's full id is shortened; other names stand as they are.
#[must_use]
pub fn revision(name: &str) -> String {
    let id = name.len() >= 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    clean(if id { &name[..10] } else { name })
}

/// The commit that a run was made at: its name, and ` with changes` where the working tree had some.
pub(super) fn commit(name: &str) -> (String, &'static str) {
    name.strip_suffix('+').map_or_else(|| (revision(name), ""), |id| (revision(id), " with changes"))
}

#[cfg(test)]
mod tests {
    use super::super::examples::arm;
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn names(arms: &[Arm]) -> Vec<String> {
        let naming = Naming::of(arms.iter());
        arms.iter().map(|arm| naming.name(arm)).collect()
    }

    #[test]
    fn variants_are_told_apart_by_variant_and_revisions_by_revision() {
        assert_eq!(names(&[arm("fat", "working tree"), arm("release", "working tree")]), ["fat", "release"]);
        assert_eq!(names(&[arm("fat", "working tree"), arm("fat", COMMIT)]), ["working tree", "0123456789"]);
        assert_eq!(names(&[arm("fat", "a"), arm("release", "b")]), ["fat, a", "release, b"]);
    }

    #[test]
    fn a_handicap_is_always_said() {
        let slowed = Arm { handicap: 0.005, ..arm("release", "working tree") };
        assert_eq!(names(&[slowed, arm("release", "working tree")]), ["handicap +0.50 %", "release"]);
    }
}
