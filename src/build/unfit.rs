//! What a variant asks for and this machine can't do: said before anything is built.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::bolt;
use super::cargo::{rustc, toolchain};
use super::config::{UserConfig, user_config};
use super::flags::flags;
use crate::plan::Variant;
use crate::process::{self, Spec};

/// Missing instructions that are named one by one.
const MOST_NAMED: usize = 8;

/// This machine, as far as builds must know it. Every question is asked once, and only when a variant needs the answer.
#[derive(Debug)]
pub struct Fitness {
    root: PathBuf,
    rustc: OsString,
    host: String,
    user: UserConfig,
    bolt: bolt::Search,
    /// Whether there is Debian's package manager.
    apt: bool,
    /// What rustc answered, by the question.
    answers: RefCell<BTreeMap<Vec<String>, String>>,
    /// Why the compiler driver can't use a linker, by its name; `None` where it can.
    linkers: RefCell<BTreeMap<String, Option<String>>>,
}

impl Fitness {
    /// The machine, for builds of the workspace in `root`.
    ///
    /// # Errors
    /// Where rustc can't be asked for its host.
    pub fn of(root: &Path) -> Result<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let (_, host) = toolchain(root)?;
        Ok(Self {
            root: root.to_owned(),
            rustc: rustc(),
            user: user_config(root, &host),
            host,
            bolt: bolt::Search::here(),
            apt: env::split_paths(&path).any(|folder| folder.join("apt-get").is_file()),
            answers: RefCell::default(),
            linkers: RefCell::default(),
        })
    }

    /// The host's target triple.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Why the variant can't be built or run here, and the command that helps where one does; `None` where it can.
    ///
    /// Instructions count as lacking where rustc says that the build may use them and not that this processor has them. That
    /// goes by the names that stable rustc prints, so what only nightly knows is not seen.
    ///
    /// # Errors
    /// Where rustc or the linker can't be asked.
    pub fn unfit(&self, variant: &Variant) -> Result<Option<String>> {
        let all: Vec<String> = self.user.rustflags.iter().cloned().chain(flags(variant).rustflags).collect();
        if let Some(why) = self.lacks_instructions(&aims(&all))? {
            return Ok(Some(why));
        }
        if let Some(why) = variant.linker.as_deref().map(|linker| self.lacks_linker(linker)).transpose()?.flatten() {
            return Ok(Some(why));
        }
        Ok(if variant.bolt { self.bolt.find().err().map(|error| format!("{error:#}")) } else { None })
    }

    fn lacks_instructions(&self, aims: &[String]) -> Result<Option<String>> {
        const NATIVE: &str = "-Ctarget-cpu=native";
        let cpu = aims.iter().rev().find_map(|aim| aim.strip_prefix("-Ctarget-cpu="));
        if let Some(cpu) = cpu
            && let Some(why) = self.unknown(cpu)?
        {
            return Ok(Some(why));
        }
        if aims.iter().all(|aim| aim == NATIVE) {
            return Ok(None);
        }
        let wanted = self.features(aims)?;
        let has = self.features(&[NATIVE.to_owned()])?;
        let lacking: Vec<&str> = wanted.difference(&has).map(String::as_str).collect();
        Ok((!lacking.is_empty()).then(|| format!("this machine lacks {}", list(&lacking))))
    }

    /// Why rustc does not know a processor of this name; it would build on for any, with a mere warning.
    fn unknown(&self, cpu: &str) -> Result<Option<String>> {
        let text = self.ask(&["--print".to_owned(), "target-cpus".to_owned()])?;
        let names: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        if names.contains(&cpu) {
            return Ok(None);
        }
        let nearest = names.iter().max_by_key(|name| common(cpu, name)).context("rustc lists no processor")?;
        Ok(Some(format!(
            "rustc knows no processor {cpu:?}; the nearest is {nearest:?}, and `rustc --print target-cpus` lists all"
        )))
    }

    /// The instruction sets that a build with these flags may use.
    fn features(&self, aims: &[String]) -> Result<BTreeSet<String>> {
        let question: Vec<String> = ["--print", "cfg"].map(str::to_owned).into_iter().chain(aims.to_vec()).collect();
        let text = self.ask(&question)?;
        let feature = |line: &str| Some(line.strip_prefix("target_feature=\"")?.strip_suffix('"')?.to_owned());
        Ok(text.lines().filter_map(feature).collect())
    }

    fn ask(&self, question: &[String]) -> Result<String> {
        if let Some(answer) = self.answers.borrow().get(question) {
            return Ok(answer.clone());
        }
        let spec = Spec::new(&self.rustc).args(question).current_dir(&self.root);
        let output = process::run(&spec)?.check("asking rustc what it builds for")?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        self.answers.borrow_mut().insert(question.to_vec(), answer.clone());
        Ok(answer)
    }

    /// Why programs can't be linked with this linker: the compiler driver must know it and find it.
    fn lacks_linker(&self, linker: &str) -> Result<Option<String>> {
        if let Some(known) = self.linkers.borrow().get(linker) {
            return Ok(known.clone());
        }
        let driver = self.user.linker.as_deref().unwrap_or("cc");
        let sysroot = self.ask(&["--print".to_owned(), "sysroot".to_owned()])?;
        // rustc shows the driver its own lld in this way.
        let own = Path::new(sysroot.trim_end()).join("lib/rustlib").join(&self.host).join("bin/gcc-ld");
        let spec = Spec::new(driver)
            .arg(format!("-fuse-ld={linker}"))
            .arg(format!("-B{}", own.display()))
            .arg("-Wl,--version")
            .current_dir(&self.root);
        let output = process::run(&spec)?;
        let said = output.stderr_tail.lines().map(str::trim).rfind(|line| line.contains("error")).unwrap_or_default();
        let why =
            (!output.success()).then(|| format!("{driver} can't link with {linker} ({said}): {}", self.remedy(linker)));
        self.linkers.borrow_mut().insert(linker.to_owned(), why.clone());
        Ok(why)
    }

    fn remedy(&self, linker: &str) -> String {
        let package = if matches!(linker, "bfd" | "gold") { "binutils" } else { linker };
        match linker {
            "wild" => "cargo install --locked wild-linker, and a compiler driver that knows it".to_owned(),
            _ if self.apt => format!("apt-get install {package}"),
            _ => format!("install {package}"),
        }
    }
}

