//! The network installation: its exact command for this board, as far as anything says what board that is.

use super::boards::{self, Source};
use super::find::Found;
use super::plan::{Asked, Before, Draft, INSTALL_LIMIT_S, Subject, boot_port, catch_window, refuse};
use crate::plan::{Act, Effect};
use crate::target::quoted;
use crate::trouble::Trouble;
use routeros::wake::State as Line;

/// A word of the command, and why it is that one.
struct Told {
    word: Option<String>,
    why: String,
}

/// What stands for this board.
struct Command {
    architecture: Told,
    /// It is from the board itself, or from a table that lists it: another package would be wrong.
    certain: bool,
    version: Told,
}

fn board(found: &Found, before: &Before) -> Option<(String, &'static str)> {
    let line = match found {
        Found::Line { board, .. } => board.get("board type").map(str::to_owned),
        Found::Router { facts, .. } => Some(facts.board.clone()),
    };
    let earlier = || before.earlier.as_ref()?.board.clone().map(|board| (board, "by an earlier run's evidence"));
    let active = || before.active_board.clone().map(|board| (board, "the active's: both are of one model"));
    line.map(|board| (board, "by its own words")).or_else(earlier).or_else(active)
}

impl Command {
    fn of(found: &Found, before: &Before, asked: &Asked) -> Self {
        let (architecture, certain) = Self::architecture(found, before, asked);
        let active = before.active_version.clone().map(|version| (version, "what the active runs".to_owned()));
        let earlier = || {
            let earlier = before.earlier.as_ref()?;
            Some((earlier.version.clone()?, format!("what it ran in run {}", earlier.run)))
        };
        let version = match active.or_else(earlier) {
            Some((version, why)) => Told { word: Some(version), why },
            None => Told {
                word: None,
                why: "what the active runs:  /system resource print  on it, or the README's; a backup wants the same"
                    .into(),
            },
        };
        Self { architecture, certain, version }
    }

    fn architecture(found: &Found, before: &Before, asked: &Asked) -> (Told, bool) {
        if let Some(given) = &asked.architecture {
            return (Told { word: Some(given.clone()), why: "as given".into() }, true);
        }
        if let Some(earlier) = &before.earlier
            && let Some(architecture) = &earlier.architecture
        {
            let why = format!("what it said of itself in run {}", earlier.run);
            return (Told { word: Some(architecture.clone()), why }, true);
        }
        let of_package = asked.packages.iter().find_map(|package| boards::of_package(package));
        let by_package = |why: String| Told { word: of_package.map(str::to_owned), why };
        match board(found, before) {
            Some((name, whence)) => match boards::architecture(&name) {
                Some((architecture, source)) => {
                    let why = format!("of a {name} ({whence}): {}", source.says());
                    (Told { word: Some(architecture.to_owned()), why }, source > Source::Unverified)
                }
                None => (by_package(format!("the board {name} ({whence}) is not known here")), false),
            },
            None => (by_package("nothing says what board it is: its label, or mikrotik.com/products".into()), false),
        }
    }

    /// The words, with a name in capitals for what is not known.
    fn words(&self, asked: &Asked) -> Vec<String> {
        let arch = self.architecture.word.as_deref().unwrap_or("ARCHITECTURE");
        let version = self.version.word.as_deref().unwrap_or("VERSION");
        let name = match (arch, version.starts_with("6.")) {
            ("x86", false) => format!("routeros-{version}.npk"),
            (arch, true) => format!("routeros-{arch}-{version}.npk"),
            (arch, false) => format!("routeros-{version}-{arch}.npk"),
        };
        let mut words = vec![
            asked.netinstall.clone().unwrap_or_else(|| "netinstall-cli".into()),
            "-i".into(),
            asked.interface.clone().unwrap_or_else(|| "INTERFACE".into()),
        ];
        if asked.packages.is_empty() {
            words.push(name)
        } else {
            words.extend(asked.packages.iter().cloned())
        }
        words
    }

