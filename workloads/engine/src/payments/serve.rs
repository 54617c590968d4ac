//! The service alone, for k6 or curl: `engine serve`.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use super::after::After;
use super::before::Before;
use super::opening;
use super::routes::Limits;
use super::server::Server;
use super::service::Shared;

const HELP: &str = "serve [--port PORT] [--before]: the payments service on 127.0.0.1, until Ctrl-C
  --port PORT  8080, unless said; 0 takes any that is free
  --before     as it was before the optimisation";

const ACCOUNTS: usize = 10_000;
const KEYS: usize = 65_536;
const PORT: u16 = 8080;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Options {
    port: u16,
    before: bool,
}

/// Serves where the first of the program's arguments is `serve`; `None` where it is not.
pub(crate) fn by_hand(mut arguments: impl Iterator<Item = String>) -> Option<ExitCode> {
    arguments.next().filter(|word| word == "serve")?;
    let failed = |text: String, code: u8| {
        let _ = writeln!(io::stderr(), "{text}");
        ExitCode::from(code)
    };
    Some(match options(arguments) {
        Ok(options) => serve(options).map_or_else(|text| failed(text, 1), |()| ExitCode::SUCCESS),
        Err(text) => failed(text, 2),
    })
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { port: PORT, before: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--before" => options.before = true,
            "--port" => {
                let port = words.next().unwrap_or_default();
                options.port = port.parse().map_err(|_| format!("not a port: {port:?}\n{HELP}"))?;
            }
            _ => return Err(format!("unknown argument {word:?}\n{HELP}")),
        }
    }
    Ok(options)
}

/// # Errors
/// Why there is no service, in words, and what to do where its port is the reason.
fn serve(options: Options) -> Result<(), String> {
    let accounts = opening::accounts(ACCOUNTS);
    let payments: Shared = if options.before {
        Arc::new(Mutex::new(Before::open(accounts, KEYS)))
    } else {
        Arc::new(Mutex::new(After::open(accounts, KEYS)))
    };
    let server =
        Server::start(options.port, payments, Limits::default()).map_err(|error| refusal(options.port, &error))?;
    let told = writeln!(io::stdout(), "http://{}: {ACCOUNTS} accounts; Ctrl-C ends it", server.address());
    told.map_err(|error| format!("nobody can be told where it listens: {error}"))?;
    server.wait();
    Ok(())
}

fn refusal(port: u16, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => {
            "is taken; end what listens there, or choose another: --port PORT, 0 for any that is free"
        }
        ErrorKind::PermissionDenied => "is not for everybody; choose one from 1024 on: --port PORT",
        _ => "can't be served",
    };
    format!("port {port} {advice} ({error})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options_of(words: &[&str]) -> Result<Options, String> {
        options(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn the_port_and_the_implementation_can_be_chosen() {
        assert_eq!(options_of(&[]), Ok(Options { port: 8080, before: false }));
        assert_eq!(options_of(&["--port", "0", "--before"]), Ok(Options { port: 0, before: true }));
    }

    #[test]
    fn what_is_not_known_is_named_with_the_help() {
        for (words, named) in [
            (["--port", "x"], "not a port: \"x\""),
            (["--port", "65536"], "\"65536\""),
            (["--after", ""], "\"--after\""),
        ] {
            let said = options_of(&words).unwrap_err();
            assert!(said.contains(named) && said.contains("--before"), "{said}");
        }
    }

    #[test]
    fn a_port_that_is_not_to_be_had_is_named_with_what_to_do() {
        let said = |kind: ErrorKind| refusal(80, &kind.into());
        for (kind, advice) in [
            (ErrorKind::AddrInUse, "port 80 is taken; end what listens there, or choose another: --port"),
            (ErrorKind::PermissionDenied, "port 80 is not for everybody; choose one from 1024 on: --port"),
            (ErrorKind::OutOfMemory, "port 80 can't be served (out of memory)"),
        ] {
            assert!(said(kind).starts_with(advice), "{}", said(kind));
        }
    }

    #[test]
    fn other_arguments_are_none_of_its_business() {
        assert!(by_hand(["list".to_owned()].into_iter()).is_none());
        assert!(by_hand(std::iter::empty()).is_none());
    }
}
