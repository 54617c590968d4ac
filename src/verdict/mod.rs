//! Changes x gate to verdicts. Each rule is a small pure function; no text, no exit codes.

mod row;

pub use row::{Basis, Judgement, Limit, Relative, Row, Verdict};
