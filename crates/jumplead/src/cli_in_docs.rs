//! Every command that the documents tell somebody to type is one that there is.

use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::cli::Cli;

mod lines;
use lines::{commands, words};

#[test]
fn what_the_documents_say_to_type_is_a_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md"), root.join("ARCHITECTURE.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(docs.filter(|path| path.extension().is_some_and(|end| end == "md")));
    let (mut count, mut wrong) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for command in commands(&text) {
            // what the shell does with it is the shell's
            let words = words(command.split(" | ").flat_map(|part| part.split(" > ")).next().unwrap_or_default());
            // an outline, not a command
            if words.iter().any(|word| word.contains(['[', '|']) || ["...", "COMMAND"].contains(&word.as_str())) {
                continue;
            }
            count += 1;
            match Cli::try_parse_from(&words) {
                Ok(_) => {}
                // A command's name alone, in a sentence.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::MissingRequiredArgument
                            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                            | ErrorKind::DisplayHelp
                            | ErrorKind::DisplayVersion
                    ) => {}
                Err(error) => wrong.push(format!("{}: {command}\n{error}", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "{count} commands");
}
