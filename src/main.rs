//! `cargo perfplan`: the way in. It alone exits.

use std::path::Path;
use std::process::ExitCode;

use perfplan::{build, cli, measure, process};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    // Builds call this program as their linker, under another name.
    if Path::new(&name).file_name().is_some_and(|name| name == build::WRAPPER) {
        return build::link_main(arguments.collect()).into();
    }
    // To see what a machine can see, this program measures itself.
    if let Some(ended) = measure::serve() {
        return ended;
    }
    // First of all, while there is one thread: whatever ends this process, its children end too.
    let guardian = process::Guardian::start();
    cli::main(arguments, guardian.err())
}
