//! Our own on-router HA scripts: what the pair itself runs.
//!
//! Each file of `ha/*.rsc` is the source of one `/system script` of the same name. They keep the
//! words that operators of such pairs know (functions, addresses, names, files); the code is ours.

use routeros::text::quote;
use sha2::{Digest, Sha256};

/// Placeholder in the sources for the build's name; the name is computed over the sources with the placeholder in place.
const BUILD_PLACEHOLDER: &str = "@BUILD@";

/// What a script may do: the list that the scripts give each other, too.
pub const POLICY: &str = "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon";

/// Puts the pair's password into the local `p` of a router whose `ha_config` has run: ours keep it in a PPP secret, since a
/// script's text is in every export; other builds in a global.
pub const PASSWORD_OF_PAIR: &str = ":global haPassword; :local p $haPassword; \
     :foreach i in=[/ppp secret find name=\"HA_PASSWORD\"] do={:set p [/ppp secret get $i password]}";

/// Script name and source, in the order in which they are put on a router.
const SOURCES: [(&str, &str); 33] = [
    ("ha_answer", include_str!("../ha/ha_answer.rsc")),
    ("ha_ask", include_str!("../ha/ha_ask.rsc")),
    ("ha_askown", include_str!("../ha/ha_askown.rsc")),
    ("ha_bootstrap", include_str!("../ha/ha_bootstrap.rsc")),
    ("ha_changed", include_str!("../ha/ha_changed.rsc")),
    ("ha_checkchanges", include_str!("../ha/ha_checkchanges.rsc")),
    ("ha_clean", include_str!("../ha/ha_clean.rsc")),
    ("ha_config", include_str!("../ha/ha_config.rsc")),
    ("ha_exposed", include_str!("../ha/ha_exposed.rsc")),
    ("ha_filelist", include_str!("../ha/ha_filelist.rsc")),
    ("ha_ftp", include_str!("../ha/ha_ftp.rsc")),
    ("ha_functions", include_str!("../ha/ha_functions.rsc")),
    ("ha_handover", include_str!("../ha/ha_handover.rsc")),
    ("ha_install", include_str!("../ha/ha_install.rsc")),
    ("ha_insync", include_str!("../ha/ha_insync.rsc")),
    ("ha_macs", include_str!("../ha/ha_macs.rsc")),
    ("ha_measure", include_str!("../ha/ha_measure.rsc")),
    ("ha_onbackup", include_str!("../ha/ha_onbackup.rsc")),
    ("ha_onmaster", include_str!("../ha/ha_onmaster.rsc")),
    ("ha_pushbackup", include_str!("../ha/ha_pushbackup.rsc")),
    ("ha_quietlist", include_str!("../ha/ha_quietlist.rsc")),
    ("ha_resend", include_str!("../ha/ha_resend.rsc")),
    ("ha_saveown", include_str!("../ha/ha_saveown.rsc")),
    ("ha_sendbackup", include_str!("../ha/ha_sendbackup.rsc")),
    ("ha_sendfiles", include_str!("../ha/ha_sendfiles.rsc")),
    ("ha_sendcerts", include_str!("../ha/ha_sendcerts.rsc")),
    ("ha_sendquiet", include_str!("../ha/ha_sendquiet.rsc")),
    ("ha_setconfigver", include_str!("../ha/ha_setconfigver.rsc")),
    ("ha_setidentity", include_str!("../ha/ha_setidentity.rsc")),
    ("ha_setpriority", include_str!("../ha/ha_setpriority.rsc")),
    ("ha_startup", include_str!("../ha/ha_startup.rsc")),
    ("ha_switchrole", include_str!("../ha/ha_switchrole.rsc")),
    ("ha_watch", include_str!("../ha/ha_watch.rsc")),
];

/// Names of the scripts of [`scripts`], without `ha_config_base`, which `$HAInstall` writes.
pub fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, _)| *name)
}

/// The build: version of this crate and the first 8 hex digits of SHA-256 over all sources in name order.
pub fn build() -> String {
    let mut hash = Sha256::new();
    for (name, source) in SOURCES {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(source.as_bytes());
    }
    let digest = hash.finalize();
    let hex: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("jumplead {} - {hex}", env!("CARGO_PKG_VERSION"))
}

/// Every script as (name, source), build name filled in.
pub fn scripts() -> Vec<(&'static str, String)> {
    let build = build();
    SOURCES.iter().map(|(name, source)| (*name, source.replace(BUILD_PLACEHOLDER, &build))).collect()
}

/// What `$HAInstall` asks for.
///
/// `Debug` doesn't show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PairConfig {
    /// Default-name of the HA port on both routers, e.g. `ether8`.
    pub interface: String,
    /// `orig-mac-address` of A's HA port, upper case with colons.
    pub mac_a: String,
    /// The same of B.
    pub mac_b: String,
    /// Password of the user `ha`; without quote, `$` and backslash.
    pub password: String,
}

impl std::fmt::Debug for PairConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairConfig")
            .field("interface", &self.interface)
            .field("mac_a", &self.mac_a)
            .field("mac_b", &self.mac_b)
            .finish_non_exhaustive()
    }
}

impl PairConfig {
    /// Source of the script `ha_config_base`, as `$HAInstall` writes it.
    pub fn base_source(&self) -> String {
        format!(
            ":global haInterface \"{}\"\n:global haMacA \"{}\"\n:global haMacB \"{}\"\n:global haPreferMac \"\"\n\
             :global haSync \"backup\"\n",
            self.interface, self.mac_a, self.mac_b
        )
    }