    /// The same as a line of a shell.
    fn line(&self, asked: &Asked) -> String {
        self.words(asked).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// Where its words come from, and what to look for where one is missing.
    fn notes(&self, asked: &Asked) -> Vec<String> {
        let said = |name: &str, told: &Told| match &told.word {
            Some(word) => format!("{name} {word}: {}", told.why),
            None => format!("{name}: {}", told.why),
        };
        let mut notes = vec![said("ARCHITECTURE", &self.architecture)];
        if asked.packages.is_empty() {
            notes.push(said("VERSION", &self.version));
        }
        if asked.interface.is_none() {
            notes.push("INTERFACE: this host's, on the cable to the port marked BOOT:  ip -brief link".into());
        }
        notes.push(FLAGS.into());
        notes
    }
}

/// What the flags do that no command here has.
const FLAGS: &str =
    "without a flag the configuration is kept; -r puts the factory's in its place, -e none at all; the licence stays";

/// The command for this board, for who runs it by hand, and where its words come from.
pub(super) fn by_hand(found: &Found, before: &Before, asked: &Asked) -> (String, Vec<String>) {
    let command = Command::of(found, before, asked);
    (command.line(asked), command.notes(asked))
}

/// The steps of an installation that is run here.
pub(super) fn netinstall(
    draft: &mut Draft,
    subject: &mut Subject,
    found: &Found,
    before: &Before,
    asked: &Asked,
) -> Result<(), Trouble> {
    let command = Command::of(found, before, asked);
    let (line, given) = (command.line(asked), !asked.packages.is_empty());
    let (Some(_), true, Some(_)) = (&asked.netinstall, given, &asked.interface) else {
        let mut trouble = refuse(
            "recover.netinstall",
            "a network installation needs a program and a package of this host",
        )
        .hint("a cable on the port marked BOOT (ether1) first; an HA cable on ether8 never boots a router")
        .hint("--netinstall PATH --package FILE [--package FILE] --boot-interface INTERFACE, or by hand:  etherboot")
        .hint(format!("the command for this board, as root:  {line}"));
        trouble.hints.extend(command.notes(asked));
        return Err(trouble);
    };
    for package in &asked.packages {
        if command.certain
            && let Some(wanted) = &command.architecture.word
            && let Some(has) = boards::of_package(package)
            && has != wanted
        {
            let message = format!("{package} is for {has}; this board takes {wanted} ({})", command.architecture.why);
            return Err(refuse("recover.package", message).hint("it is known better:  --architecture ARCHITECTURE"));
        }
    }
    boot_port(draft);
    draft.note(format!("run here, no shell:  {line}"));
    command.notes(asked).into_iter().for_each(|note| draft.note(note));
    draft.note("a storage that was formatted has no configuration to keep; files are not kept");
    catch_window(draft, subject);
    if subject.looping || matches!(found, Found::Line { state: Line::Menu(_), .. }) {
        draft.change(Act::EthernetOnce, "boot device: Ethernet once, then storage again");
    }
    draft.step(Act::Install, "network installation; wait for its login", Effect::Destructive, INSTALL_LIMIT_S);
    subject.argv = command.words(asked);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::of_line;
    use crate::recover::known::Earlier;
    use routeros::booter::BoardInfo;

    fn found(board: Option<&str>) -> Found {
        let state = Line::NoKernel;
        let diagnosis = of_line(&state).unwrap();
        Found::Line { state, seen: String::new(), board: BoardInfo::of_banner(board), diagnosis }
    }

    fn package(name: &str) -> Asked {
        Asked { packages: vec![name.into()], ..Asked::default() }
    }

    #[test]
    fn the_command_is_for_this_board() {
        let earlier = Earlier {
            run: "2026-11-22-01".into(),
            board: Some("CCR2116-12G-4S+".into()),
            architecture: Some("arm64".into()),
            version: Some("7.20.8".into()),
            ..Earlier::default()
        };
        let none = Before::default();
        let from_evidence = Before { earlier: Some(earlier), ..Before::default() };
        let from_active = Before {
            active_version: Some("6.49.18".into()),
            active_board: Some("CCR1036-8G-2S+".into()),
            ..Before::default()
        };
        for (board, before, asked, wanted, certain) in [
            (Some("RB450Gx4"), &none, Asked::default(), "routeros-VERSION-arm.npk", true),
            (Some("CCR1072-1G-8S+"), &none, Asked::default(), "routeros-VERSION-tile.npk", false),
            (None, &none, Asked::default(), "routeros-VERSION-ARCHITECTURE.npk", false),
            (None, &from_evidence, Asked::default(), "routeros-7.20.8-arm64.npk", true),
            (None, &from_active, Asked::default(), "routeros-tile-6.49.18.npk", true),
            (Some("RB9999"), &none, package("routeros-7.19.4-arm.npk"), "routeros-7.19.4-arm.npk", false),
            (
                Some("RB9999"),
                &from_active,
                Asked { architecture: Some("arm".into()), ..Asked::default() },
                "routeros-arm-6.49.18.npk",
                true,
            ),
        ] {
            let command = Command::of(&found(board), before, &asked);
            assert_eq!(command.words(&asked)[3], wanted, "{board:?}");
            assert_eq!(command.certain, certain, "{board:?}");
            // What is not known says what to look for, and what is known where from.
            let notes = command.notes(&asked).join("\n");
            assert!(notes.contains("ARCHITECTURE") && notes.contains("-r puts the factory's"), "{notes}");
        }
        let unknown = Command::of(&found(Some("RB9999")), &none, &package("routeros-7.19.4-arm.npk"));
        assert!(unknown.architecture.why.contains("RB9999 (by its own words) is not known here"));
        assert_eq!(unknown.architecture.word.as_deref(), Some("arm"), "the package's own name says it");
    }
}