/// The flags that decide which instructions are used, each as one word.
fn aims(flags: &[String]) -> Vec<String> {
    let (mut words, mut aims) = (flags.iter().map(String::as_str), Vec::new());
    while let Some(word) = words.next() {
        let option = match word {
            "-C" | "--codegen" => words.next(),
            _ => word.strip_prefix("-C").or_else(|| word.strip_prefix("--codegen=")),
        };
        let aim = |option: &&str| option.starts_with("target-cpu=") || option.starts_with("target-feature=");
        aims.extend(option.filter(aim).map(|option| format!("-C{option}")));
    }
    aims
}

/// How many letters two names share at their starts and ends.
fn common(one: &str, other: &str) -> usize {
    let start = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let rest = |name: &str| name.bytes().skip(start).collect::<Vec<_>>();
    start + rest(one).iter().rev().zip(rest(other).iter().rev()).take_while(|(a, b)| a == b).count()
}

fn list(names: &[&str]) -> String {
    match names.len().checked_sub(MOST_NAMED) {
        Some(more) if more > 0 => format!("{} and {more} more", names[..MOST_NAMED].join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Knows two processors and notes every question.
    const RUSTC: &str = r#"echo "$*" >> "${0%/*}/asked"
case "$*" in
'--print sysroot') echo /sys ;;
'--print target-cpus') printf 'Available CPUs for this target:\n    native  - Select\n    skylake\n    x86-64-v3\n    x86-64-v4\n' ;;
*native*) printf 'target_feature="sse2"\ntarget_feature="avx2"\nunix\n' ;;
*v4*) printf 'target_feature="sse2"\ntarget_feature="avx512f"\ntarget_feature="avx512bw"\n' ;;
*+vaes*) printf 'target_feature="sse2"\ntarget_feature="vaes"\n' ;;
*) printf 'target_feature="sse2"\n' ;;
esac
"#;

    /// A driver that has one linker.
    const CC: &str = r#"echo "cc $*" >> "${0%/*}/asked"
