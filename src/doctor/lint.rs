//! What is wrong with the builds that are measured: one small pure function per finding. The bench-profile lint.

use std::collections::BTreeMap;

use super::Build;
use super::finding::{Finding, Severity, Subject};

/// Everything that there is to say about how the variants are built, what matters most first. Variants of which the same is
/// to be said share a finding.
#[must_use]
pub fn build_findings(builds: &[Build]) -> Vec<Finding> {
    const RULES: [fn(&Build) -> Option<Finding>; 9] =
        [optimisation, assertions, overflow, units, incremental, stripped, lines, tables, native];
    let mut all = Vec::new();
    for rule in RULES {
        let found = builds.iter().filter_map(|build| Some((build.variant.clone(), rule(build)?)));
        all.extend(shared(found));
    }
    all.sort_by_key(|finding| finding.severity);
    all
}

/// One finding for all variants of which it says the same, in the order of the first.
fn shared(found: impl Iterator<Item = (String, Finding)>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (variant, finding) in found {
        let place = *places.entry((finding.what.clone(), finding.fix.clone())).or_insert(all.len());
        if place == all.len() {
            all.push(finding.about(Subject::Build));
        }
        all[place].variants.push(variant);
    }
    all
}

fn optimisation(build: &Build) -> Option<Finding> {
    let level = build.opt_level();
    let severity = match level {
        "0" | "1" => Severity::Warning,
        "2" | "s" | "z" => Severity::Note,
        _ => return None,
    };
    let what = format!("opt-level is {level}");
    let why = "below 3 less is inlined and vectorised: what is slow there need not be slow in what is shipped";
    Some(Finding::new("opt-level-below-3", severity, what, why, &build.setting("opt-level = 3")))
}

fn assertions(build: &Build) -> Option<Finding> {
    let what = "debug assertions are on";
    let why = "checks that are not shipped are measured, and dependencies have dear ones";
    let fix = build.setting("debug-assertions = false");
    build.debug_assertions().then(|| Finding::new("debug-assertions", Severity::Warning, what, why, &fix))
}

fn overflow(build: &Build) -> Option<Finding> {
    let why = "every addition is followed by a branch, and loops with such a way out are hardly vectorised; fine where it is \
        shipped like that";
    let fix = build.setting("overflow-checks = false");
    build
        .overflow_checks()
        .then(|| Finding::new("overflow-checks", Severity::Note, "arithmetic is checked for overflow", why, &fix))
}

fn units(build: &Build) -> Option<Finding> {
    let units = build.codegen_units();
    let joined = matches!(build.profile.lto.as_str(), "thin" | "fat");
    let what = format!("crates are compiled in up to {units} units, without LTO over all of them");
    let why = "a change of one function can move others into another unit, and what was inlined no longer is: benchmarks that \
        nobody touched moved by 14 to 16 %";
    let fix = build.setting("codegen-units = 1  # or lto = \"thin\", or both");
    (units > 1 && !joined).then(|| Finding::new("codegen-units-without-lto", Severity::Warning, what, why, &fix))
}

fn incremental(build: &Build) -> Option<Finding> {
    let what = "builds are incremental";
    let why = "code is split into many small units and depends on what was compiled before: one source, two programs";
    let fix = format!("{}\nwhere that says so already: unset CARGO_INCREMENTAL", build.setting("incremental = false"));
    build.profile.incremental.then(|| Finding::new("incremental", Severity::Warning, what, why, &fix))
}

fn stripped(build: &Build) -> Option<Finding> {
    let why =
        "a profile can't name functions: claims such as profile.share(...) stay undecided, and blame has no address";
    let fix = build.setting("strip = \"none\"");
    let what = "the symbols are stripped from the program";
    (build.strip() == "symbols").then(|| Finding::new("stripped", Severity::Warning, what, why, &fix))
}

fn lines(build: &Build) -> Option<Finding> {
    // Without symbols there is more to say than that.
    let missing = build.strip() != "symbols" && !build.has_lines();
    let what = "the program has no debug information";
    let why =
        "a profile names functions, but not what was inlined into them, nor lines; the code is the same either way";
    let fix = if build.strip() == "debuginfo" {
        build.setting("debug = \"line-tables-only\"\nstrip = \"none\"")
    } else {
        build.setting("debug = \"line-tables-only\"")
    };
    missing.then(|| Finding::new("no-debug-info", Severity::Note, what, why, &fix))
}

/// The tables by which stacks are walked. On x86-64 they are there whether or not panics unwind, unless a flag says no.
fn tables(build: &Build) -> Option<Finding> {
    let asked = build.switch("force-unwind-tables");
    let kept = asked.unwrap_or(build.panic() != "abort" || build.target.starts_with("x86_64-"));
    let what = if asked == Some(false) {
        "the program has no tables to walk stacks by (-C force-unwind-tables=no)"
    } else {
        "panic = \"abort\" may leave out the tables to walk stacks by on this target"
    };
    let why = "sampled stacks then end in the first function that has none";
    let fix = "in .cargo/config.toml:\n[build]\nrustflags = [\"-Cforce-unwind-tables=yes\"]";
    (!kept).then(|| Finding::new("no-unwind-tables", Severity::Note, what, why, fix))
}

