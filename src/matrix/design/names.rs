//! Names of the variants of a design.

use std::collections::BTreeSet;

use crate::plan::Setting;
use crate::samples::VariantName;

/// The longest name, in bytes; a number that makes it unique may come behind it.
const LONGEST: usize = 180;

/// The names that have been given.
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Begins with the baseline variant's, which stays as it is.
    pub(super) fn new(baseline: &VariantName) -> Self {
        Self([baseline.to_string()].into())
    }

    /// A new name that says what is set: `lto=fat+panic=abort`. What can't stand in a name becomes `-`, and what is equal
    /// then is numbered.
    ///
    /// # Errors
    /// Where it would be no name, which nothing is known to lead to.
    pub(super) fn name(&mut self, settings: &[&Setting]) -> Result<VariantName, String> {
        let parts: Vec<String> = settings.iter().map(|setting| part(setting)).collect();
        let mut name = parts.join("+");
        name.truncate(LONGEST); // All of it is ASCII.
        let numbered = (2..).map(|number: usize| format!("{name}-{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let free = free.unwrap_or(name);
        self.0.insert(free.clone());
        free.parse()
    }
}

fn part(setting: &Setting) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.+".contains(c) { c } else { '-' };
    let value: String = setting.value().chars().map(plain).collect();
    format!("{}={}", setting.knob(), if value.is_empty() { "none" } else { &value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Allocator;

    fn names(settings: &[&[Setting]]) -> Vec<String> {
        let mut names = Names::new(&"release".parse().unwrap());
        let name = |settings: &&[Setting]| names.name(&settings.iter().collect::<Vec<_>>()).unwrap().to_string();
        settings.iter().map(name).collect()
    }

    fn flags(flag: &str) -> Setting {
        Setting::Rustflags(vec![flag.to_owned()])
    }

    #[test]
    fn a_name_says_what_is_set() {
        let env = Setting::Env([("MALLOC_CONF".to_owned(), "narenas:1".to_owned())].into());
        let features = |names: &[&str]| Setting::Features(names.iter().map(|name| (*name).to_owned()).collect());
        let named = names(&[
            &[Setting::Lto("fat".to_owned()), Setting::Panic("abort".to_owned())],
            &[Setting::Allocator(Allocator::Jemalloc), env.clone()],
            &[env],
            &[features(&["simd"])],
            &[features(&["simd", "a/b"])],
            &[features(&[])],
            &[Setting::TargetCpu("x86-64-v3".to_owned())],
            &[flags("-Cforce-unwind-tables=no")],
        ]);
        let expected = [
            "lto=fat+panic=abort",
            "allocator=jemalloc+env=MALLOC_CONF-narenas-1",
            "env=MALLOC_CONF-narenas-1",
            "features=simd",
            "features=simd-a-b",
            "features=none",
            "target-cpu=x86-64-v3",
            "rustflags=-Cforce-unwind-tables-no",
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn any_values_have_names_that_differ() {
        let long = "ä /.\u{1f980}".repeat(100);
        let values = ["a b", "a-b", "a=b", "", ".hidden", "../up", "/etc", "\n", &long, &format!("{long}x"), "none"];
        let settings: Vec<[Setting; 1]> = values.iter().map(|value| [flags(value)]).collect();
        let settings: Vec<&[Setting]> = settings.iter().map(<[Setting; 1]>::as_slice).collect();
        let named = names(&settings);
        assert_eq!(named[..3], ["rustflags=a-b", "rustflags=a-b-2", "rustflags=a-b-3"]);
        assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), values.len());
    }
}
