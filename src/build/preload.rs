//! Allocators for programs that are not built here: loaded before them (`LD_PRELOAD`), so that their calls of `malloc` go there.
//!
//! A program that brings an allocator of its own goes on using that one; nothing in the program's file tells of it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind, ReadCache, ReadRef, elf};

use crate::plan::Allocator;
use crate::process::{self, Spec};

/// The variable that names what is loaded before a program.
const VARIABLE: &str = "LD_PRELOAD";
/// How many interpreters may call each other: the kernel's limit.
const MOST_INTERPRETERS: usize = 4;
/// The first line of a script that the kernel reads, in bytes.
const FIRST_LINE: u64 = 256;

/// Where shared libraries and programs are looked for.
#[derive(Clone, Debug)]
pub struct Preload {
    /// The folder of the system's libraries: `/usr`.
    root: PathBuf,
    /// The program that knows of further folders.
    ldconfig: PathBuf,
    /// The folders of programs, as in `PATH`.
    path: OsString,
    /// What the user preloads anyway.
    own: Option<String>,
}

impl Preload {
    /// Looks where the tool's own environment says.
    #[must_use]
    pub fn here() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        Self { root: "/usr".into(), ldconfig: "/sbin/ldconfig".into(), path, own: env::var(VARIABLE).ok() }
    }

    /// The environment variables by which a command gets this allocator, `env` among them: the allocator's library stands in
    /// front of what the user preloads. `folder` is where the command runs.
    ///
    /// # Errors
    /// Where it would not get the allocator, and a measurement would be of another one: the library is not installed (with the
    /// command that installs it), the program is statically linked, or runs with its file's rights.
    pub fn environment(
        &self,
        program: &str,
        folder: &Path,
        env: &BTreeMap<String, String>,
        allocator: Option<Allocator>,
    ) -> Result<BTreeMap<String, String>> {
        let mut env = env.clone();
        let Some(wanted) = allocator.and_then(Library::of) else { return Ok(env) };
        let path = env.get("PATH").map_or(self.path.clone(), OsString::from);
        let kind = loaded_kind(program, folder, &path)?;
        let library = self.find(&wanted, kind)?;
        let library = library.to_str().context("the library's path is not UTF-8")?;
        let own = env.get(VARIABLE).or(self.own.as_ref()).filter(|own| !own.is_empty());
        let value = own.map_or(library.to_owned(), |own| format!("{library}:{own}"));
        env.insert(VARIABLE.to_owned(), value);
        Ok(env)
    }

    /// The library, made for the same processor as the program: the loader passes over others in silence.
    fn find(&self, wanted: &Library, kind: Option<Kind>) -> Result<PathBuf> {
        let folders = self.folders();
        let paths = wanted.files.iter().flat_map(|file| folders.iter().map(move |folder| folder.join(file)));
        let fits = |path: &Path| kind.is_none() || matches!(Elf::of(path), Ok(Some(elf)) if Some(elf.kind) == kind);
        let mut found = paths.filter(|path| path.is_file());
        found
            .find(|path| fits(path))
            .with_context(|| format!("{} is not installed: {}", wanted.files[0], self.remedy(wanted)))
    }

    /// The usual folders of libraries, Debian's per processor first, then those that the loader was told of.
    fn folders(&self) -> Vec<PathBuf> {
        let below = |folder: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).into_iter().flatten();
            let mut triples: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            triples.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("-linux-")));
            triples.sort();
            triples
        };
        let mut folders = below(&self.root.join("lib"));
        folders.extend(["lib64", "lib", "local/lib"].map(|folder| self.root.join(folder)));
        for folder in self.configured() {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// The folders of what `ldconfig -p` lists. A system without it has told its loader of none.
    fn configured(&self) -> Vec<PathBuf> {
        let Ok(output) = process::run(&Spec::new(&self.ldconfig).arg("-p")) else { return Vec::new() };
        let text = String::from_utf8_lossy(&output.stdout);
        let files = text.lines().filter_map(|line| Some(line.split_once(" => ")?.1));
        let mut folders: Vec<PathBuf> = files.filter_map(|file| Some(Path::new(file).parent()?.to_owned())).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    fn remedy(&self, wanted: &Library) -> String {
        let apt = env::split_paths(&self.path).any(|folder| folder.join("apt-get").is_file());
        match wanted.package {
            Some(package) if apt => format!("apt-get install {package}"),
            _ => wanted.origin.to_owned(),
        }
    }
}

/// An allocator as a shared library.
struct Library {
    /// Its file's names, the better one first.
    files: &'static [&'static str],
    /// Debian's package.
    package: Option<&'static str>,
    /// What to do where there is no such package.
    origin: &'static str,
}

