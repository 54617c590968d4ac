//! What is measured.

use std::time::Duration;

/// A program that is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name, the first part of its cases' names.
    pub name: String,
    /// When it does not answer for this long, it is hung. `None`: as long as [`Measure::timeout`](super::Measure::timeout).
    pub timeout: Option<Duration>,
    /// Where it comes from.
    pub source: WorkloadSource,
}

impl Workload {
    /// The only or default program of a package, called like the package.
    #[must_use]
    pub fn package(package: &str) -> Self {
        let source = WorkloadSource::Package { package: package.to_owned(), bin: None, features: Vec::new() };
        Self { name: package.to_owned(), timeout: None, source }
    }
}

/// Where a program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadSource {
    /// A package of the workspace whose program links the harness.
    Package {
        /// The package's name.
        package: String,
        /// The program's name; `None` for the package's only or default program.
        bin: Option<String>,
        /// Features that it is always built with.
        features: Vec<String>,
    },
    /// Any program: one execution per arm and round.
    Command {
        /// The program and its arguments; never empty.
        argv: Vec<String>,
    },
}
