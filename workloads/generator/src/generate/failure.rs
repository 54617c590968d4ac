//! A shard that could not be completed.

use std::fmt;

use anyhow::Error;

use crate::writer::{Toll, WriteError};

/// Why the generating of a shard ended, and what that costs. Records that had not been generated yet are counted nowhere.
#[derive(Debug)]
pub(super) struct Failure {
    shard: u32,
    cause: String,
    /// `None` where nobody is left to ask.
    pub(super) toll: Option<Toll>,
}

impl Failure {
    /// The end of `shard` by `cause`; `toll` counts where the cause does not say so itself.
    pub(super) fn new(shard: u32, cause: Error, toll: Option<Toll>) -> Self {
        match cause.downcast::<WriteError>() {
            Ok(error) => error.into(),
            Err(other) => Self { shard, cause: format!("{other:#}"), toll },
        }
    }
}

impl From<WriteError> for Failure {
    fn from(WriteError { shard, file, safe, lost, cause }: WriteError) -> Self {
        Self { shard, cause: format!("{}: {cause}", file.display()), toll: Some(Toll { safe, lost }) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, cause, toll } = self;
        match toll {
            Some(Toll { safe, lost }) => {
                write!(f, "shard {shard}: {cause}; {safe} records are safe, {lost} are lost at most")
            }
            None => write!(f, "shard {shard}: {cause}; its complete files are safe, the rest is lost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_failure_says_what_is_safe_as_far_as_that_is_known() {
        let says = |toll| Failure::new(3, anyhow!("why"), toll).to_string();
        assert_eq!(says(Some(Toll { safe: 1, lost: 2 })), "shard 3: why; 1 records are safe, 2 are lost at most");
        assert_eq!(says(None), "shard 3: why; its complete files are safe, the rest is lost");
    }

    #[test]
    fn the_writers_own_counts_come_before_others() {
        let cause = std::io::Error::other("full");
        let error = WriteError { shard: 3, file: "f".into(), safe: 1, lost: 2, cause };
        let failure = Failure::new(9, error.into(), Some(Toll { safe: 7, lost: 8 }));
        assert_eq!(failure.to_string(), "shard 3: f: full; 1 records are safe, 2 are lost at most");
    }
}
