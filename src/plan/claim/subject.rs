//! Reads what a claim is about.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use super::grammar::unfit;
use super::lexer::{Lexeme, Lexer, Sign, Token};
use super::vocabulary::{self, CHECKSUM, DISTRIBUTION, HOTPATH, KEYWORDS, SYSCALLS};
use super::{Measure, ProfileKind};
use crate::plan::fault::{Fault, Refusal};
use crate::samples::Metric;

/// The most patterns in one pair of parentheses.
const MOST_PATTERNS: usize = 20;

const A_MEASURE: &str = r#"what is measured first, such as "wall <= 0.70x before""#;

/// Takes the measure at the start of a claim.
pub(super) fn measure(lexer: &mut Lexer<'_>) -> Result<Measure, Fault> {
    let first = lexer.next();
    let Token::Word(word) = first.token else { return Err(unfit(lexer, &first, A_MEASURE, &[])) };
    if KEYWORDS.contains(&word) {
        let problem = format!("{word:?} is no metric");
        return Err(Fault::new(first.span, problem, format!("write {A_MEASURE}")));
    }
    let open = lexer.peek();
    let measure = match open.token {
        Token::Sign(Sign::Open) => call(word, &first, lexer)?,
        _ => alone(word).map_err(|refusal| Fault::new(first.span.clone(), refusal.problem, refusal.help))?,
    };
    let key = measure.metric();
    match key.parse::<Metric>() {
        Ok(_) => Ok(measure),
        Err(problem) => Err(Fault::new(first.span, problem, "write shorter patterns, or make several claims of it")),
    }
}

fn alone(word: &str) -> Result<Measure, Refusal> {
    match word {
        CHECKSUM => Ok(Measure::Checksum),
        SYSCALLS => Ok(Measure::Syscalls(Vec::new())),
        metric => vocabulary::plain(metric).map(Measure::Metric),
    }
}

/// Takes what stands in parentheses behind a word.
fn call(word: &str, place: &Lexeme<'_>, lexer: &mut Lexer<'_>) -> Result<Measure, Fault> {
    let kind = ProfileKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    match (word, kind) {
        (SYSCALLS, _) => patterns(word, lexer).map(Measure::Syscalls),
        (_, Some(kind)) => patterns(word, lexer).map(|functions| Measure::Profile { kind, functions }),
        (DISTRIBUTION, _) => {
            let (name, span) = single(word, lexer)?;
            match name.parse::<Metric>() {
                Ok(_) => Ok(Measure::Distribution(name.to_owned())),
                Err(problem) => Err(Fault::new(span, problem, format!("write {}", vocabulary::example(word)))),
            }
        }
        (word, _) if word.len() > HOTPATH.len() && word.starts_with(HOTPATH) => {
            let (name, span) = single(word, lexer)?;
            let help = format!("write {}", vocabulary::example(word));
            format!("{word}({name})")
                .parse()
                .map(Measure::Metric)
                .map_err(|problem: String| Fault::new(span, problem, help))
        }
        _ => {
            let Refusal { problem, help } = vocabulary::no_call(word);
            Err(Fault::new(place.span.clone(), problem, help))
        }
    }
}

/// Takes several patterns, none of them twice.
fn patterns<P>(word: &str, lexer: &mut Lexer<'_>) -> Result<Vec<P>, Fault>
where
    P: FromStr<Err = String> + PartialEq + Display,
{
    let mut patterns: Vec<P> = Vec::new();
    for (text, span) in arguments(word, lexer)? {
        let refused = |problem| Fault::new(span.clone(), problem, format!("write {}", vocabulary::example(word)));
        let pattern: P = text.parse().map_err(refused)?;
        if patterns.contains(&pattern) {
            return Err(Fault::new(span, format!("\"{pattern}\" stands twice"), "remove one of them"));
        }
        patterns.push(pattern);
    }
    Ok(patterns)
}

/// Takes one name.
fn single<'t>(word: &str, lexer: &mut Lexer<'t>) -> Result<(&'t str, Range<usize>), Fault> {
    let mut all = arguments(word, lexer)?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some((_, span)), false) => Err(Fault::new(span, format!("{word:?} is of one thing"), "make two claims of it")),
        (None, _) => Err(Fault::new(lexer.peek().span, format!("{word:?} of what?"), vocabulary::example(word))),
    }
}

/// Takes the parentheses and what stands between them: at least one part, none of them empty.
fn arguments<'t>(word: &str, lexer: &mut Lexer<'t>) -> Result<Vec<(&'t str, Range<usize>)>, Fault> {
    let open = lexer.next();
    let mut arguments = Vec::new();
    loop {
        let (text, span) = lexer.argument();
        let end = lexer.next();
        if end.token == Token::End {
            return Err(Fault::new(open.span, "this parenthesis is not closed", "add )"));
        }
        if end.token == Token::Sign(Sign::Open) {
            let help = r#"write names without their arguments; a * stands for any text"#;
            return Err(Fault::new(end.span, "a parenthesis in parentheses", help));
        }
        if text.is_empty() {
            let help = format!("write {}", vocabulary::example(word));
            return Err(Fault::new(end.span, format!("{word:?} of what?"), help));
        }
        if arguments.len() == MOST_PATTERNS {
            return Err(Fault::new(span, format!("more than {MOST_PATTERNS} patterns"), "make several claims of it"));
        }
        arguments.push((text, span));
        if end.token == Token::Sign(Sign::Close) {
            return Ok(arguments);
        }
    }
}