fn native(build: &Build) -> Option<Finding> {
    let native = build.option("target-cpu") == Some("native");
    let what = "the baseline is built for the processor that builds it (target-cpu=native)";
    let why = "another machine builds another program: numbers do not travel, and neither may the program";
    let fix = "a level instead, such as -Ctarget-cpu=x86-64-v3, or `native` as a variant beside the baseline";
    (native && build.baseline).then(|| Finding::new("native-baseline", Severity::Note, what, why, fix))
}

#[cfg(test)]
mod tests {
    use super::super::Profile;
    use super::*;

    const GOOD: &str = "[profile.release]\nlto = \"fat\"\ncodegen-units = 1\ndebug = \"line-tables-only\"\n";

    fn build(settings: &str, flags: &[&str]) -> Build {
        let profile = Profile::read("release", &[&format!("[profile.release]\n{settings}"), GOOD], &|_| None).unwrap();
        let rustflags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let target = "x86_64-unknown-linux-gnu".to_owned();
        Build { variant: "v".to_owned(), baseline: true, profile, rustflags, target }
    }

    #[test]
    fn nothing_is_said_of_a_good_build() {
        assert_eq!(build_findings(&[build("", &[])]), []);
        // LTO joins the units, and x86-64 keeps its tables.
        assert_eq!(build_findings(&[build("codegen-units = 16\nlto = \"thin\"\npanic = \"abort\"", &[])]), []);
        // What the flags say is what applies.
        let corrected = ["-Copt-level=3", "-Cdebug-assertions=off", "-g"];
        assert_eq!(build_findings(&[build("opt-level = 0\ndebug-assertions = true\ndebug = false", &corrected)]), []);
    }

    #[test]
    fn each_bad_setting_is_one_finding_with_its_fix() {
        for (settings, flags, severity, id, fix) in [
            ("opt-level = 1", &[][..], Severity::Warning, "opt-level-below-3", "opt-level = 3"),
            ("opt-level = \"s\"", &[], Severity::Note, "opt-level-below-3", "opt-level = 3"),
            ("debug-assertions = true", &[], Severity::Warning, "debug-assertions", "debug-assertions = false"),
            ("", &["-Coverflow-checks"], Severity::Note, "overflow-checks", "overflow-checks = false"),
            (
                "lto = false\ncodegen-units = 2",
                &[],
                Severity::Warning,
                "codegen-units-without-lto",
                "codegen-units = 1",
            ),
            ("lto = \"off\"", &["-Ccodegen-units=8"], Severity::Warning, "codegen-units-without-lto", "lto = \"thin\""),
            ("incremental = true", &[], Severity::Warning, "incremental", "incremental = false"),
            ("strip = true", &[], Severity::Warning, "stripped", "strip = \"none\""),
            ("strip = \"debuginfo\"", &[], Severity::Note, "no-debug-info", "strip = \"none\""),
            ("debug = 0", &[], Severity::Note, "no-debug-info", "debug = \"line-tables-only\""),
            ("", &["-C", "debuginfo=0"], Severity::Note, "no-debug-info", "debug = \"line-tables-only\""),
            ("", &["-Cforce-unwind-tables=no"], Severity::Note, "no-unwind-tables", "force-unwind-tables=yes"),
            ("", &["-C", "target-cpu=native"], Severity::Note, "native-baseline", "x86-64-v3"),
        ] {
            let found = build_findings(&[build(settings, flags)]);
            assert_eq!(found.len(), 1, "{settings} {flags:?}: {found:?}");
            assert_eq!((found[0].severity, found[0].id), (severity, id), "{settings} {flags:?}");
            assert!(found[0].fix.contains(fix), "{:?} lacks {fix:?}", found[0].fix);
            assert_eq!(found[0].about, Subject::Build);
        }
    }

    #[test]
    fn aborting_on_panic_matters_where_the_target_drops_its_tables() {
        let aborting = |target: &str, flags: &[&str]| {
            build_findings(&[Build { target: target.to_owned(), ..build("panic = \"abort\"", flags) }])
        };
        assert_eq!(aborting("riscv64gc-unknown-linux-gnu", &[])[0].id, "no-unwind-tables");
        assert_eq!(aborting("riscv64gc-unknown-linux-gnu", &["-Cforce-unwind-tables=yes"]), []);
    }

    #[test]
    fn only_a_baseline_has_to_travel() {
        let candidate = Build { baseline: false, ..build("", &["-Ctarget-cpu=native"]) };
        assert_eq!(build_findings(&[candidate]), []);
    }

    #[test]
    fn variants_of_which_the_same_is_said_share_the_finding() {
        let named = |name: &str, settings| Build { variant: name.to_owned(), ..build(settings, &[]) };
        let found =
            build_findings(&[named("a", "strip = true"), named("b", "strip = true"), named("c", "opt-level = 2")]);
        let said: Vec<String> = found.iter().map(Finding::headline).collect();
        assert_eq!(said, ["a, b: the symbols are stripped from the program", "c: opt-level is 2"]);
    }
}
