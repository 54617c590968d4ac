//! The largest changes as a picture that GitHub draws itself, by mermaid.
//!
//! Its bars begin at the left end of the axis, not at zero, so changes of both signs in one chart would lie. The rows of one
//! verdict have one sign each way: their bars are sizes, from zero to the near end of the interval (dark) and on to its far end
//! (light).

use crate::report::line::{Group, Line, Standing};
use crate::report::numbers::counted;
use crate::report::text::shortened;
use crate::report::view::View;

use super::verdict;

/// More bars than this nobody reads.
const MOST_BARS: usize = 12;
/// One bar says no more than its row.
const FEWEST_BARS: usize = 2;
/// The longest name beside a bar.
const LONGEST_NAME: usize = 36;
/// Pixels for the title and the axis, and for each bar.
const HEAD: usize = 70;
const BAR: usize = 26;
/// What is larger than this, in percent, would leave nothing to be seen of the others.
const LARGEST: f64 = 1e6;

/// A row's bar: its name, and how far the ends of its interval are from zero, in percent.
struct Bar {
    name: String,
    near: f64,
    far: f64,
}

/// A chart of what regressed, or improved; `None` where there are too few rows to compare.
pub(super) fn chart(view: &View, standing: Standing) -> Option<String> {
    let of_kind = verdict::lines(view).filter(|(_, line)| line.standing == standing);
    let mut bars: Vec<Bar> = of_kind.filter_map(|(group, line)| bar(group, line)).collect();
    bars.sort_by(|one, other| other.far.total_cmp(&one.far));
    let all = bars.len();
    bars.truncate(MOST_BARS);
    (all >= FEWEST_BARS).then(|| drawn(&bars, all, standing))
}

fn bar(group: &Group, line: &Line) -> Option<Bar> {
    let span = line.span?;
    let (one, other) = (100.0 * span.low.abs(), 100.0 * span.high.abs());
    let name = format!("{} {}", group.case, line.label);
    let bar = Bar { name: plain(&name), near: one.min(other), far: one.max(other) };
    // A comparison with what is no number is false.
    (bar.near >= 0.0 && bar.far > 0.0 && bar.far <= LARGEST).then_some(bar)
}

/// A name out of characters that mean nothing to mermaid, whatever it is. An empty one would be an error of syntax.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "_-./: ".contains(c) { c } else { '_' };
    let name: String = shortened(name.trim(), LONGEST_NAME).replace('…', "..").chars().map(kept).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

fn drawn(bars: &[Bar], all: usize, standing: Standing) -> String {
    // Of the palette by Okabe & Ito, as in all pictures of the report; legible on light and dark pages.
    let (light, dark) = if standing == Standing::Regressed { ("#f0b48c", "#d55e00") } else { ("#8cbfdd", "#0072b2") };
    let which = if all > bars.len() {
        format!("the {} largest of {}", bars.len(), counted(all, "row"))
    } else {
        counted(all, "row")
    };
    let numbers =
        |end: fn(&Bar) -> f64| bars.iter().map(|bar| format!("{:.2}", end(bar))).collect::<Vec<_>>().join(", ");
    let names: Vec<String> = distinct(bars).iter().map(|name| format!("\"{name}\"")).collect();
    let most = bars.iter().map(|bar| bar.far).fold(0.01, f64::max);
    format!(
        "\n```mermaid\n---\nconfig:\n  xyChart:\n    height: {}\n    titleFontSize: 14\n  themeVariables:\n    xyChart:\n      \
         plotColorPalette: \"{light}, {dark}\"\n---\nxychart-beta horizontal\n  \
         title \"{which} {}: by at least (dark) and at most (light) so many percent\"\n  x-axis [{}]\n  y-axis 0 --> {most:.2}\n  \
         bar [{}]\n  bar [{}]\n```\n",
        HEAD + BAR * bars.len(),
        standing.words(),
        names.join(", "),
        numbers(|bar| bar.far),
        numbers(|bar| bar.near),
    )
}

/// The names of the bars; bars of one name would be drawn over each other, so each later one gets its number.
fn distinct(bars: &[Bar]) -> Vec<String> {
    let same = |at: usize| bars[..at].iter().filter(|bar| bar.name == bars[at].name).count();
    let name = |at: usize| match same(at) {
        0 => bars[at].name.clone(),
        before => format!("{} no {}", bars[at].name, before + 1),
    };
    (0..bars.len()).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::examples::{judgement, row, run};
    use super::*;
    use crate::verdict::{Row, Verdict};

    fn drawn(rows: Vec<Row>) -> Option<String> {
        chart(&View::of(&run(&[]), &judgement(rows)), Standing::Regressed)
    }

    #[test]
    fn bars_are_sizes_from_zero_the_largest_first() {
        let picture = drawn(vec![
            row("w::a", Verdict::Regressed, 0.03, 0.01),
            row("w::slower", Verdict::Regressed, 0.112, 0.008),
            row("w::less-throughput", Verdict::Regressed, -0.05, 0.01),
            row("w::better", Verdict::Improved, -0.2, 0.01),
        ])
        .unwrap();
        for line in [
            r#"  title "3 rows regressed: by at least (dark) and at most (light) so many percent""#,
            r#"  x-axis ["w::slower", "w::less-throughput", "w::a"]"#,
            "  y-axis 0 --> 12.00",
            "  bar [12.00, 6.00, 4.00]",
            "  bar [10.40, 4.00, 2.00]",
        ] {
            assert!(picture.lines().any(|drawn| drawn == line), "{line} in {picture}");
        }
    }

    #[test]
    fn rows_of_one_verdict_are_drawn_and_one_row_is_no_chart() {
        let improved = |n: u32| row(&format!("w::{n}"), Verdict::Improved, -0.1, 0.02);
        let view = View::of(&run(&[]), &judgement(vec![improved(1), improved(2)]));
        assert!(chart(&view, Standing::Improved).unwrap().contains("2 rows improved"));
        assert_eq!(chart(&view, Standing::Regressed), None);
        assert_eq!(drawn(vec![row("w::a", Verdict::Regressed, 0.1, 0.02)]), None);
    }

    #[test]
    fn many_rows_are_cut_and_odd_numbers_left_out() {
        let mut rows: Vec<Row> = (0..40).map(|n| row(&format!("w::{n}"), Verdict::Regressed, 0.1, 0.02)).collect();
        rows.push(row("w::wild", Verdict::Regressed, f64::NAN, 0.1));
        rows.push(row("w::endless", Verdict::Regressed, 0.1, f64::INFINITY));
        let picture = drawn(rows).unwrap();
        assert!(picture.contains("the 12 largest of 40 rows regressed") && !picture.contains("wild"), "{picture}");
        assert_eq!(picture.matches("12.00").count(), 13, "{picture}");
    }

    #[test]
    fn names_mean_nothing_to_mermaid_and_are_told_apart() {
        assert_eq!(plain("a\"]\n%%{init: x}%%`;<b>"), "a______init: x______b_");
        assert_eq!(plain("  "), "_");
        assert!(plain(&"long/name".repeat(9)).len() <= LONGEST_NAME + 1);
        let bar = |name: &str| Bar { name: name.to_owned(), near: 1.0, far: 2.0 };
        assert_eq!(distinct(&[bar("a"), bar("b"), bar("a"), bar("a")]), ["a", "b", "a no 2", "a no 3"]);
    }
}
