//! The file that gives an erased router the HA address, the HA user and FTP.

use crate::site::Site;
use crate::state::ha_address;
use crate::target::Member;
use routeros::Secret;
use routeros::text::quote;

/// Its name on the router.
pub const BOOTSTRAP_FILE: &str = "HA_jumplead_bootstrap.rsc";

/// The file's text. It may run twice, or after a part of it ran; on another router it stops at its second line.
///
/// A router cuts a script that runs after a reset off at 120 s \[K\]: its waits are shorter.
pub fn bootstrap_file(site: &Site, member: Member, ha_password: &Secret) -> String {
    let interface = quote(&site.ha_interface);
    let mac = quote(site.member(member).ha_mac.to_string());
    let address = ha_address(member);
    let password = quote(ha_password.reveal());
    format!(
        ":local n 0\n\
         :while (([:len [/interface ethernet find default-name={interface}]] = 0) and ($n < 60)) do={{ :delay 1; :set n ($n + 1) }}\n\
         :local port [/interface ethernet find default-name={interface}]\n\
         :if ([:tostr [/interface ethernet get $port orig-mac-address]] != {mac}) do={{ :error \"HA_jumplead: made for another router\" }}\n\
         :if ([:len [/ip address find address=\"{address}/24\"]] = 0) do={{ /ip address add address={address}/24 interface=[/interface ethernet get $port name] }}\n\
         :if ([:len [/user find name=\"ha\"]] = 0) do={{ /user add name=\"ha\" group=full password={password} }} else={{ /user set [find name=\"ha\"] group=full password={password} }}\n\
         :if ([:len [/file find name=\"HA_config-version.txt\"]] = 0) do={{ /file print file=HA_config-version; :delay 2 }}\n\
         /file set [find name=\"HA_config-version.txt\"] contents=\"none\"\n\
         /ip service set [:pick [/ip service find name=\"ftp\"] 0] disabled=no\n\
         /log warning \"HA_jumplead: bootstrapped\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fits_an_old_router_and_reads_as_meant() {
        let site = Site::parse(crate::site::tests::EDGE_1).unwrap();
        let text = bootstrap_file(&site, Member::B, &Secret::new("Abcdefgh-1"));
        assert!(text.len() < 4000, "contents of a file on 6.x: 4095 bytes");
        for version in ["6.43.13", "7.24"] {
            let version: routeros_script::Version = version.parse().unwrap();
            routeros_script::parse(text.as_bytes(), version).unwrap();
        }
        insta::assert_snapshot!(text);
    }
}
