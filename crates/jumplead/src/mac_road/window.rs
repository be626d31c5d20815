//! Whether more than one packet may be on its way to a router: only one that has proved that it keeps its
//! acknowledgement at a gap may be sent a window (`mactelnet::proof`). The proof costs some round trips, so that it is
//! asked for by what transfers files, once for a router; what came of it is kept beside what is known of its logins.

use mactelnet::MacAddr;
use mactelnet::client::GapPolicy;
use mactelnet::proof::PeerTrait;

use super::MacRoad;
use crate::known::Proof;

impl MacRoad {
    /// How a session with this router begins. A peer whose version was not heard may be another one by now: it gets one
    /// packet at a time, as every single command does, which is through sooner than a proof.
    pub(super) fn gap(&self, mac: MacAddr) -> GapPolicy {
        let Some(version) = self.announced_version(mac) else { return GapPolicy::OneOutstanding };
        let mut known = self.known.borrow_mut();
        match known.get(mac).gap {
            Some(proof) if proof.version == version => {
                GapPolicy::Trust(PeerTrait { holds_ack_at_gap: Some(proof.holds) })
            }
            _ if self.listen && known.first_question(mac) => GapPolicy::Prove,
            _ => GapPolicy::OneOutstanding,
        }
    }

    /// What a session found out, to be kept; nothing where it was not asked.
    pub(super) fn proof(&self, mac: MacAddr, asked: GapPolicy, found: PeerTrait) -> Option<Proof> {
        let holds = found.holds_ack_at_gap.filter(|_| asked == GapPolicy::Prove)?;
        Some(Proof { holds, version: self.announced_version(mac)? })
    }

    /// The version that the router announces, where it has been heard: another software is another peer.
    fn announced_version(&self, mac: MacAddr) -> Option<String> {
        let (router, ..) = self.watch.peek()?.sighting(mac)?;
        Some(router.version?.to_string())
    }
}
