//! What stands between password and prompt, in the order of routeros-console.md section 1.5.

use std::rc::Rc;

use super::host::{ConsoleHost, Welcome};
use super::wire::{INTERRUPT, Wire};
use crate::raw;

/// The letters of the banner, six rows each.
const M: [&str; 6] = ["MMM      MMM", "MMMM    MMMM", "MMM MMMM MMM", "MMM  MM  MMM", "MMM      MMM", "MMM      MMM"];
const I: [&str; 6] = ["   ", "   ", "III", "III", "III", "III"];
const K: [&str; 6] = ["KKK     ", "KKK     ", "KKK  KKK", "KKKKK   ", "KKK KKK ", "KKK  KKK"];
const R: [&str; 6] = ["        ", "        ", "RRRRRR  ", "RRR  RRR", "RRRRRR  ", "RRR  RRR"];
const O: [&str; 6] = ["        ", "        ", " OOOOOO ", "OOO  OOO", "OOO  OOO", " OOOOOO "];
const T: [&str; 6] = ["TTTTTTTTTTT", "TTTTTTTTTTT", "    TTT    ", "    TTT    ", "    TTT    ", "    TTT    "];

/// Banner, licence, key, help, note, log, default configuration. False: the client is gone.
pub(super) async fn show(wire: &Wire, host: &Rc<dyn ConsoleHost>, welcome: &Welcome, dumb: bool) -> bool {
    banner(wire, host, dumb);
    if welcome.license_question {
        if license(wire).await.is_none() {
            return false;
        }
        host.license_seen();
    }
    if let Some((software_id, left)) = &welcome.no_key
        && no_key(wire, software_id, left).await.is_none()
    {
        return false;
    }
    help(wire, host);
    if let Some(note) = &welcome.note {
        wire.line(&raw::bytes(note));
        wire.blank();
    }
    for line in &welcome.critical_log {
        wire.line(&raw::bytes(&format!("{} {} {}", line.stamp, line.topics, line.message)));
    }
    if !welcome.critical_log.is_empty() {
        wire.blank();
    }
    if let Some(text) = &welcome.default_configuration {
        return default_configuration(wire, host, text).await.is_some();
    }
    true
}

fn banner(wire: &Wire, host: &Rc<dyn ConsoleHost>, dumb: bool) {
    // Eight line ends before it in dumb mode [T18]; otherwise one empty line [T15].
    if dumb && !wire.size().shows_nothing() {
        wire.put(&b"\r\r\n".repeat(7));
        wire.put(b"\r\n");
    } else {
        wire.blank();
    }
    for row in 0..6 {
        let art =
            format!("  {}  {}  {}  {}  {} {} {}  {}", M[row], I[row], K[row], R[row], O[row], T[row], I[row], K[row]);
        wire.line(art.trim_end().as_bytes());
    }
    wire.blank();
    let version = host.version();
    let scheme = if version.is_v7() { "https" } else { "http" };
    let year = host.copyright_year();
    wire.line(format!("  MikroTik RouterOS {version} (c) 1999-{year}       {scheme}://www.mikrotik.com/").as_bytes());
    wire.blank();
}

fn help(wire: &Wire, host: &Rc<dyn ConsoleHost>) {
    if host.version().is_v7() {
        wire.line(b"Press F1 for help");
        wire.blank();
        return;
    }
    let rows: [&[u8]; 9] = [
        b"[?]             Gives the list of available commands",
        b"command [?]     Gives help on the command and list of arguments",
        b"",
        b"[Tab]           Completes the command/word. If the input is ambiguous,",
        b"                a second [Tab] gives possible options",
        b"",
        b"/               Move up to base level",
        b"..              Move up one level",
        b"/command        Use command at the base level",
    ];
    for row in rows {
        if row.is_empty() { wire.blank() } else { wire.line(row) }
    }
}

/// A single key: `n` goes on, `y` (and Enter, the capital letter: inferred) opens a pager.
async fn license(wire: &Wire) -> Option<()> {
    if wire.size().shows_nothing() {
        wire.put(b"\r\r\n");
    } else {
        wire.put(b"\rDo you want to see the software license? [Y/n]: \r\n");
    }
    loop {
        match wire.byte().await? {
            key @ (b'n' | b'N') => {
                wire.put(&[key, b'\r', b'\n']);
                return Some(());
            }
            INTERRUPT => {
                wire.put(b"\r\n");
                return Some(());
            }
            b'y' | b'Y' | b'\r' | b'\n' => {
                wire.put(b"y\r\n");
                return license_text(wire).await;
            }
            _ => {}
        }
    }
}

/// Paragraphs of the stand-in for the licence: what matters here is that it needs several screens.
const LICENSE_PARAGRAPHS: usize = 60;

async fn license_text(wire: &Wire) -> Option<()> {
    let rows = usize::from(wire.size().rows).saturating_sub(1).max(1);
    for paragraph in 1..=LICENSE_PARAGRAPHS {
        wire.line(format!("{paragraph}. (The text of the software license is not part of this simulator.)").as_bytes());
        if paragraph % rows != 0 && paragraph != LICENSE_PARAGRAPHS {
            continue;
        }
        // Left with `q` Enter [S16].
        wire.put(b"press Enter (q to abort)");
        let mut quit = false;
        loop {
            match wire.byte().await? {
                b'\r' | b'\n' => break,
                INTERRUPT => {
                    quit = true;
                    break;
                }
                byte => quit = matches!(byte, b'q' | b'Q'),
            }
        }
        wire.put(b"\r\n");
        if quit {
            break;
        }
    }
    Some(())
}

async fn no_key(wire: &Wire, software_id: &str, left: &str) -> Option<()> {
    wire.line(b"ROUTER HAS NO SOFTWARE KEY");
    wire.line(b"----------------------------");
    wire.line(format!("You have {left} to configure the router to be remotely accessible,").as_bytes());
    wire.line(b"and to enter the key by pasting it in a Telnet window or in Winbox.");
    wire.line(b"Turn off the device to stop the timer.");
    wire.line(b"See www.mikrotik.com/key for more details.");
    wire.blank();
    wire.line(format!("Current installation \"software ID\": {software_id}").as_bytes());
    wire.line(b"Please press \"Enter\" to continue!");
    loop {
        if matches!(wire.byte().await?, b'\r' | b'\n' | INTERRUPT) {
            wire.put(b"\r\n");
            return Some(());
        }
    }
}

/// Takes ONE key, whatever it is; `r` removes the configuration \[K T16\].
async fn default_configuration(wire: &Wire, host: &Rc<dyn ConsoleHost>, text: &str) -> Option<()> {
    let rule = b"-".repeat(79);
    wire.line(b"The following default configuration has been installed on your router:");
    wire.line(&rule);
    wire.line(text.as_bytes());
    wire.blank();
    wire.line(&rule);
    loop {
        wire.line(b"You can type \"v\" to see the exact commands that are used to add and remove");
        wire.line(b"this default configuration, or you can view them later with");
        wire.line(b"'/system default-configuration print' command.");
        wire.line(b"To remove this default configuration type \"r\" or hit any other key to continue.");
        wire.line(b"If you are connected using the above IP and you remove it, you will be disconnected.");
        match wire.byte().await? {
            b'v' | b'V' => {
                for line in host.default_configuration_script() {
                    wire.line(line.as_bytes());
                    wire.flush().await;
                }
            }
            key => {
                host.default_configuration_answered(matches!(key, b'r' | b'R'));
                wire.put(b"\r\n");
                return Some(());
            }
        }
    }
}
