//! A proxy in front of a hub that checks requests and answers against GitHub's own description of its interface.
//!
//! The description comes from the package `@octokit/openapi`, the proxy is Prism (`@stoplight/prism-cli`); `openapi/` pins
//! both. Where the variable `CI` is set they are installed below the build folder when they are first needed, which takes node,
//! npm and a network, and what can't be checked fails. Elsewhere the check is made where they are installed already, and else
//! left out, which is said.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use super::Hub;

/// Below `tests/hub`.
const FILES: [&str; 5] = [".npmrc", "attended.mjs", "cut.mjs", "package.json", "package-lock.json"];
/// What the proxy reads: made once per installation, and last.
const DESCRIPTION: &str = "used.json";
/// What the proxy's log says before its address.
const LISTENING: &str = "Prism is listening on ";
/// What a line of its log begins with that tells of one.
const VIOLATION: &str = "VIOLATION ";

/// A running proxy. Dropping it ends it, and panics over violations that nobody has [asked for](Prism::violations).
#[derive(Debug)]
pub struct Prism {
    child: Child,
    url: String,
    /// Reads what it prints; returns the violations.
    log: Option<JoinHandle<Vec<String>>>,
}

impl Prism {
    /// Starts one in front of a hub, whose addresses then lead through it; `None` where it is not installed and need not be.
    pub fn before(hub: &Hub) -> Option<Self> {
        static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let needed = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        match INSTALLED.get_or_init(|| install(needed)) {
            Ok(folder) => {
                let prism = Self::start(folder, &hub.url());
                hub.behind(prism.url());
                Some(prism)
            }
            Err(reason) => {
                assert!(!needed, "{reason}");
                // Not by a macro of the test harness, which shows what passing tests print to nobody.
                drop(writeln!(io::stderr(), "NOT CHECKED against GitHub's description: {reason}"));
                None
            }
        }
    }

    fn start(folder: &Path, upstream: &str) -> Self {
        let mut child = command("node", folder)
            .args(["--import", "./attended.mjs", "node_modules/@stoplight/prism-cli/dist/index.js", "proxy"])
            .args([DESCRIPTION, upstream, "--errors", "--host", "127.0.0.1", "--port", "0"])
            .args(["--cors", "false", "--multiprocess", "false"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(line.split_once(LISTENING)?.1.trim().to_owned()));
        let log =
            thread::spawn(move || lines.filter_map(|line| Some(line.strip_prefix(VIOLATION)?.to_owned())).collect());
        Self { child, url: url.unwrap_or_else(|| panic!("the proxy has not started")), log: Some(log) }
    }

    /// What stands for [`Hub::url`].
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its folder below `/proc`.
    pub fn process(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.child.id()))
    }

    /// Ends the proxy; returns what it said of requests and answers that are not as described, a line each: method, path and
    /// the reasons in JSON.
    pub fn violations(mut self) -> Vec<String> {
        self.end()
    }

    fn end(&mut self) -> Vec<String> {
        // The end of its standard input is what it waits for.
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        self.log.take().map(|log| log.join().unwrap()).unwrap_or_default()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let violations = self.end();
        assert!(violations.is_empty() || thread::panicking(), "not as GitHub describes it: {violations:#?}");
    }
}

/// Where both packages are; installs them if they are not there and needed.
fn install(needed: bool) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hub/openapi");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi");
    fs::create_dir_all(&folder).unwrap();
    // Two test programs may come here at once. The lock goes with the file.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let same = |name: &&str| fs::read(source.join(name)).ok() == fs::read(folder.join(name)).ok();
    if FILES.iter().all(same) && folder.join(DESCRIPTION).exists() {
        return Ok(folder);
    }
    if !needed {
        return Err("it is not installed; CI=1 cargo test --test hub does that".to_owned());
    }
    drop(fs::remove_file(folder.join(DESCRIPTION)));
    for name in FILES {
        fs::copy(source.join(name), folder.join(name)).unwrap();
    }
    run("npm", &["ci"], &folder)?;
    run("node", &["cut.mjs", "unfinished.json"], &folder)?;
    // Hundreds of megabytes, of which nothing is needed any more.
    fs::remove_dir_all(folder.join("node_modules/@octokit")).unwrap();
    fs::rename(folder.join("unfinished.json"), folder.join(DESCRIPTION)).unwrap();
    Ok(folder)
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<(), String> {
    let output = command(program, folder).args(arguments).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{program} can't be started: {error}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "tests start programs that are no part of the tool")]
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("NO_COLOR", "1").env("SCARF_ANALYTICS", "false");
    command
}