impl Library {
    /// The system's allocator needs none.
    fn of(allocator: Allocator) -> Option<Self> {
        let (files, package, origin): (&[&str], _, _) = match allocator {
            Allocator::System => return None,
            Allocator::Jemalloc => (&["libjemalloc.so.2"], Some("libjemalloc2"), "install jemalloc"),
            Allocator::Mimalloc => (
                &["libmimalloc.so.2", "libmimalloc.so.3", "libmimalloc.so"],
                Some("libmimalloc2.0"),
                "install mimalloc's shared library",
            ),
            Allocator::Snmalloc => (
                &["libsnmallocshim.so"],
                None,
                "build the target `snmallocshim` of https://github.com/microsoft/snmalloc, and put it into /usr/local/lib",
            ),
        };
        Some(Self { files, package, origin })
    }
}

/// What a loader must match: the processor, and whether addresses have 64 bits.
type Kind = (elf::Machine, bool);

/// What a program's file says of how it is loaded.
#[derive(Clone, Copy, Debug)]
struct Elf {
    kind: Kind,
    /// Whether a loader starts it, which then looks at `LD_PRELOAD`.
    is_dynamic: bool,
}

impl Elf {
    /// Reads a file; `None` where it is no ELF file.
    fn of(path: &Path) -> Result<Option<Self>> {
        let read = || {
            let data = ReadCache::new(File::open(path)?);
            match FileKind::parse(&data) {
                Ok(FileKind::Elf64) => headers::<elf::FileHeader64<Endianness>, _>(&data).map(Some),
                Ok(FileKind::Elf32) => headers::<elf::FileHeader32<Endianness>, _>(&data).map(Some),
                _ => Ok(None),
            }
        };
        read().with_context(|| format!("reading {}", path.display()))
    }
}

fn headers<'data, H: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(data: R) -> Result<Elf> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let is_dynamic = header.program_headers(endian, data)?.iter().any(|part| part.p_type(endian) == elf::PT_INTERP);
    Ok(Elf { kind: (header.e_machine(endian), header.is_class_64()), is_dynamic })
}

/// What must be preloaded into `program`; `None` where nobody knows, because there is no such file or the kernel would refuse it:
/// running it says so better. A script is what interprets it.
fn loaded_kind(program: &str, folder: &Path, path: &OsString) -> Result<Option<Kind>> {
    let mut file = located(program, folder, path);
    for _ in 0..MOST_INTERPRETERS {
        let Some(found) = file.filter(|file| file.is_file()) else { return Ok(None) };
        if let Some(elf) = Elf::of(&found)? {
            if !elf.is_dynamic {
                bail!("{} is statically linked: nothing can be preloaded into it", found.display());
            }
            if has_rights_of_its_file(&found)? {
                bail!("{} runs with its file's rights: what is to be preloaded is ignored", found.display());
            }
            return Ok(Some(elf.kind));
        }
        file = interpreter(&found).and_then(|name| located(&name, folder, path));
    }
    Ok(None)
}

/// The file that a program's name stands for.
fn located(program: &str, folder: &Path, path: &OsString) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(folder.join(program));
    }
    env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The program in a script's first line; behind `env`, the one that `env` starts.
