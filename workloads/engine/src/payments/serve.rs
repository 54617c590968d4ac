//! The service alone, for k6 or curl: `engine serve`.

use std::io::{self, Write};
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
    let served = options(arguments).and_then(|options| serve(options).map_err(|error| error.to_string()));
    let failed = |text| {
        let _ = writeln!(io::stderr(), "{text}");
        ExitCode::from(2)
    };
    Some(served.map_or_else(failed, |()| ExitCode::SUCCESS))
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

fn serve(options: Options) -> io::Result<()> {
    let accounts = opening::accounts(ACCOUNTS);
    let payments: Shared = if options.before {
        Arc::new(Mutex::new(Before::open(accounts, KEYS)))
    } else {
        Arc::new(Mutex::new(After::open(accounts, KEYS)))
    };
    let server = Server::start(options.port, payments, Limits::default())?;
    writeln!(io::stdout(), "http://{}: {ACCOUNTS} accounts; Ctrl-C ends it", server.address())?;
    server.wait();
    Ok(())
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
    fn other_arguments_are_none_of_its_business() {
        assert!(by_hand(["list".to_owned()].into_iter()).is_none());
        assert!(by_hand(std::iter::empty()).is_none());
    }
}
