//! Flags for rustc in lists of words: which of them say the same, and which one gives way to another. Pure.

/// Options that add up when they are given more than once; of the others the last one counts.
const ADDING: [&str; 7] = ["link-arg", "link-args", "llvm-args", "target-feature", "metadata", "passes", "remark"];

/// What chooses the linker, inside an argument for it.
const LINKER: &str = "-fuse-ld=";

/// A flag that is wanted, in the words in which it is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flag(pub(super) Vec<String>);

/// What becomes of a flag among the words that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is there.
    There,
    /// These words, by number, are to say something else.
    Instead(Vec<(usize, String)>),
    /// It is to be added.
    Missing,
}

/// Takes words for rustc apart into flags: `-C lto` is one flag, as `-Clto` is.
pub(super) fn split(words: &str) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let mut open = false;
    for word in words.split_whitespace().map(str::to_owned) {
        match flags.last_mut() {
            Some(Flag(flag)) if open => flag.push(word.clone()),
            _ => flags.push(Flag(vec![word.clone()])),
        }
        open = !open && takes_next(&word);
    }
    flags
}

/// Whether a word is an option whose value is the next word.
fn takes_next(word: &str) -> bool {
    matches!(
        word,
        "-C" | "-Z" | "-L" | "-l" | "-A" | "-W" | "-D" | "-F" | "--codegen" | "--cfg" | "--check-cfg" | "--cap-lints"
    )
}

/// The option of a codegen flag that ends with the word `at`: what the word says before it, and `name=value`.
fn codegen(words: &[String], at: usize) -> Option<(&str, &str)> {
    let word = words.get(at)?.as_str();
    let before = at.checked_sub(1).and_then(|before| words.get(before));
    if before.is_some_and(|before| before == "-C" || before == "--codegen") {
        return Some(("", word));
    }
    let rest = word.strip_prefix("-C").or_else(|| word.strip_prefix("--codegen="))?;
    let option = rest.trim_start();
    (!option.is_empty()).then(|| (&word[..word.len() - option.len()], option))
}

/// The name of an option, with the hyphens that rustc also takes as underscores.
fn name(option: &str) -> String {
    option.split('=').next().unwrap_or_default().replace('_', "-")
}

fn value(option: &str) -> Option<&str> {
    option.split_once('=').map(|(_, value)| value)
}

/// Finds out what becomes of a flag among `words`.
pub(super) fn fit(words: &[String], flag: &Flag) -> Fit {
    let Flag(wanted) = flag;
    let Some((_, option)) = codegen(wanted, wanted.len() - 1) else {
        let there = words.windows(wanted.len()).any(|window| window == wanted);
        return if there { Fit::There } else { Fit::Missing };
    };
    let rivals: Vec<(usize, String)> =
        (0..words.len()).filter_map(|at| Some((at, rival(words, at, option)?))).collect();
    let instead: Vec<_> = rivals.iter().filter(|(at, word)| words[*at] != *word).cloned().collect();
    match (rivals.is_empty(), instead.is_empty()) {
        (true, _) => Fit::Missing,
        (false, true) => Fit::There,
        (false, false) => Fit::Instead(instead),
    }
}

/// What the word `at` says once it says `option`; `None` where it is about something else.
fn rival(words: &[String], at: usize, option: &str) -> Option<String> {
    let (before, present) = codegen(words, at)?;
    if let Some((_, linker)) = option.split_once(LINKER) {
        let (head, tail) = present.split_once(LINKER)?;
        let others = tail.find(' ').map_or("", |end| &tail[end..]);
        return Some(format!("{before}{head}{LINKER}{linker}{others}"));
    }
    let same = if ADDING.contains(&name(option).as_str()) { present == option } else { name(present) == name(option) };
    if same && value(present) == value(option) {
        return Some(words[at].clone());
    }
    same.then(|| format!("{before}{option}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn fits(present: &str, wanted: &str) -> Fit {
        fit(&words(present), &split(wanted)[0])
    }

    fn instead(at: usize, word: &str) -> Fit {
        Fit::Instead(vec![(at, word.to_owned())])
    }

    #[test]
    fn words_are_taken_apart_into_flags() {
        let flags = split("-C lto=fat -Cpanic=abort --cfg fast -g -C -C");
        let texts: Vec<String> = flags.iter().map(|flag| flag.0.join(" ")).collect();
        assert_eq!(texts, ["-C lto=fat", "-Cpanic=abort", "--cfg fast", "-g", "-C -C"]);
        assert!(split(" ").is_empty());
    }

    #[test]
    fn an_option_that_counts_once_takes_the_place_of_its_old_value_in_any_spelling() {
        let wanted = "-Ctarget-cpu=native";
        assert_eq!(fits("-g -Ctarget-cpu=x", wanted), instead(1, "-Ctarget-cpu=native"));
        assert_eq!(fits("-C target-cpu=x -g", wanted), instead(1, "target-cpu=native"));
        assert_eq!(fits("--codegen target_cpu=x", wanted), instead(1, "target-cpu=native"));
        assert_eq!(fits("--codegen=target-cpu=x", wanted), instead(0, "--codegen=target-cpu=native"));
        assert_eq!(fit(&["-C target-cpu=x".to_owned()], &split(wanted)[0]), instead(0, "-C target-cpu=native"));
        assert_eq!(fits("-C target-cpu=native", wanted), Fit::There);
        assert_eq!(fits("-Ctarget-feature=+x -C", wanted), Fit::Missing);
    }

    #[test]
    fn every_old_value_gives_way_as_the_last_one_counts() {
        let both = vec![(0, "-Ctarget-cpu=z".to_owned()), (2, "target-cpu=z".to_owned())];
        assert_eq!(fits("-Ctarget-cpu=x -C target-cpu=y", "-Ctarget-cpu=z"), Fit::Instead(both));
    }

    #[test]
    fn one_linker_takes_the_place_of_another_and_other_arguments_stay() {
        let wanted = "-Clink-arg=-fuse-ld=mold";
        assert_eq!(fits("-Clink-arg=-fuse-ld=lld", wanted), instead(0, "-Clink-arg=-fuse-ld=mold"));
        assert_eq!(fits("-Clink-arg=-s", wanted), Fit::Missing);
        let several = ["-Clink-args=-s -fuse-ld=lld -x".to_owned()];
        assert_eq!(fit(&several, &split(wanted)[0]), instead(0, "-Clink-args=-s -fuse-ld=mold -x"));
    }

    #[test]
    fn options_that_add_up_are_added_unless_they_are_there() {
        assert_eq!(fits("-Cllvm-args=-a", "-Cllvm-args=-b"), Fit::Missing);
        assert_eq!(fits("-C llvm-args=-b", "-Cllvm-args=-b"), Fit::There);
        assert_eq!(fits("--cfg fast", "--cfg fast"), Fit::There);
        assert_eq!(fits("--cfg slow", "--cfg fast"), Fit::Missing);
    }
}
