//! Texts for other programs, made from the same definitions that the commands run by: completions, manual pages, the
//! schema of site files.

use bootstrap::site;
use clap::CommandFactory as _;
use serde_json::json;

use crate::cli::Cli;
use crate::failure::{Exit, Failure, Result};
use crate::output::Output;

/// Completions of all commands and options for one shell.
pub fn completions(out: &Output, shell: clap_complete::Shell) -> Result {
    let mut command = Cli::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "jumplead", &mut script);
    text(out, "script", &String::from_utf8_lossy(&script))
}

/// The manual page of the whole, or of one command.
pub fn man(out: &Output, path: &[String]) -> Result {
    let mut command = Cli::command();
    // Makes options that stand everywhere, and full names, known below.
    command.build();
    for name in path {
        let Some(below) = command.find_subcommand(name) else {
            return Err(Failure::new(
                Exit::Usage,
                "usage.command",
                format!("there is no command `{}`", path.join(" ")),
            )
            .hint("list them:  jumplead --help"));
        };
        command = below.clone();
    }
    // A page of its own is called as its file would be: jumplead-config-init.
    let title = std::iter::once("jumplead").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .title(title)
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Bug, "host.man", "the manual page could not be made").cause(error))?;
    text(out, "page", &String::from_utf8_lossy(&page))
}

/// What a site file may hold.
pub fn schema(out: &Output) -> Result {
    let schema = site::schema();
    if out.json {
        out.object(schema, &[]);
        return Ok(());
    }
    text(out, "schema", &format!("{schema:#}"))
}

fn text(out: &Output, what: &str, text: &str) -> Result {
    if out.json {
        out.object(json!({ what: text }), &[]);
    } else {
        out.data(text.trim_end());
    }
    Ok(())
}
