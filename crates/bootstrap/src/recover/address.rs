//! A wrong address in the pair's configuration is replaced by the router's own, on both members.

use super::job::{RouterJob, closed};
use crate::engine::Probe;
use crate::mac::Mac;
use crate::pair::Users;
use crate::road::Purpose;
use crate::trouble::Trouble;

/// Replaces one address by another in the pair's configuration, wherever it stands there.
fn replace_mac(from: Mac, to: Mac) -> String {
    format!(
        ":local s [/system script get [find name=\"ha_config_base\"] source]; :local i [:find $s \"{from}\"]; \
         :if ([:typeof $i] = \"num\") do={{/system script set [find name=\"ha_config_base\"] source=([:pick $s 0 $i] . \"{to}\" . [:pick $s ($i + 17) [:len $s]])}}"
    )
}

const HAS_MAC: &str = ":put (\"at=\" . [:typeof [:find [/system script get [find name=\"ha_config_base\"] source]";

impl RouterJob<'_> {
    fn macs(&self) -> Result<(Mac, Mac), Trouble> {
        self.subject.wrong_mac.zip(self.subject.mac).ok_or_else(closed)
    }

    pub(super) async fn probe_right_mac(&mut self) -> Result<Probe, Trouble> {
        let (wrong, _) = self.macs()?;
        let text = self.look(&format!("{HAS_MAC} \"{wrong}\"]])")).await?;
        let on = self.count("[/system scheduler find where name=\"ha_startup\" and disabled=no]").await?;
        Ok(if text.contains("at=nil") && on > 0 { Probe::Done(None) } else { Probe::NotDone })
    }

    pub(super) async fn right_mac(&mut self) -> Result<Option<String>, Trouble> {
        let (wrong, own) = self.macs()?;
        self.run(replace_mac(wrong, own)).await.map_err(Trouble::acted)?;
        self.run("/system scheduler enable [find name=\"ha_startup\"]").await.map_err(Trouble::acted)?;
        self.say("its configuration has its own address; it was not restarted yet");
        Ok(None)
    }

    pub(super) async fn probe_peer_mac(&mut self) -> Result<Probe, Trouble> {
        let (Some((pair, member)), Some(wrong)) = (self.access.pair, self.subject.peer_mac) else {
            return Ok(Probe::Done(None));
        };
        let peer = pair.open(member.other(), Purpose::Write, Users::OfA).await?;
        let text = peer.shell.run(format!("{HAS_MAC} \"{wrong}\"]])")).await.map(|output| output.text);
        pair.roads.give_back(peer).await;
        Ok(if text?.contains("at=nil") { Probe::Done(None) } else { Probe::NotDone })
    }

    pub(super) async fn peer_mac(&mut self) -> Result<Option<String>, Trouble> {
        let (Some((pair, member)), Some(wrong), Some(own)) =
            (self.access.pair, self.subject.peer_mac, self.subject.mac)
        else {
            return Ok(None);
        };
        let peer = pair.open(member.other(), Purpose::Write, Users::OfA).await?;
        let done = peer.shell.run(replace_mac(wrong, own)).await;
        pair.roads.give_back(peer).await;
        done.map_err(|error| Trouble::from(error).acted())?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_parses_on_both_versions() {
        let (a, b): (Mac, Mac) = ("74:4D:28:00:00:0A".parse().unwrap(), "74:4D:28:00:00:0B".parse().unwrap());
        for version in ["6.43.13", "7.24"] {
            let version: routeros_script::Version = version.parse().unwrap();
            for line in [replace_mac(a, b), format!("{HAS_MAC} \"{a}\"]])")] {
                routeros_script::parse(line.as_bytes(), version)
                    .unwrap_or_else(|error| panic!("{line}: {}", error.message));
            }
        }
    }
}
