//! What was measured for a claim, and why it is not confirmed, in words.

use crate::report::numbers::{self, NONE};
use crate::report::palette::Paint;
use crate::report::text::{clean, shortened};
use crate::samples::Metric;
use crate::units;
use crate::verdict::{ClaimOutcome, Holds, Measured, Scale, Why};

/// The longest reason that is given in a line; failures are shown in full elsewhere.
const LONGEST_REASON: usize = 300;

/// One character that tells the outcome without colour.
pub(in crate::report) fn mark(holds: Holds) -> char {
    match holds {
        Holds::Confirmed => '✓',
        Holds::Undecided => '?',
        Holds::Refuted => '✗',
    }
}

/// The outcome's own word.
pub(in crate::report) fn word(holds: Holds) -> &'static str {
    match holds {
        Holds::Confirmed => "confirmed",
        Holds::Undecided => "undecided",
        Holds::Refuted => "refuted",
    }
}

/// The outcome's colour.
pub(in crate::report) fn paint(holds: Holds) -> Paint {
    match holds {
        Holds::Confirmed => Paint::Green,
        Holds::Undecided => Paint::Yellow,
        Holds::Refuted => Paint::Red,
    }
}

/// How the numbers of a claim are written.
enum Ruler {
    /// A factor, with so many decimals.
    Factor(usize),
    /// A percentage, with so many decimals.
    Percent(usize),
    /// A value of a metric; `None` where its name is not one.
    Value(Option<Metric>),
}

impl Ruler {
    fn of(claim: &ClaimOutcome, measured: Measured) -> Self {
        let width = measured.high - measured.low;
        match claim.scale {
            Scale::Ratio => Self::Factor(decimals(width)),
            Scale::Distance => Self::Percent(decimals(100.0 * width).min(2)),
            Scale::Value | Scale::Equality => Self::Value(claim.metric.parse().ok()),
        }
    }

    fn number(&self, number: f64) -> String {
        match self {
            _ if number.is_nan() => NONE.to_owned(),
            _ if number.is_infinite() => if number > 0.0 { "∞" } else { "-∞" }.to_owned(),
            Self::Factor(decimals) => format!("{number:.decimals$}x"),
            Self::Percent(decimals) => units::percent(number, *decimals),
            Self::Value(Some(metric)) => numbers::value(metric, number),
            Self::Value(None) => units::count(number),
        }
    }

    /// A difference that is not zero never reads like zero.
    fn distance(&self, distance: f64) -> String {
        const MOST: usize = 6;
        let told = |from: usize, scaled: f64| {
            (from..MOST).find(|decimals| scaled * 10_f64.powi(*decimals as i32) >= 0.5).unwrap_or(MOST)
        };
        match self {
            Self::Factor(decimals) => Self::Factor(told(*decimals, distance)).number(distance),
            Self::Percent(decimals) => Self::Percent(told(*decimals, 100.0 * distance)).number(distance),
            Self::Value(_) => self.number(distance),
        }
    }
}

/// So many decimals that an interval of this width can be seen to be one. What is known exactly has no width.
fn decimals(width: f64) -> usize {
    match width {
        0.0 => 3,
        width if width < 0.002 => 4,
        width if width < 0.0195 => 3,
        _ => 2,
    }
}

/// What was measured: `0.71x (0.70 … 0.72)`; empty where nothing was.
pub(super) fn measured(claim: &ClaimOutcome) -> String {
    let Some(measured) = claim.measured else {
        let same = claim.scale == Scale::Equality && claim.holds == Holds::Confirmed;
        return if same { "the results are the same" } else { "" }.to_owned();
    };
    let ruler = Ruler::of(claim, measured);
    let estimate = ruler.number(measured.estimate);
    if measured.low == measured.high {
        return estimate;
    }
    let (low, high) = numbers::ends(ruler.number(measured.low), ruler.number(measured.high));
    let low = low.strip_suffix('x').map_or(low.clone(), str::to_owned);
    let high = high.strip_suffix('x').map_or(high.clone(), str::to_owned);
    format!("{estimate} ({low} … {high})")
}

/// The estimate alone: `0.71x`; empty where nothing was measured.
pub(in crate::report) fn estimate(claim: &ClaimOutcome) -> String {
    claim.measured.map_or_else(String::new, |measured| Ruler::of(claim, measured).number(measured.estimate))
}

/// Why a claim is not confirmed; empty where it is.
pub(in crate::report) fn reason(claim: &ClaimOutcome) -> String {
    let short = |text: &str| shortened(&clean(text), LONGEST_REASON);
    match &claim.why {
        Why::Holds => String::new(),
        Why::Beyond(by) => format!("misses the bound by {}", missed(claim, by.abs())),
        Why::MoreRounds(rounds) => more(claim, *rounds),
        Why::TooClose => "too close to the bound to tell".to_owned(),
        Why::Absent(why) if why.trim().is_empty() => "not measured yet".to_owned(),
        Why::Absent(why) => format!("not measured: {}", short(why)),
        Why::Unreadable(error) => format!("can't be read: {}", short(error.lines().next().unwrap_or_default())),
        Why::Different => "the results differ".to_owned(),
        Why::NothingBefore => "there was none before".to_owned(),
    }
}

fn missed(claim: &ClaimOutcome, by: f64) -> String {
    claim.measured.map_or_else(|| NONE.to_owned(), |measured| Ruler::of(claim, measured).distance(by))
}

/// Distances rest on values, all else on rounds.
fn more(claim: &ClaimOutcome, needed: usize) -> String {
    let noun = if claim.scale == Scale::Distance { "values" } else { "rounds" };
    match claim.measured.map(|measured| measured.rounds) {
        Some(so_far) if needed > so_far => format!("about {needed} {noun} would decide, {so_far} so far"),
        Some(_) => format!("a few more {noun} would decide"),
        None => format!("about {needed} {noun} would decide"),
    }
}