fn interpreter(script: &Path) -> Option<String> {
    let mut line = String::new();
    File::open(script).ok()?.take(FIRST_LINE).read_to_string(&mut line).ok();
    let mut words = line.lines().next()?.strip_prefix("#!")?.split_whitespace();
    let first = words.next()?;
    if Path::new(first).file_name()? != "env" {
        return Some(first.to_owned());
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

/// Whether the kernel runs the file as somebody else (setuid, setgid); the loader is careful then.
fn has_rights_of_its_file(program: &Path) -> Result<bool> {
    const SET_USER: u32 = 0o4000;
    const SET_GROUP: u32 = 0o2000;
    let (file, own) = (fs::metadata(program)?, fs::metadata("/proc/self")?);
    let differs = |bit: u32, theirs: u32, ours: u32| file.mode() & bit != 0 && theirs != ours;
    Ok(differs(SET_USER, file.uid(), own.uid()) || differs(SET_GROUP, file.gid(), own.gid()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A machine with libraries of these names, all of them copies of a real shared library's or program's header.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn with(libraries: &[&str]) -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            libraries.iter().for_each(|library| machine.copy("/proc/self/exe", library));
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn copy(&self, from: &str, name: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            symlink(fs::canonicalize(from).unwrap(), self.path(name)).unwrap();
        }

        fn script(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        fn preload(&self) -> Preload {
            let (root, path) = (self.path("usr"), self.path("bin").into());
            Preload { root, ldconfig: self.path("no-ldconfig"), path, own: None }
        }

        /// What is preloaded into this program with jemalloc.
        fn value(&self, program: &str) -> Result<Option<String>> {
            let env =
                self.preload().environment(program, self.0.path(), &BTreeMap::new(), Some(Allocator::Jemalloc))?;
            Ok(env.get(VARIABLE).cloned())
        }
    }

    const JEMALLOC: &str = "usr/lib/x86_64-linux-gnu/libjemalloc.so.2";

    /// A program that no loader starts: the test program, its only `PT_INTERP` overwritten.
    fn make_static(machine: &Machine, name: &str) {
        let mut bytes = fs::read("/bin/sh").unwrap();
        let table = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
        let (size, count) = (usize::from(bytes[54]), usize::from(bytes[56]));
        let entries = (0..count).map(|entry| table + entry * size);
        entries.filter(|at| bytes[*at] == 3).collect::<Vec<_>>().into_iter().for_each(|at| bytes[at] = 0);
        fs::create_dir_all(machine.path(name).parent().unwrap()).unwrap();
        fs::write(machine.path(name), bytes).unwrap();
    }

    #[test]
    fn the_library_stands_in_front_of_what_the_user_preloads() {
        let machine = Machine::with(&[JEMALLOC]);
        machine.copy("/bin/sh", "bin/tool");
        let library = machine.path(JEMALLOC).display().to_string();
        let env = |own: &str| [(VARIABLE.to_owned(), own.to_owned())].into();
        let run = |preload: Preload, env: &BTreeMap<_, _>| {
            preload.environment("tool", Path::new("/"), env, Some(Allocator::Jemalloc)).unwrap()[VARIABLE].clone()
        };
        assert_eq!(run(machine.preload(), &BTreeMap::new()), library);
        assert_eq!(run(machine.preload(), &env("libown.so")), format!("{library}:libown.so"));
        let preload = Preload { own: Some("libuser.so".to_owned()), ..machine.preload() };
        assert_eq!(run(preload.clone(), &BTreeMap::new()), format!("{library}:libuser.so"));
        assert_eq!(run(preload, &env("libown.so")), format!("{library}:libown.so"));
    }

    #[test]
    fn the_systems_allocator_and_none_preload_nothing() {
        let preload = Machine::with(&[]).preload();
        for allocator in [None, Some(Allocator::System)] {
            let env = preload.environment("no-such", Path::new("/"), &BTreeMap::new(), allocator).unwrap();
            assert!(env.is_empty());
        }
    }

    #[test]
    fn a_library_that_is_not_installed_is_named_with_the_command_that_installs_it() {
        let machine = Machine::with(&[]);
        machine.copy("/bin/sh", "bin/tool");
        let error = machine.value("tool").unwrap_err().to_string();
        assert_eq!(error, "libjemalloc.so.2 is not installed: install jemalloc");
        machine.script("bin/apt-get", "");
        let error = machine.value("tool").unwrap_err().to_string();
        assert_eq!(error, "libjemalloc.so.2 is not installed: apt-get install libjemalloc2");
    }

    #[test]
    fn a_library_for_another_processor_is_passed_over() {
        let machine = Machine::with(&["usr/local/lib/libjemalloc.so.2"]);
        machine.copy("/bin/sh", "bin/tool");
        let mut other = fs::read("/bin/sh").unwrap();
        other[18] = 0xf3; // RISC-V
        fs::create_dir_all(machine.path("usr/lib/riscv64-linux-gnu")).unwrap();
        fs::write(machine.path("usr/lib/riscv64-linux-gnu/libjemalloc.so.2"), other).unwrap();
        let library = machine.path("usr/local/lib/libjemalloc.so.2").display().to_string();
        assert_eq!(machine.value("tool").unwrap(), Some(library));
    }

    #[test]
    fn folders_that_the_loader_was_told_of_are_searched() {
        let machine = Machine::with(&["opt/lib/libjemalloc.so.2"]);
        machine.copy("/bin/sh", "bin/tool");
        let library = machine.path("opt/lib/libjemalloc.so.2").display().to_string();
        let write = Spec::new("sh").args(["-c", "cat > \"$0\" && chmod +x \"$0\""]).arg(machine.path("ldconfig"));
        let text = format!("#!/bin/sh\necho '1 libs found'; echo '\tlibjemalloc.so.2 (libc6,x86-64) => {library}'\n");
        process::run(&write.stdin(text)).unwrap().check("writing a script").unwrap();
        let preload = Preload { ldconfig: machine.path("ldconfig"), ..machine.preload() };
        let env = preload.environment("tool", Path::new("/"), &BTreeMap::new(), Some(Allocator::Jemalloc)).unwrap();
        assert_eq!(env[VARIABLE], library);
    }

    #[test]
    fn a_statically_linked_program_is_refused_however_it_is_named() {
        let machine = Machine::with(&[JEMALLOC]);
        make_static(&machine, "bin/frozen");
        machine.script("run.py", "#!/usr/bin/env -S LANG=C frozen --flag\n");
        machine.script("outer", "#!./run.py\n");
        for program in ["frozen", "bin/frozen", "./run.py", "./outer"] {
            let error = machine.value(program).unwrap_err().to_string();
            assert!(error.ends_with("frozen is statically linked: nothing can be preloaded into it"), "{error}");
        }
    }

    #[test]
    fn a_script_is_what_interprets_it_and_what_can_not_be_run_is_left_to_fail() {
        let machine = Machine::with(&[JEMALLOC]);
        machine.script("run.sh", "#!/bin/sh -e\necho\n");
        machine.script("text", "echo\n");
        machine.script("circle", "#!./circle\n");
        for program in ["./run.sh", "./text", "./circle", "no-such", "/no/such"] {
            assert!(machine.value(program).unwrap().is_some(), "{program}");
        }
    }

    #[test]
    fn a_program_with_the_rights_of_another_user_is_refused() {
        let machine = Machine::with(&[JEMALLOC]);
        fs::create_dir_all(machine.path("bin")).unwrap();
        fs::copy("/bin/sh", machine.path("bin/tool")).unwrap();
        fs::set_permissions(machine.path("bin/tool"), fs::Permissions::from_mode(0o4755)).unwrap();
        assert!(machine.value("tool").is_ok(), "one's own rights are no other's");
        let someone = 12_345;
        if std::os::unix::fs::chown(machine.path("bin/tool"), Some(someone), None).is_err() {
            return; // Only root can give a file away.
        }
        fs::set_permissions(machine.path("bin/tool"), fs::Permissions::from_mode(0o4755)).unwrap();
        let error = machine.value("tool").unwrap_err().to_string();
        assert!(error.ends_with("runs with its file's rights: what is to be preloaded is ignored"), "{error}");
    }

    #[test]
    fn an_installed_library_is_really_loaded() {
        for allocator in [Allocator::Jemalloc, Allocator::Mimalloc, Allocator::Snmalloc] {
            let here = Preload::here();
            let Ok(env) = here.environment("cat", Path::new("/"), &BTreeMap::new(), Some(allocator)) else {
                continue; // It is installed on some machines only.
            };
            let library = fs::canonicalize(env[VARIABLE].split(':').next().unwrap()).unwrap();
            let spec = Spec::new("cat").arg("/proc/self/maps").env(VARIABLE, &env[VARIABLE]);
            let output = process::run(&spec).unwrap().check("cat").unwrap();
            let maps = String::from_utf8(output.stdout).unwrap();
            assert!(maps.contains(library.to_str().unwrap()), "{maps}");
        }
    }
}
