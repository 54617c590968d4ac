//! Names, checked at construction: they come from files and go into files, links and pages.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest name that is accepted, in bytes.
const LONGEST: usize = 200;

/// Letters, digits and `_ - . / + =`, neither empty nor overlong, and nothing that climbs out of a folder.
fn checked(what: &str, name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+=".contains(c);
    if name.is_empty() || name.len() > LONGEST {
        return Err(format!("a {what} has 1 to {LONGEST} characters: {name:?}"));
    }
    if let Some(odd) = name.chars().find(|c| !plain(*c)) {
        return Err(format!("a {what} is made of letters, digits and _-./+=, not {odd:?}: {name:?}"));
    }
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Err(format!("no part of a {what} is empty or begins with a dot: {name:?}"));
    }
    Ok(())
}

/// One named piece of work in a workload: `generator::redb/cached`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct CaseId {
    workload: String,
    case: String,
}

impl CaseId {
    /// The case `case` of the workload `workload`.
    ///
    /// # Errors
    /// Where a part has characters that don't belong into a name.
    pub fn new(workload: &str, case: &str) -> Result<Self, String> {
        checked("workload", workload)?;
        checked("case", case)?;
        Ok(Self { workload: workload.to_owned(), case: case.to_owned() })
    }

    /// The workload's name.
    #[must_use]
    pub fn workload(&self) -> &str {
        &self.workload
    }

    /// The case's name inside the workload.
    #[must_use]
    pub fn case(&self) -> &str {
        &self.case
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.workload, self.case)
    }
}

impl FromStr for CaseId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (workload, case) =
            text.split_once("::").ok_or_else(|| format!("a case is WORKLOAD::CASE, not {text:?}"))?;
        Self::new(workload, case)
    }
}

impl TryFrom<String> for CaseId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.to_string()
    }
}

macro_rules! plain_name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                checked($what, text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

plain_name!(
    /// The name of one way to build.
    VariantName,
    "variant"
);

plain_name!(
    /// The name of a run: its time and a few random letters, so that runs sort by age.
    RunId,
    "run id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read_as_it_is_written() {
        let id: CaseId = "generator::redb/cached".parse().unwrap();
        assert_eq!((id.workload(), id.case()), ("generator", "redb/cached"));
        assert_eq!(id.to_string(), "generator::redb/cached");
    }

    #[test]
    fn names_that_climb_inject_or_hide_are_refused() {
        for hostile in
            ["", "../x", "a/../b", "a//b", "/etc", ".hidden", "a b", "a\nb", "<b>", "@team", "a|b", "x\u{202e}"]
        {
            assert!(hostile.parse::<VariantName>().is_err(), "{hostile:?} was accepted");
            assert!(CaseId::new("w", hostile).is_err(), "{hostile:?} was accepted");
        }
        assert!("x".repeat(201).parse::<RunId>().is_err());
        assert!(serde_json::from_str::<VariantName>("\"a b\"").is_err());
    }
}