    /// `on-event` of the boot scheduler `ha_startup`, as `ha_install` writes it: closes the data ports before any script runs.
    pub fn startup_event(&self) -> String {
        let close =
            format!("/interface ethernet disable [find default-name!=\"{}\" comment!=\"HA_RESCUE\"]", self.interface);
        let fresh = "(([/system resource get uptime] < 5m) and ([:len [/log find buffer=\"memory\" message~\"ha_startup: DONE\"]] = 0))";
        format!(
            ":do {{:if {fresh} do={{{close}}}; /system script run ha_startup}} \
             on-error={{:if {fresh} do={{{close}; /interface vrrp disable [find name=\"HA_VRRP\"]; /log error \"ha_startup: FAILED - DATA PORTS CLOSED\"}} \
             else={{/log error \"ha_startup: console restarted, its check failed, ports left as they are\"}}}}"
        )
    }
}

/// Commands that leave a router as `HA_init.rsc` and `$HAInstall` leave it, without running startup: its next boot does. All
/// scripts, `ha_config_base` and the boot job.
pub fn render_installed(pair: &PairConfig) -> String {
    let mut out = render_init();
    out.push_str(&format!(
        "/system script add name=\"ha_config_base\" policy={POLICY} source={}\n",
        quote(pair.base_source())
    ));
    out.push_str(&format!(
        "/ppp secret add name=\"HA_PASSWORD\" password={} disabled=yes comment=\"HA_AUTO\"\n",
        quote(&pair.password)
    ));
    out.push_str(&format!(
        "/system scheduler add name=\"ha_startup\" comment=\"HA_AUTO\" start-time=startup policy={POLICY} on-event={}\n",
        quote(pair.startup_event())
    ));
    out
}

/// The importable `HA_init.rsc`: every script is first put beside its predecessor and only then takes its name, so that a file
/// that stops in the middle leaves the old ones working. It adds no scheduler and touches no interface.
pub fn render_init() -> String {
    let mut out = format!("# {}\n", build());
    for (name, source) in scripts() {
        out.push_str(&format!("/system script remove [find name=\"{name}_new\"]\n"));
        out.push_str(&format!("/system script add name=\"{name}_new\" policy={POLICY} source={}\n", quote(&source)));
    }
    for name in names() {
        out.push_str(&format!("/system script remove [find name=\"{name}\"]\n"));
        out.push_str(&format!("/system script set [find name=\"{name}_new\"] name=\"{name}\"\n"));
    }
    out.push_str("/system script run ha_functions\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_plain_and_fit_everywhere() {
        for (name, source) in scripts() {
            assert!(source.is_ascii(), "{name}: ASCII only");
            // `?` is a key on a 6.x console and an escape in its strings
            assert!(!source.contains('?'), "{name}: no question mark");
            assert!(!source.contains(BUILD_PLACEHOLDER), "{name}");
            assert!(!source.contains('\t') && !source.contains('\r'), "{name}");
        }
    }

    /// A word that a version does not know keeps a whole script from being read, and whether 6.43 and 6.44 know `as-value` of
    /// ping is not proved: it is parsed when it runs.
    #[test]
    fn ping_is_parsed_when_it_runs() {
        let lines = scripts().into_iter().flat_map(|(name, source)| {
            let lines: Vec<String> = source.lines().map(str::to_owned).collect();
            lines.into_iter().map(move |line| (name, line))
        });
        let pings: Vec<_> =
            lines.filter(|(_, line)| line.contains("/ping ") && !line.trim().starts_with('#')).collect();
        assert!(!pings.is_empty());
        for (name, line) in pings {
            assert!(line.contains("[:parse (\""), "{name}: {line}");
        }
    }

    #[test]
    fn the_boot_job_closes_ports_before_it_runs_anything() {
        let pair = PairConfig {
            interface: "ether8".into(),
            mac_a: "74:4D:28:00:00:0A".into(),
            mac_b: "74:4D:28:00:00:0B".into(),
            password: "x".into(),
        };
        let event = pair.startup_event();
        let close = event.find("disable").unwrap();
        let run = event.find("system script run").unwrap();
        assert!(close < run);
        assert!(!format!("{pair:?}").contains("\"x\""));
    }

    #[test]
    fn init_names_every_script_once() {
        let init = render_init();
        for name in names() {
            assert_eq!(init.matches(&format!("add name=\"{name}_new\"")).count(), 1, "{name}");
        }
        assert!(init.ends_with("/system script run ha_functions\n"));
        assert!(init.lines().all(|line| line.is_ascii()));
    }

    #[test]
    fn every_script_parses_on_both_versions() {
        let pair = PairConfig {
            interface: "ether8".into(),
            mac_a: "74:4D:28:00:00:0A".into(),
            mac_b: "74:4D:28:00:00:0B".into(),
            password: "x".into(),
        };
        for version in ["6.43.13", "6.44.6", "7.18.2", "7.24"] {
            let version: routeros_script::Version = version.parse().unwrap();
            let mut all = scripts();
            all.push(("ha_config_base", pair.base_source()));
            all.push(("on-event", pair.startup_event()));
            all.push(("HA_init.rsc", render_init()));
            all.push(("installed", render_installed(&pair)));
            for (name, source) in all {
                if let Err(error) = routeros_script::parse(source.as_bytes(), version) {
                    panic!("{name}: {}", error.message);
                }
                let report = routeros_script::lint(source.as_bytes(), version);
                let wrong = |finding: &&routeros_script::lint::Finding| {
                    finding.severity == routeros_script::lint::Severity::Error
                };
                if let Some(finding) = report.findings.iter().find(wrong) {
                    panic!("{name} on {version}: {}", finding.message);
                }
            }
        }
    }
}
