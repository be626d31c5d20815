//! Whether more than one packet may be on its way to a router: only one that has proved that it keeps its
//! acknowledgement at a gap may be sent a window (`mactelnet::proof`). The proof costs some round trips, so that it is
//! asked for by what transfers files, once for a router; what came of it is kept beside what is known of its logins.

use mactelnet::MacAddr;
use mactelnet::client::GapPolicy;
use mactelnet::proof::PeerTrait;

use super::MacRoad;
use crate::known::Proof;

impl MacRoad {
    /// How a session with this router begins.
    pub(super) fn gap(&self, mac: MacAddr) -> GapPolicy {
        let mut known = self.known.borrow_mut();
        match known.get(mac).gap {
            Some(proof) if self.announced_version(mac).is_none_or(|now| Some(now) == proof.version) => {
                GapPolicy::Trust(PeerTrait { holds_ack_at_gap: Some(proof.holds) })
            }
            // A single command is through sooner than a proof; and a peer that says nothing is asked once in a run.
            _ if self.listen && known.first_question(mac) => GapPolicy::Prove,
            _ => GapPolicy::OneOutstanding,
        }
    }

    /// What a session found out, to be kept; nothing where it was not asked.
    pub(super) fn proof(&self, mac: MacAddr, asked: GapPolicy, found: PeerTrait) -> Option<Proof> {
        let holds = found.holds_ack_at_gap.filter(|_| asked == GapPolicy::Prove)?;
        Some(Proof { holds, version: self.announced_version(mac) })
    }

    /// The version that the router announces, where it has been heard: another software is another peer.
    fn announced_version(&self, mac: MacAddr) -> Option<String> {
        let (router, ..) = self.watch.peek()?.sighting(mac)?;
        Some(router.version?.to_string())
    }
}
