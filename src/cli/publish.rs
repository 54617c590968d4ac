//! `cargo perfplan publish`.

use anyhow::{Context, Result};

use super::Exit;
use super::args::PublishArgs;
use super::console::Console;
use super::judged;
use crate::build::Workspace;
use crate::github::{Client, Patience, Workplace};
use crate::pipeline::{self, Published, Usage};
use crate::publish::{Delivery, Letter, To, deliver};

const NO_TOKEN: &str = "no GITHUB_TOKEN: give the step `env: GITHUB_TOKEN: ${{ github.token }}`";

pub(super) fn publish(arguments: &PublishArgs, console: &Console) -> Result<Exit> {
    let folder = std::env::current_dir().context("finding the current folder")?;
    let root = Workspace::of(&folder).map_or(folder, |workspace| workspace.root);
    let workplace = Workplace::read(&|name| std::env::var(name).ok());
    if arguments.dry_run && arguments.artifact.is_none() {
        let published = pipeline::made_here(judged::load(&arguments.run)?, workplace.as_ref().ok());
        console.result(&pipeline::letter(&published, &arguments.name, &root)?.comment)?;
        return Ok(Exit::Pass);
    }
    let workplace = workplace.map_err(|error| {
        Usage(format!("publish is for jobs of GitHub Actions: {error:#}; elsewhere, --dry-run shows what it would say"))
    })?;
    let client = client(&workplace)?;
    let published = match &arguments.artifact {
        None => pipeline::made_here(judged::load(&arguments.run)?, Some(&workplace)),
        Some(name) => {
            let client = client.as_ref().ok_or_else(|| Usage(NO_TOKEN.to_owned()))?;
            match pipeline::made_elsewhere(client, &workplace, name, &root)? {
                Ok(published) => published,
                Err(why) => {
                    console.say(&format!("nothing to publish: {why}"));
                    return Ok(Exit::Pass);
                }
            }
        }
    };
    let letter = pipeline::letter(&published, &arguments.name, &root)?;
    if arguments.dry_run {
        console.result(&letter.comment)?;
        return Ok(Exit::Pass);
    }
    send(client.as_ref(), &workplace, published, &letter, arguments, console)
}

/// Says what is to be said, and how that went.
fn send(
    client: Option<&Client>,
    workplace: &Workplace,
    published: Published,
    letter: &Letter,
    arguments: &PublishArgs,
    console: &Console,
) -> Result<Exit> {
    let head = published.head.context("GITHUB_SHA is not set: nobody knows which commit was measured")?;
    let to = To {
        pull_request: published.pull_request,
        head,
        author: arguments.author.clone(),
        summary: workplace.summary.clone(),
    };
    if client.is_none() {
        console.warn(NO_TOKEN);
    }
    let delivery = deliver(client, &to, letter)?;
    tell(&delivery, console);
    Ok(if delivery.failed() { Exit::Failed } else { Exit::Pass })
}

fn client(workplace: &Workplace) -> Result<Option<Client>> {
    let Workplace { token, api_url, repository, .. } = workplace;
    let client = |token| Client::new(api_url.clone(), repository.clone(), token, Patience::default());
    token.clone().map(client).transpose()
}

fn tell(delivery: &Delivery, console: &Console) {
    for (place, how) in &delivery.done {
        console.say(&format!("{place}: {how}"));
    }
    for refused in &delivery.refused {
        console.warn(&format!("{} is missing: {}", refused.place, refused.refusal));
    }
}
