//! The language of claims: the sentences of a plan that a run confirms, refutes or leaves undecided.
//!
//! A claim says what is measured of a case, and how that has to stand to the case before it or to a number:
//!
//! ```text
//! claim     = "checksum" "==" "before"
//!           | "distribution" "(" NAME ")" "==" "before" [ "+-" percent ]
//!           | measure relation ;
//! measure   = METRIC
//!           | "syscalls" [ "(" NAMES { "," NAMES } ")" ]
//!           | ( "profile.share" | "profile.self" | "profile.cpu" ) "(" FUNCTIONS { "," FUNCTIONS } ")"
//!           | "hotpath." WORD "(" TEXT ")" ;
//! relation  = ( "<" | "<=" | ">" | ">=" ) bound
//!           | "in" end ".." bound
//!           | "==" bound [ "+-" percent ] ;
//! bound     = [ NUMBER "x" | percent "of" ] "before"
//!           | "before" ( "-" | "+" ) percent
//!           | quantity ;
//! end       = bound | NUMBER "x" | percent ;
//! percent   = NUMBER "%" ;
//! quantity  = percent | DURATION | SIZE | NUMBER [ "k" | "M" | "G" | "T" ] [ "/s" ] ;
//! ```
//!
//! White space between these parts is free. `docs/claims.md` has the meaning of each, and examples.
//!
//! ```
//! use perfplan::plan::claim::{Bound, Claim, Relation};
//!
//! let claim: Claim = "wall <= before - 30%".parse().unwrap();
//! assert_eq!(claim.relation, Relation::Below { bound: Bound::Before(0.7), strict: false });
//! assert_eq!(claim.to_string(), "wall <= 0.7x before");
//! ```

mod amount;
mod grammar;
mod lexer;
mod measure;
mod quantity;
mod subject;
mod types;
mod vocabulary;

#[cfg(test)]
mod tests;

pub(super) use grammar::read;
pub use types::{Bound, Claim, DEFAULT_DISTANCE, Measure, Need, ProfileKind, Relation};
