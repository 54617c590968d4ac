//! How a plan's comment is found again among all comments of a pull request: by a line that nobody sees.

use std::fmt::Write;

/// So many characters of a plan's name count.
const LONGEST_PLAN: usize = 200;
const END: &str = " -->";

/// What the comment of a plan begins with. Different plans have different ones, whatever they are called.
#[must_use]
pub fn marker(plan: &str) -> String {
    format!("<!-- cargo-perfplan plan={} order=", encoded(plan))
}

/// The order of the run that a comment's body is about; `None` where the body is not the plan's own: its very first line has to
/// be the marker as it was written, and nothing else.
#[must_use]
pub fn order_of(body: &str, plan: &str) -> Option<u64> {
    let first = body.lines().next()?;
    let order: u64 = first.strip_prefix(&marker(plan))?.strip_suffix(END)?.parse().ok()?;
    (first == written(plan, order)).then_some(order)
}

/// The marker with the run's order: the first line of a comment, without its end.
pub(super) fn written(plan: &str, order: u64) -> String {
    format!("{}{order}{END}", marker(plan))
}

/// Nothing in a comment of HTML may end it, so all but letters, digits and three others are written as bytes.
fn encoded(plan: &str) -> String {
    let kept: String = plan.chars().take(LONGEST_PLAN).collect();
    kept.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'/' => text.push(char::from(byte)),
            // Writing into a string can't fail.
            other => drop(write!(text, "%{other:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(plan: &str, order: u64) -> String {
        format!("{}\n### All well\n", written(plan, order))
    }

    #[test]
    fn a_comment_is_found_again_with_its_order() {
        for plan in ["perfplan.toml", "", "a plan -->", "ü/--x", "%2D"] {
            assert_eq!(order_of(&body(plan, 17), plan), Some(17), "{plan}");
            assert_eq!(order_of(&body(plan, u64::MAX).replace('\n', "\r\n"), plan), Some(u64::MAX), "{plan}");
            assert_eq!(written(plan, 1).matches("-->").count(), 1, "{plan}");
        }
        assert_eq!(marker("ci/gate-x"), "<!-- cargo-perfplan plan=ci/gate%2Dx order=");
    }

    #[test]
    fn another_plans_comment_is_not_ours() {
        for (one, other) in [("a", "b"), ("a", "a b"), ("a-b", "a%2Db"), ("", "a")] {
            assert_eq!(order_of(&body(one, 1), other), None, "{one} {other}");
            assert_eq!(order_of(&body(other, 1), one), None, "{one} {other}");
        }
    }

    #[test]
    fn what_only_looks_like_our_comment_is_not_ours() {
        let ours = written("gate", 5);
        for forged in [
            String::new(),
            format!("hello\n{ours}\n"),
            format!(" {ours}\n"),
            format!("\n{ours}\n"),
            format!("\u{feff}{ours}\n"),
            format!("> {ours}\n"),
            format!("`{ours}`\n"),
            format!("{ours} and more\n"),
            format!("{ours}{ours}\n"),
            format!("{ours} \n"),
            ours.replace("order=5", "order=+5"),
            ours.replace("order=5", "order=05"),
            ours.replace("order=5", "order=-5"),
            ours.replace("order=5", "order="),
            ours.replace("order=5", "order=5.0"),
            ours.replace("order=5", "order=18446744073709551616"),
            ours.replace(" -->", "-->"),
            ours.replace("gate", "GATE"),
            ours.replace("plan=", "plan= "),
        ] {
            assert_eq!(order_of(&forged, "gate"), None, "{forged:?}");
        }
        assert_eq!(order_of(&ours, "gate"), Some(5));
    }
}
