//! Reads what a measure is compared with.

use std::ops::Range;

use super::grammar::unfit;
use super::lexer::{Lexer, Sign, Token};
use super::quantity::{Kind, decimal, plausible, tidy};
use super::{Bound, Measure};
use crate::plan::fault::{Fault, Refusal};

/// An amount as it was written. At the lower end of a range it can be known only later whether it is one of the case before.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub(super) span: Range<usize>,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// `0.70x before`, `70% of before`, `before`, `before - 30%`.
    Before(f64),
    /// `0.70x`, and no `before`.
    Factor(f64),
    /// `70%`, and no `before`.
    Percent(f64),
    /// Anything else that begins with a number.
    Quantity,
}

const BEFORE: Token<'static> = Token::Word("before");

/// Takes an amount.
pub(super) fn amount(lexer: &mut Lexer<'_>, measure: &Measure) -> Result<Amount, Fault> {
    let first = lexer.next();
    let start = first.span.start;
    let form = match first.token {
        BEFORE => Form::Before(changed(lexer)?),
        Token::Number(number) => numbered(number, &first.span, lexer)?,
        _ => {
            let expected = format!("a number such as {:?}, or \"before\"", example(measure));
            return Err(unfit(lexer, &first, &expected, &["before"]));
        }
    };
    Ok(Amount { span: start..lexer.behind(), form })
}

/// Takes a percentage behind `before`, if there is one.
fn changed(lexer: &mut Lexer<'_>) -> Result<f64, Fault> {
    let direction = match lexer.peek().token {
        Token::Sign(Sign::Plus) => 1.0,
        Token::Sign(Sign::Minus) => -1.0,
        _ => return Ok(1.0),
    };
    lexer.next();
    let (part, span) = percent(lexer)?;
    let factor = tidy(1.0 + direction * part);
    placed(&span, plausible(factor))?;
    match factor > 0.0 {
        true => Ok(factor),
        false => Err(Fault::new(span, "nothing would be left of it", "write less than 100%")),
    }
}

/// Takes what stands behind a number that is already taken.
fn numbered(number: &str, place: &Range<usize>, lexer: &mut Lexer<'_>) -> Result<Form, Fault> {
    if lexer.takes(Token::Word("x")) {
        let factor = positive(number, 0, place)?;
        return Ok(if lexer.takes(BEFORE) { Form::Before(factor) } else { Form::Factor(factor) });
    }
    if lexer.takes(Token::Sign(Sign::Percent)) {
        if !lexer.takes(Token::Word("of")) {
            return Ok(Form::Percent(placed(place, decimal(number, -2))?));
        }
        let factor = positive(number, -2, place)?;
        let next = lexer.next();
        return match next.token {
            BEFORE => Ok(Form::Before(factor)),
            _ => Err(unfit(lexer, &next, r#""before""#, &["before"])),
        };
    }
    loop {
        if matches!(lexer.peek().token, Token::Word(unit) if unit != "before") {
            lexer.next();
        }
        if lexer.takes(Token::Sign(Sign::Slash)) && matches!(lexer.peek().token, Token::Word(_)) {
            lexer.next();
        }
        if !matches!(lexer.peek().token, Token::Number(_)) {
            return Ok(Form::Quantity);
        }
        lexer.next();
    }
}

fn positive(number: &str, exponent: i32, place: &Range<usize>) -> Result<f64, Fault> {
    let factor = placed(place, decimal(number, exponent).and_then(plausible))?;
    match factor > 0.0 {
        true => Ok(factor),
        false => Err(Fault::new(place.clone(), "nothing is zero times another", "write == 0, or more than 0x")),
    }
}

/// Takes a percentage.
pub(super) fn percent(lexer: &mut Lexer<'_>) -> Result<(f64, Range<usize>), Fault> {
    const EXPECTED: &str = r#"a percentage such as "1%""#;
    let first = lexer.next();
    let Token::Number(number) = first.token else { return Err(unfit(lexer, &first, EXPECTED, &[])) };
    let sign = lexer.next();
    if sign.token != Token::Sign(Sign::Percent) {
        return Err(unfit(lexer, &sign, "%", &[]));
    }
    let part = placed(&first.span, decimal(number, -2).and_then(plausible))?;
    Ok((part, first.span.start..sign.span.end))
}

impl Amount {
    /// What it comes to as the only bound, or as the upper one.
    pub(super) fn bound(&self, lexer: &Lexer<'_>, measure: &Measure) -> Result<Bound, Fault> {
        match self.form {
            Form::Before(factor) => Ok(Bound::Before(factor)),
            Form::Factor(_) => {
                let text = lexer.slice(self.span.clone());
                let help = format!("write {:?}", format!("{text} before"));
                Err(Fault::new(self.span.clone(), format!("{text:?} of what?"), help))
            }
            Form::Percent(_) | Form::Quantity => self.quantity(lexer, measure),
        }
    }

    /// What it comes to as the lower bound under `high`.
    pub(super) fn under(&self, high: Bound, lexer: &Lexer<'_>, measure: &Measure) -> Result<Bound, Fault> {
        match (self.form, high) {
            (Form::Factor(factor), Bound::Before(_)) => Ok(Bound::Before(factor)),
            (Form::Percent(part), Bound::Before(_)) => match part > 0.0 {
                true => Ok(Bound::Before(placed(&self.span, plausible(part))?)),
                false => Err(Fault::new(self.span.clone(), "this is nothing of it", "write more than 0%, or < alone")),
            },
            _ => self.bound(lexer, measure),
        }
    }

    fn quantity(&self, lexer: &Lexer<'_>, measure: &Measure) -> Result<Bound, Fault> {
        let text = lexer.slice(self.span.clone());
        let kind = measure.kind();
        if matches!(self.form, Form::Percent(_)) && !matches!(kind, Kind::Share | Kind::Seconds | Kind::Any) {
            let help = format!("write {:?}", format!("{text} of before"));
            return Err(Fault::new(self.span.clone(), format!("{text:?} of what?"), help));
        }
        placed(&self.span, kind.read(text)).map(Bound::Absolute)
    }
}

/// A value that is refused, at its place.
pub(super) fn placed<T>(place: &Range<usize>, value: Result<T, Refusal>) -> Result<T, Fault> {
    value.map_err(|refusal| Fault::new(place.clone(), refusal.problem, refusal.help))
}

/// A number with the unit of a measure.
pub(super) fn example(measure: &Measure) -> &'static str {
    match measure.kind() {
        Kind::Time => "2ms",
        Kind::Bytes => "64KiB",
        Kind::Rate => "100k/s",
        Kind::Share => "1%",
        Kind::Count | Kind::Seconds | Kind::Any => "12",
    }
}
