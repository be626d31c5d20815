//! Stops at each screenful: `-- [Q quit|D dump|down]`.

use super::keys::{Decoder, Key};
use super::wire::{INTERRUPT, Wire, is_continuation};

/// Shows the lines of a `print`, a screen at a time. False: quit by `Q` or by the client's end.
///
/// The footer names what there is: `right` for lines wider than the screen (alone when all rows fit), `up`,
/// `down` \[S8 S17\]. When the last row is shown and nothing is hidden the pager ends by itself \[I\].
pub(super) async fn page(wire: &Wire, lines: &[Vec<u8>]) -> bool {
    let size = wire.size();
    if size.shows_nothing() {
        return true;
    }
    let (columns, body) = (usize::from(size.columns), usize::from(size.rows.max(2)) - 1);
    let utf8 = wire.utf8();
    let widest = lines.iter().map(|line| width(line, utf8)).max().unwrap_or(0);
    if widest <= columns && lines.len() <= body {
        for line in lines {
            row(wire, line);
        }
        return true;
    }
    let (mut top, mut left) = (0, 0);
    // Rows that a key asks for: the first time, and after moving up or sideways, a whole screen.
    let mut fresh = 0..lines.len().min(body);
    loop {
        for line in &lines[fresh.clone()] {
            row(wire, slice(line, left, columns, utf8));
            wire.flush().await;
        }
        let shown = (top + body).min(lines.len());
        let (right, up, down) = (widest > left + columns, top > 0, shown < lines.len());
        if !right && !down && left == 0 {
            return true;
        }
        let parts = [(left > 0, "|left"), (right, "|right"), (up, "|up"), (down, "|down")];
        let names: String = parts.iter().filter(|(there, _)| *there).map(|(_, name)| *name).collect();
        let footer = format!("-- [Q quit|D dump{names}]");
        wire.put(format!("\r{footer}").as_bytes());
        let mut decoder = Decoder::default();
        fresh = loop {
            let Some(byte) = wire.byte().await else { return false };
            match decoder.feed(byte) {
                Some(Key::Text(b'q' | b'Q')) => {
                    erase(wire, &footer);
                    return false;
                }
                Some(Key::Ctrl(b'C')) => {
                    wire.unread(&[INTERRUPT]);
                    erase(wire, &footer);
                    return false;
                }
                Some(Key::Text(b'd' | b'D')) => {
                    erase(wire, &footer);
                    for line in &lines[shown..] {
                        row(wire, line);
                        wire.flush().await;
                    }
                    return true;
                }
                Some(Key::Text(b' ')) if down => {
                    top = shown;
                    break shown..(shown + body).min(lines.len());
                }
                Some(Key::Down | Key::Enter) if down => {
                    top += 1;
                    break shown..shown + 1;
                }
                Some(Key::Text(b' ') | Key::Enter) => {
                    erase(wire, &footer);
                    return true;
                }
                Some(Key::Up) if up => {
                    top -= 1;
                    break top..(top + body).min(lines.len());
                }
                Some(Key::Right) if right => {
                    left += columns / 2 + 1;
                    break top..shown;
                }
                Some(Key::Left) if left > 0 => {
                    left = left.saturating_sub(columns / 2 + 1);
                    break top..shown;
                }
                _ => {}
            }
        };
        erase(wire, &footer);
    }
}

fn row(wire: &Wire, line: &[u8]) {
    if line.is_empty() { wire.blank() } else { wire.line(line) }
}

fn erase(wire: &Wire, footer: &str) {
    wire.put(format!("\r{}\r", " ".repeat(footer.len())).as_bytes());
}

fn width(line: &[u8], utf8: bool) -> usize {
    if utf8 { line.iter().filter(|byte| !is_continuation(**byte)).count() } else { line.len() }
}

/// The columns `left..left + columns` of a line.
fn slice(line: &[u8], left: usize, columns: usize, utf8: bool) -> &[u8] {
    let mut starts =
        line.iter().enumerate().filter(|(_, byte)| !(utf8 && is_continuation(**byte))).map(|(at, _)| at).skip(left);
    let from = starts.next().unwrap_or(line.len());
    let to = if columns == 0 { from } else { starts.nth(columns - 1).unwrap_or(line.len()) };
    &line[from..to]
}
