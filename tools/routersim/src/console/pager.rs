//! Stops at each screenful.

use super::wire::Wire;

/// Shows lines, a screen at a time. False: quit by `Q`.
pub(super) async fn page(wire: &Wire, lines: &[Vec<u8>]) -> bool {
    for line in lines {
        if line.is_empty() {
            wire.blank()
        } else {
            wire.line(line)
        }
        wire.flush().await;
    }
    true
}
