//! Reads a claim: by recursive descent, from left to right, each part once.

use super::amount::{amount, example, percent, placed};
use super::lexer::{Lexeme, Lexer, Sign, Token};
use super::quantity::{Kind, computed};
use super::subject::measure;
use super::{Bound, Claim, Measure, Relation};
use crate::plan::fault::Fault;
use crate::plan::nearest::nearest;

/// The longest claim, in bytes.
const LONGEST: usize = 1_000;

/// Reads a claim. The fault's place is in bytes of `text`.
pub(in crate::plan) fn read(text: &str) -> Result<Claim, Fault> {
    if text.len() > LONGEST {
        let problem = format!("a claim has at most {LONGEST} bytes, this one has {}", text.len());
        return Err(Fault::new(LONGEST..text.len(), problem, "make several claims of it"));
    }
    let mut lexer = Lexer::new(text);
    let measure = measure(&mut lexer)?;
    let sign = lexer.peek();
    let relation = relation(&mut lexer, &measure)?;
    let behind = sign.span.start..lexer.behind();
    let rest = lexer.next();
    if rest.token != Token::End {
        return Err(unfit(&lexer, &rest, "the end of the claim: make a claim of its own of what follows", &[]));
    }
    match relation {
        Relation::Below { bound: Bound::Absolute(0.0), strict: true } => {
            Err(Fault::new(behind, "nothing that is measured is below zero", "write == 0"))
        }
        Relation::Above { bound: Bound::Absolute(0.0), strict: false } => {
            Err(Fault::new(behind, "this is so whatever is measured", "write > 0"))
        }
        relation => Ok(Claim { measure, relation }),
    }
}

fn relation(lexer: &mut Lexer<'_>, measure: &Measure) -> Result<Relation, Fault> {
    let sign = lexer.next();
    let whole = matches!(measure, Measure::Checksum | Measure::Distribution(_));
    match sign.token {
        Token::Sign(Sign::Equal) if whole => same(lexer, measure),
        Token::Sign(Sign::Equal) => equal(lexer, measure, &sign),
        Token::Sign(Sign::Less | Sign::LessEqual | Sign::Greater | Sign::GreaterEqual) | Token::Word("in") if whole => {
            let help = format!("write {measure} == before");
            Err(Fault::new(sign.span, format!("{measure} is the same or it is not: it has no size"), help))
        }
        Token::Sign(Sign::Less) => Ok(Relation::Below { bound: only(lexer, measure)?, strict: true }),
        Token::Sign(Sign::LessEqual) => Ok(Relation::Below { bound: only(lexer, measure)?, strict: false }),
        Token::Sign(Sign::Greater) => Ok(Relation::Above { bound: only(lexer, measure)?, strict: true }),
        Token::Sign(Sign::GreaterEqual) => Ok(Relation::Above { bound: only(lexer, measure)?, strict: false }),
        Token::Word("in") => range(lexer, measure),
        _ => Err(unfit(lexer, &sign, "<, <=, >, >=, == or in", &["in"])),
    }
}

fn only(lexer: &mut Lexer<'_>, measure: &Measure) -> Result<Bound, Fault> {
    amount(lexer, measure)?.bound(lexer, measure)
}

fn range(lexer: &mut Lexer<'_>, measure: &Measure) -> Result<Relation, Fault> {
    let lower = amount(lexer, measure)?;
    let dots = lexer.next();
    if dots.token != Token::Sign(Sign::Range) {
        return Err(unfit(lexer, &dots, &format!(".. and the upper end, such as {:?}", example(measure)), &[]));
    }
    let upper = amount(lexer, measure)?;
    let high = upper.bound(lexer, measure)?;
    let low = lower.under(high, lexer, measure)?;
    let whole = lower.span.start..upper.span.end;
    match (low, high) {
        (Bound::Absolute(least), Bound::Absolute(most)) | (Bound::Before(least), Bound::Before(most)) => {
            if least > most {
                return Err(Fault::new(whole, "nothing is in this range", "write the smaller end first"));
            }
            if least == most {
                return Err(Fault::new(whole, "this range is a single value", "write == and that value"));
            }
            Ok(Relation::Within { low, high })
        }
        _ => Err(Fault::new(whole, "one end is a number, the other one a part of before", "write two of one kind")),
    }
}

/// What may stand behind `==` for checksums and distributions.
fn same(lexer: &mut Lexer<'_>, measure: &Measure) -> Result<Relation, Fault> {
    let word = lexer.next();
    if word.token != Token::Word("before") {
        return Err(unfit(lexer, &word, r#""before""#, &["before"]));
    }
    let sign = lexer.peek();
    let tolerance = tolerance(lexer)?;
    match measure {
        Measure::Checksum if tolerance.is_some() => {
            Err(Fault::new(sign.span, "a checksum is the same or it is not", "leave the tolerance out"))
        }
        _ => Ok(Relation::Same { tolerance }),
    }
}

fn equal(lexer: &mut Lexer<'_>, measure: &Measure, sign: &Lexeme<'_>) -> Result<Relation, Fault> {
    let amount = amount(lexer, measure)?;
    let bound = amount.bound(lexer, measure)?;
    let written = amount.span;
    let Some(tolerance) = tolerance(lexer)? else {
        if !measure.is_exact() && !matches!(bound, Bound::Absolute(0.0)) {
            let text = lexer.slice(written);
            let problem = format!("two measurements of {measure} are never equal to the last digit");
            return Err(Fault::new(sign.span.clone(), problem, format!("say how near is enough: == {text} +- 1%")));
        }
        return Ok(match bound {
            Bound::Before(1.0) => Relation::Same { tolerance: None },
            bound => Relation::Within { low: bound, high: bound },
        });
    };
    if bound == Bound::Before(1.0) {
        return Ok(Relation::Same { tolerance: Some(tolerance) });
    }
    let around = |factor: f64| match bound {
        Bound::Absolute(value) => computed(measure.kind(), value * factor).map(Bound::Absolute),
        Bound::Before(part) => computed(Kind::Any, part * factor).map(Bound::Before),
    };
    let end = |factor: f64| placed(&written, around(factor));
    Ok(Relation::Within { low: end(1.0 - tolerance)?, high: end(1.0 + tolerance)? })
}

/// Takes a tolerance, if there is one: more than nothing, less than everything.
fn tolerance(lexer: &mut Lexer<'_>) -> Result<Option<f64>, Fault> {
    if !lexer.takes(Token::Sign(Sign::PlusMinus)) {
        return Ok(None);
    }
    match percent(lexer)? {
        (part, _) if part > 0.0 && part < 1.0 => Ok(Some(part)),
        (_, span) => Err(Fault::new(span, "this can't be a tolerance", r#"write more than "0%" and less than "100%""#)),
    }
}

/// What is said of a part that can't stand where it does.
pub(super) fn unfit(lexer: &Lexer<'_>, found: &Lexeme<'_>, expected: &str, known: &[&str]) -> Fault {
    let text = lexer.slice(found.span.clone());
    let near = match found.token {
        Token::Word(word) => nearest(word, known.iter().copied()).first().copied(),
        _ => None,
    };
    let (problem, help) = match (found.token, near) {
        (Token::End, _) => ("the claim ends too early".to_owned(), format!("expected {expected}")),
        (Token::Slip(help), _) => (format!("{text:?} can't stand in a claim"), help.to_owned()),
        (_, Some(near)) => (format!("{text:?} does not fit here"), format!("did you mean {near:?}?")),
        _ => (format!("{text:?} does not fit here"), format!("expected {expected}")),
    };
    Fault::new(found.span.clone(), problem, help)
}
