//! Texts that nobody would write.

use std::path::Path;

use super::surface::FULL;
use crate::plan::Plan;

#[test]
fn any_damage_to_a_plan_is_reported_at_a_place_of_its_text() {
    let mut random = fastrand::Rng::with_seed(9);
    let debris =
        [r#"""#, "\r\n", "\t", "\u{1f980}", "ä", "[", "]", "=", "-", "0", "{", "\u{feff}", "\0", "'''", "#", "."];
    let mut refused = 0;
    for _ in 0..3_000 {
        let mut letters: Vec<String> = FULL.chars().map(String::from).collect();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..letters.len());
            letters[at] = debris[random.usize(..debris.len())].to_owned();
        }
        let text = letters.concat();
        let Err(error) = Plan::parse(&text, Path::new("perfplan.toml")) else {
            continue;
        };
        refused += 1;
        let (line, column) = error.position().unwrap_or_else(|| panic!("no place: {error}\n{text}"));
        let pointed_at = text.split('\n').nth(line - 1).unwrap_or_else(|| panic!("no such line: {error}"));
        assert!((1..=pointed_at.chars().count() + 1).contains(&column), "{error}");
        assert!(!error.problem().contains('\n'), "{error}");
    }
    assert!(refused > 1_000, "only {refused} of the damaged plans were refused");
}
