//! Both machines relive the sessions in `fixtures/captures`: the other end's captured packets come at their times, and
//! what our end does is compared in kind: the same offsets of both streams, the same acknowledgements, the same end.
//!
//! MD5 sessions come out byte for byte. Private keys of captured EC-SRP5 logins are not known, so there our client
//! makes its own key (same length, so every offset stays), and to our server the captured client's key and proof are
//! replaced by ones made for the server's key.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod capture;
mod clients;
mod pings;
mod servers;

use std::collections::BTreeSet;

use mactelnet::MacAddr;

const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
/// Wake-ups in a wait of a minute at most.
const MAX_ROUNDS: u32 = 1000;

/// The captures of MNDP: `captures.rs` reads them, there is no machine that relives an announcement.
const ANNOUNCEMENTS: [&str; 1] = ["e1"];

/// The tests take their captures from these lists.
#[test]
fn every_capture_is_relived() {
    let there: BTreeSet<String> = capture::files().iter().map(|path| capture::prefix(path)).collect();
    let besides = [&ANNOUNCEMENTS[..], &pings::PINGS].concat();
    for lived in [clients::relived(), servers::relived()] {
        let relived: BTreeSet<String> = lived.into_iter().chain(besides.clone()).map(str::to_owned).collect();
        assert_eq!(relived, there);
    }
}