case "$1" in -fuse-ld=mold) ;; *) echo "collect2: fatal error: cannot find 'ld'" >&2; exit 1 ;; esac
"#;

    /// A machine whose rustc and cc are scripts.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            // A child writes the scripts: while this process had one open, no other thread's child could start it.
            for (name, text) in [("rustc", RUSTC), ("cc", CC)] {
                let write =
                    Spec::new("sh").args(["-c", "cat > \"$0\" && chmod +x \"$0\""]).arg(machine.0.path().join(name));
                process::run(&write.stdin(format!("#!/bin/sh\n{text}"))).unwrap().check("writing a script").unwrap();
            }
            machine
        }

        fn fitness(&self) -> Fitness {
            let linker = Some(self.0.path().join("cc").display().to_string());
            Fitness {
                rustc: self.0.path().join("rustc").into(),
                user: UserConfig { linker, ..UserConfig::default() },
                bolt: bolt::Search { path: OsString::new(), packages: self.0.path().join("packages") },
                apt: true,
                ..Fitness::of(self.0.path()).unwrap()
            }
        }

        fn asked(&self) -> Vec<String> {
            let text = fs::read_to_string(self.0.path().join("asked")).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
    }

    fn variant(change: impl FnOnce(&mut Variant)) -> Variant {
        let mut variant = Variant::plain("v".parse().unwrap());
        change(&mut variant);
        variant
    }

    fn aimed_at(cpu: &str) -> Variant {
        variant(|variant| variant.target_cpu = Some(cpu.to_owned()))
    }

    #[test]
    fn what_the_machine_lacks_is_named_and_rustc_asked_once() {
        let machine = Machine::new();
        let fitness = machine.fitness();
        for _ in 0..2 {
            let why = fitness.unfit(&aimed_at("x86-64-v4")).unwrap();
            assert_eq!(why.as_deref(), Some("this machine lacks avx512bw, avx512f"));
            assert_eq!(fitness.unfit(&aimed_at("x86-64-v3")).unwrap(), None);
        }
        assert_eq!(machine.asked().len(), 4, "{:?}", machine.asked());
    }

    #[test]
    fn a_variant_that_asks_for_nothing_of_the_machine_costs_no_question() {
        let machine = Machine::new();
        let plain = variant(|variant| variant.rustflags = vec!["-C".to_owned(), "lto=fat".to_owned()]);
        assert_eq!(machine.fitness().unfit(&plain).unwrap(), None);
        assert!(machine.asked().is_empty());
    }

    #[test]
    fn flags_of_the_variant_and_of_the_user_count_like_the_knob() {
        let machine = Machine::new();
        let flagged = variant(|variant| variant.rustflags = vec!["-C".to_owned(), "target-feature=+vaes".to_owned()]);
        assert_eq!(machine.fitness().unfit(&flagged).unwrap().as_deref(), Some("this machine lacks vaes"));
        let mut fitness = machine.fitness();
        fitness.user.rustflags = vec!["--codegen=target-cpu=x86-64-v4".to_owned()];
        assert!(fitness.unfit(&variant(|_| ())).unwrap().is_some());
        assert_eq!(fitness.unfit(&aimed_at("native")).unwrap(), None, "of several processors the last counts");
    }

    #[test]
    fn an_unknown_processor_is_named_with_the_nearest_known_one() {
        let machine = Machine::new();
        let fitness = machine.fitness();
        for (meant, known) in [("x86_64-v3", "x86-64-v3"), ("sklyake", "skylake"), ("x86-64-v5", "x86-64-v4")] {
            let why = fitness.unfit(&aimed_at(meant)).unwrap().unwrap();
            let told = format!("rustc knows no processor {meant:?}; the nearest is {known:?}");
            assert!(why.starts_with(&told), "{why}");
        }
    }

    #[test]
    fn a_linker_that_the_driver_does_not_find_is_named_with_the_way_to_get_it() {
        let machine = Machine::new();
        let fitness = machine.fitness();
        let linked =
            |linker: &str| fitness.unfit(&variant(|variant| variant.linker = Some(linker.to_owned()))).unwrap();
        assert_eq!(linked("mold"), None);
        let driver = machine.0.path().join("cc");
        let told = |linker: &str| {
            format!("{} can't link with {linker} (collect2: fatal error: cannot find 'ld')", driver.display())
        };
        assert_eq!(linked("lld"), Some(told("lld") + ": apt-get install lld"));
        assert_eq!(linked("gold"), Some(told("gold") + ": apt-get install binutils"));
        linked("gold");
        assert_eq!(machine.asked().iter().filter(|line| line.starts_with("cc ")).count(), 3);
    }

    #[test]
    fn bolt_that_is_not_installed_makes_a_variant_unfit() {
        let why = Machine::new().fitness().unfit(&variant(|variant| variant.bolt = true)).unwrap().unwrap();
        assert!(why.starts_with("no llvm-bolt can be used\n"), "{why}");
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..10).map(|number| format!("f{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(list(&names).ends_with("f7 and 2 more"));
        assert_eq!(list(&names[..8]), names[..8].join(", "));
    }

    #[test]
    fn this_machine_can_run_what_is_built_for_it() {
        let fitness = Fitness::of(Path::new(".")).unwrap();
        assert_eq!(fitness.unfit(&aimed_at("native")).unwrap(), None);
        assert!(fitness.unfit(&aimed_at("no-such-processor")).unwrap().is_some());
    }
}
