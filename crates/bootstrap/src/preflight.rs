//! Named checks before anything is changed.

use crate::facts::Facts;
use crate::marker::{CHECK, Marker};
use crate::proof::{ProofError, Target};
use crate::site::{Site, Sync};
use crate::state::{State, leftovers};
use crate::target::Member;
use routeros::Version;
use serde::{Deserialize, Serialize};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Fine.
    Pass,
    /// Fine, but somebody should know.
    Warn,
    /// Not fine, and the operator waived it.
    Waived,
    /// Not fine.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, as `--waive` takes it.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// It says who a router is, or nothing works without it: it can't be waived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub firm: bool,
}

impl Check {
    fn new(name: &str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { name: name.to_owned(), verdict, found: found.into(), hint: None, firm: false }
    }

    fn firm(mut self) -> Self {
        self.firm = true;
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What was found out about both members.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Router A.
    pub a: Facts,
    /// A is who it should be.
    pub a_proof: Result<Target, ProofError>,
    /// A's HA scripts have the password that we have; `None` where that could not be asked.
    pub a_password_fits: Option<bool>,
    /// The version of A's configuration.
    pub a_version: Option<String>,
    /// A's ports that shut themselves when they hear a clone of A; asked where the sync makes one.
    pub a_loop_protect: Vec<String>,
    /// The run marker that lies on A, and whether it is this state folder's own.
    pub a_marker: Option<(Marker, bool)>,
    /// What the quiet way can't carry from A; asked where the site file wants that way.
    pub not_carried: Vec<String>,
    /// Router B.
    pub b: Facts,
    /// B is who it should be.
    pub b_proof: Result<Target, ProofError>,
    /// The version that B says it runs.
    pub b_version: Option<String>,
    /// Whose login was one that can be guessed offline.
    pub weak_logins: Vec<Member>,
    /// The roads that were taken, A's and B's.
    pub roads: (String, String),
}

/// Versions whose own faults break a pair, with the reason.
fn known_bad(version: Version) -> Option<&'static str> {
    match (version.major, version.minor, version.patch) {
        (6, 40, _) => Some("Ethernet ports come up after the startup job: both routers became active"),
        (6, 43, 8) => Some("random reboots, logins hang after the banner"),
        (6, 46, 0) => Some("files named .auto.rsc are not run: the standby never loads what it gets"),
        _ => None,
    }
}

/// A run that another host began, or that was killed there; the lock of this host's own state folder is looked at elsewhere.
fn run_marker(marker: &Marker, own: bool) -> Check {
    if own {
        return Check::new(CHECK, Verdict::Pass, format!("a marker of this host's own lies on a: {marker}"));
    }
    Check::new(CHECK, Verdict::Fail, format!("another run marks a as its own: {marker}"))
        .hint(format!("ask who that is, and wait; if nobody is at work, that run was killed:  --waive {CHECK}"))
}

/// The run record keeps that it was so.
fn weak_login(member: Member) -> Check {
    Check::new(
        &format!("{member}-login-md5"),
        Verdict::Warn,
        format!("router {member} logged us in by MD5: who heard it can guess the password offline"),
    )
    .hint("change this password when the pair is done; RouterOS 6.45.1 and newer have a better login")
}

/// All checks of a bootstrap of B. `waived` names the failed ones to accept.
pub fn bootstrap(site: &Site, survey: &Survey, waived: &[String]) -> Vec<Check> {
    use Verdict::{Fail, Pass, Warn};
    let (a, b) = (&survey.a, &survey.b);
    let mut checks = vec![identity(Member::A, &survey.a_proof), identity(Member::B, &survey.b_proof)];

    checks.extend(survey.a_marker.as_ref().map(|(marker, own)| run_marker(marker, *own)));
    checks.extend(survey.weak_logins.iter().map(|member| weak_login(*member)));
    let b_state = survey.b_proof.as_ref().map(Target::state).ok();
    checks.push(if b.is_active() {
        Check::new("b-is-not-active", Fail, "router b is the active of a pair")
            .firm()
            .hint("is the site file the wrong way round? See who is who:  jumplead discover")
    } else {
        Check::new("b-is-not-active", Pass, "VRRP does not run as master on b").firm()
    });
    checks.extend(other_pair(site, b));
    checks.push(if a.is_active() {
        Check::new("a-is-active", Pass, "HA_VRRP is master on a")
    } else if a.ha.is_some() && a.scripts.iter().any(|script| script == "ha_startup") {
        Check::new("a-is-active", Fail, "HA_VRRP is not master on a")
            .firm()
            .hint("only an active can give its configuration away; wait until a's startup is done, or repair it")
    } else {
        Check::new("a-is-active", Fail, "a is no member of a pair yet").firm()
    });
    checks.push(ha_scripts(a));
    if let Some(ha) = &a.ha {
        let same =
            ha.interface == site.ha_interface && ha.mac_a == Some(site.a.ha_mac) && ha.mac_b == Some(site.b.ha_mac);
        let shown = |mac: Option<crate::mac::Mac>| mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string());
        let found = format!("a's pair is {} {} / {}", ha.interface, shown(ha.mac_a), shown(ha.mac_b));
        checks.push(if same {
            Check::new("a-pair-is-the-site-files", Pass, found)
        } else {
            Check::new("a-pair-is-the-site-files", Fail, found)
                .firm()
                .hint("a replaced router needs $HAInstall on a with the new address first")
        });
    }
    checks.push(match survey.a_password_fits {
        Some(true) => Check::new("a-ha-password", Pass, "a's HA password is the site file's"),
        Some(false) => Check::new("a-ha-password", Fail, "a's HA password is another one")
            .hint("set secrets.ha_password to the one that a was installed with"),
        None => Check::new("a-ha-password", Warn, "a did not say whether its HA password is the site file's"),
    });
    checks.push(if a.board == b.board {
        Check::new("same-board", Pass, a.board.clone())
    } else {
        Check::new("same-board", Fail, format!("a is {}, b is {}", a.board, b.board))
            .hint("a sync goes to the same model only")
    });
    checks.push(if a.version == b.version {
        Check::new("same-version", Pass, a.version.clone())
    } else {
        Check::new("same-version", Fail, format!("a runs {}, b runs {}", a.version, b.version))
            .hint("a sync goes to the same version only: bring b to a's version first")
    });
    checks.push(routeros(a));
    checks.push(port_name(site, a));
    checks.push(link(site, a));
    checks.extend(staged_packages(a));
    checks.push(match b_state {
        Some(State::Configured | State::HaUnsettled) => {
            let found = leftovers(b, Member::B, &site.ha_interface);
            let shown = found.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            Check::new("b-is-clean", Warn, format!("b must be reset: {} things configured, {shown}", found.len()))
        }
        Some(state) => Check::new("b-is-clean", Pass, state.to_string()),
        None => Check::new("b-is-clean", Fail, "it is not known which router this is").firm(),
    });
    if let (Ok(target), Some(State::Configured | State::HaUnsettled)) = (&survey.b_proof, b_state) {
        let name = "b-serial-number-known";
        checks.push(if target.can_be_confirmed() {
            Check::new(name, Pass, target.erase_name()).firm()
        } else if target.hides_serial() {
            Check::new(name, Fail, "b must be reset; the site file names its serial number, and b says none")
                .firm()
                .hint("see on it:  /system routerboard print   a board without one has no pair.b.serial_number")
        } else {
            Check::new(name, Fail, "b must be reset, and the site file does not say its serial number").firm().hint(
                format!("compare the label with what b says, {}, and set pair.b.serial_number", target.erase_name()),
            )
        });
    }
    checks.extend(way_of_sync(site, survey));
    for check in &mut checks {
        if check.verdict == Fail && !check.firm && waived.contains(&check.name) {
            check.verdict = Verdict::Waived;
        }
    }
    checks
}

/// Some check failed and was not waived.
pub fn refused(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.verdict == Verdict::Fail)
}

/// The site file's way of sync, whether these routers can do it, and what it costs.
fn way_of_sync(site: &Site, survey: &Survey) -> Vec<Check> {
    use Verdict::{Fail, Pass, Warn};
    let (a, b) = (&survey.a, &survey.b);
    let name = "a-sync-is-the-site-files";
    let of_a = a.ha.as_ref().and_then(|ha| ha.sync);
    let mut checks = Vec::new();
    // Only scripts that carry directories know where such a board keeps files.
    let flash = [(Member::A, a), (Member::B, b)].into_iter().find(|(_, facts)| facts.has_flash_folder());
    if let Some((member, _)) = flash
        && !a.scripts.iter().any(|script| script == "ha_sendfiles")
    {
        let found =
            format!("{member} keeps files over a restart only below flash/, a's HA scripts put theirs elsewhere");
        checks.push(
            Check::new("a-knows-flash", Fail, found)
                .firm()
                .hint("import a newer HA_init.rsc on a, then $HAInstall there"),
        );
    }
    match site.sync {
        Sync::Backup => {
            if of_a == Some(Sync::Quiet) {
                checks.push(Check::new(name, Fail, "a syncs by sync=quiet, the site file says backup").firm().hint(
                    "set pair.sync = \"quiet\" in the site file, or give a the other way: $HAInstall ... sync=backup",
                ));
            }
            // A standby that has a's configuration is not restarted.
            let in_sync = survey.a_version.is_some() && survey.a_version == survey.b_version;
            let stays = in_sync && survey.b_proof.as_ref().is_ok_and(|target| target.state() == State::Standby);
            checks.extend((!stays).then(|| {
                Check::new("b-data-ports-uncabled", Warn, "b boots once with a's addresses on its data ports")
                    .hint("keep b's data cables out, or its switch ports shut, until the run is done")
            }));
            if !survey.not_carried.is_empty() {
                let found = format!("NOT CARRIED: {}", survey.not_carried.join("; NOT CARRIED: "));
                checks.push(Check::new("backup-carries-all", Warn, found).hint("bring these to b by hand"));
            }
            if !survey.a_loop_protect.is_empty() {
                let ports = survey.a_loop_protect.join(", ");
                checks.push(
                    Check::new("a-loop-protect", Warn, format!("loop-protect is on at a's {ports}: b's start can shut them"))
                        .hint("b's data cables out, or on a:  /interface ethernet set [find loop-protect=on] loop-protect=off"),
                );
            }
            checks
        }
        Sync::Quiet => {
            checks.push(match of_a {
                Some(Sync::Quiet) => Check::new(name, Pass, "quiet"),
                _ => Check::new(name, Warn, "a syncs by backup so far; the plan changes that, also for later syncs"),
            });
            let scripts = a.scripts.iter().any(|script| script == "ha_sendquiet");
            let name = "a-can-sync-quietly";
            checks.push(if scripts {
                Check::new(name, Pass, "a's HA scripts can")
            } else {
                Check::new(name, Fail, "a's HA scripts know no quiet way")
                    .firm()
                    .hint("import a newer HA_init.rsc on a, or set pair.sync = \"backup\"")
            });
            let name = "quiet-carries-all";
            checks.push(if survey.not_carried.is_empty() {
                Check::new(name, Warn, "a did not say what an export leaves behind")
            } else {
                Check::new(name, Warn, format!("NOT CARRIED: {}", survey.not_carried.join("; NOT CARRIED: ")))
                    .hint("bring these to b by hand, or set pair.sync = \"backup\"")
            });
            checks.push(users(site, a));
            checks.extend(keys(site, &survey.b));
            checks.push(Check::new("b-data-ports-uncabled", Pass, "no need: they stay shut, with their own addresses"));
            checks
        }
    }
}

/// Who can't log in to B afterwards. No router tells a password, so the site file says whose it knows.
fn users(site: &Site, a: &Facts) -> Check {
    let given = |name: &&String| {
        name.as_str() == "ha"
            || site.a.password.is_some() && **name == site.a.user
            || site.users.iter().any(|user| user.name == **name)
    };
    let lacking: Vec<&str> = a.users.iter().filter(|name| !given(name)).map(String::as_str).collect();
    if lacking.is_empty() {
        return Check::new("quiet-users", Verdict::Pass, "b gets a's users from the site file");
    }
    Check::new("quiet-users", Verdict::Warn, format!("users of a that b does not get: {}", lacking.join(", ")))
        .hint("name them in the site file, each as [[pair.users]] with its group, password and ssh_keys")
}

/// Keys of users that B's version refuses to import: an elliptic curve's on 6.x, and on 7.x up to 7.9 (both were posted; that 7.10
/// takes them is inferred).
fn keys(site: &Site, b: &Facts) -> Option<Check> {
    let curve = |line: &String| !line.starts_with("ssh-rsa ") && !line.starts_with("ssh-dss ");
    let old = b.version().filter(|version| *version < Version::new(7, 10, 0))?;
    let with: Vec<&str> =
        site.users.iter().filter(|user| user.ssh_keys.iter().any(curve)).map(|user| user.name.as_str()).collect();
    (!with.is_empty()).then(|| {
        let found = format!("RouterOS {old} imports no SSH keys but RSA ones; others are given to {}", with.join(", "));
        Check::new("b-takes-ssh-keys", Verdict::Fail, found)
            .hint("put RSA keys into ssh_keys of the site file, or none")
    })
}

fn identity(member: Member, proof: &Result<Target, ProofError>) -> Check {
    let name = format!("{member}-identity-proven");
    match proof {
        Ok(target) => {
            let mut found = format!("agree: {}", target.used().join(", "));
            if !target.missing().is_empty() {
                found.push_str(&format!("; not seen: {}", target.missing().join(", ")));
            }
            Check::new(&name, Verdict::Pass, found).firm()
        }
        Err(error) => Check::new(&name, Verdict::Fail, error.to_string())
            .firm()
            .hint(format!("check ha_mac and serial_number of pair.{member}, and which router is on the cable")),
    }
}

/// B carries HA scripts, and not those of this pair: see [`crate::facts::Ha::is_of`].
fn other_pair(site: &Site, b: &Facts) -> Option<Check> {
    if !b.scripts.iter().any(|script| script == "ha_startup") {
        return None;
    }
    if b.ha.as_ref().is_some_and(|ha| ha.is_of(site)) {
        return None;
    }
    let found = b.ha.as_ref().map_or_else(
        || "b has HA scripts that do not say of which pair".to_owned(),
        |ha| format!("b's pair is {}", ha.pair()),
    );
    Some(
        Check::new("b-is-of-no-other-pair", Verdict::Fail, found)
            .firm()
            .hint("is it the right router? If it is, take its configuration away by hand first: it belonged to a pair"),
    )
}

/// A can give its configuration away only by scripts that know which pair it is of, which `$HAInstall` tells them.
fn ha_scripts(a: &Facts) -> Check {
    let name = "a-ha-scripts";
    let missing = missing_scripts(a);
    if !missing.is_empty() {
        return Check::new(name, Verdict::Fail, format!("missing on a: {}", missing.join(", "))).firm().hint(
            "put the HA scripts on a first:  jumplead ha render > HA_init.rsc  makes the file; import it there, then run $HAInstall (docs/ha-scripts.md)",
        );
    }
    match &a.ha {
        Some(ha) => Check::new(name, Verdict::Pass, ha.build.as_str()),
        None => {
            Check::new(name, Verdict::Fail, "a has the HA scripts, and they know of no pair: $HAInstall was not run")
                .firm()
                .hint("on a:  $HAInstall interface=.. macA=.. macB=.. password=..  (docs/ha-scripts.md)")
        }
    }
}

fn missing_scripts(a: &Facts) -> Vec<&'static str> {
    // those that a hand-off needs; other builds have other ones beside them
    const NEEDED: [&str; 5] = ["ha_config", "ha_functions", "ha_startup", "ha_setconfigver", "ha_pushbackup"];
    NEEDED.into_iter().filter(|name| !a.scripts.iter().any(|script| script == name)).collect()
}

fn routeros(a: &Facts) -> Check {
    let name = "routeros-known-good";
    match a.version() {
        None => Check::new(name, Verdict::Warn, format!("version `{}` is not understood", a.version)),
        Some(version) => match known_bad(version) {
            Some(why) => {
                Check::new(name, Verdict::Fail, format!("{version}: {why}")).hint("change the version of both first")
            }
            None if version < Version::new(6, 43, 0) => {
                Check::new(name, Verdict::Warn, format!("{version} is older than anything that was tried"))
            }
            None => Check::new(name, Verdict::Pass, version.to_string()),
        },
    }
}

fn port_name(site: &Site, a: &Facts) -> Check {
    let name = "ha-port-default-name";
    match a.port(&site.ha_interface) {
        Some(port) if port.name == port.default_name => Check::new(name, Verdict::Pass, port.name.clone()),
        Some(port) => Check::new(name, Verdict::Fail, format!("a's {} is named {}", port.default_name, port.name))
            .hint("the HA scripts want the HA port to have its default-name"),
        None => Check::new(name, Verdict::Fail, format!("a has no port {}", site.ha_interface)),
    }
}

fn link(site: &Site, a: &Facts) -> Check {
    match a.port(&site.ha_interface) {
        Some(port) if port.disabled => {
            Check::new("ha-port-link", Verdict::Fail, format!("a's {} is switched off", port.default_name))
        }
        Some(port) if port.running => Check::new("ha-port-link", Verdict::Pass, "link is up"),
        _ => Check::new("ha-port-link", Verdict::Fail, format!("a's {} has no link", site.ha_interface))
            .hint("check the cable between the HA ports, and that b is on"),
    }
}

fn staged_packages(a: &Facts) -> Option<Check> {
    let packages: Vec<&str> =
        a.files.iter().filter(|file| file.ends_with(".npk") && !file.contains('/')).map(String::as_str).collect();
    (!packages.is_empty()).then(|| {
        Check::new("a-no-staged-package", Verdict::Warn, format!("a's next reboot installs {}", packages.join(", ")))
            .hint("remove it, or upgrade the pair on purpose")
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::road::Evidence;
    use crate::site::tests::EDGE_1;
    use crate::state::tests::{active, erased};

    pub(crate) fn survey(site: &Site, a: Facts, b: Facts) -> Survey {
        let mac = |m: Member| Some(site.member(m).ha_mac);
        Survey {
            a_proof: Target::prove(
                site,
                Member::A,
                &a,
                &Evidence { frame_mac: mac(Member::A), announced_mac: mac(Member::A), weak_login: false },
            ),
            b_proof: Target::prove(site, Member::B, &b, &Evidence::default()),
            a_password_fits: Some(true),
            a_version: Some("v1".into()),
            a_loop_protect: Vec::new(),
            a_marker: None,
            not_carried: Vec::new(),
            b_version: None,
            weak_logins: Vec::new(),
            a,
            b,
            roads: ("mac://74:4D:28:00:00:0A%eth1".into(), "via:a".into()),
        }
    }

    pub(crate) fn shown(checks: &[Check]) -> String {
        let line = |c: &Check| format!("{:?} {}: {}", c.verdict, c.name, c.found);
        checks.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_pair_that_is_ready() {
        let site = Site::parse(EDGE_1).unwrap();
        let checks = bootstrap(&site, &survey(&site, active(), erased("7F0002", 0x0b)), &[]);
        assert!(!refused(&checks));
        insta::assert_snapshot!(shown(&checks).replace(&crate::ha::build(), "BUILD"));
    }

    #[test]
    fn ports_that_would_shut_themselves_are_named() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut survey = survey(&site, active(), erased("7F0002", 0x0b));
        let named = |survey: &Survey| {
            let checks = bootstrap(&site, survey, &[]);
            checks.into_iter().find(|check| check.name == "a-loop-protect")
        };
        assert_eq!(named(&survey), None);
        survey.a_loop_protect = vec!["ether1".into(), "sfp1".into()];
        let check = named(&survey).unwrap();
        assert!(check.verdict == Verdict::Warn && check.found.contains("ether1, sfp1"), "{check:?}");
    }

    #[test]
    fn keys_that_a_version_does_not_import_are_refused() {
        for (version, curve, refused) in [
            ("6.44.6 (long-term)", true, true),
            ("7.9 (stable)", true, true),
            ("7.10 (stable)", true, false),
            ("6.44.6 (long-term)", false, false),
        ] {
            let key = if curve { "ssh-ed25519 AAAAC3" } else { "ssh-rsa AAAAB3" };
            let users = format!(
                "[[pair.users]]\nname = \"admin\"\ngroup = \"full\"\nssh_keys = [\"ssh-rsa AAAA\", \"{key} n@d\"]\n"
            );
            let mut site = Site::parse(&EDGE_1.replacen("[secrets]", &format!("{users}[secrets]"), 1)).unwrap();
            let mut b = erased("7F0002", 0x0b);
            b.version = version.into();
            for sync in [Sync::Quiet, Sync::Backup] {
                site.sync = sync;
                let checks = bootstrap(&site, &survey(&site, active(), b.clone()), &[]);
                let found = checks.iter().find(|check| check.name == "b-takes-ssh-keys");
                // a backup brings users and keys as they are on a
                assert_eq!(found.is_some(), refused && sync == Sync::Quiet, "{version} {key}");
            }
        }
    }

    #[test]
    fn scripts_that_know_no_flash_are_refused_where_only_that_lasts() {
        let site = Site::parse(EDGE_1).unwrap();
        let (mut a, mut b) = (active(), erased("7F0002", 0x0b));
        a.scripts.retain(|script| script != "ha_sendfiles");
        b.files.push("flash".to_owned());
        let fails = |a: &Facts, b: &Facts| {
            let checks = bootstrap(&site, &survey(&site, a.clone(), b.clone()), &["a-knows-flash".to_owned()]);
            checks.iter().any(|check| check.name == "a-knows-flash" && check.verdict == Verdict::Fail)
        };
        assert!(fails(&a, &b), "and that is never waived");
        a.scripts.push("ha_sendfiles".to_owned());
        assert!(!fails(&a, &b));
        b.files.clear();
        a.scripts.retain(|script| script != "ha_sendfiles");
        assert!(!fails(&a, &b));
    }

    #[test]
    fn a_login_that_can_be_guessed_is_told_and_stops_nothing() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut survey = survey(&site, active(), erased("7F0002", 0x0b));
        survey.weak_logins = vec![Member::B];
        let checks = bootstrap(&site, &survey, &[]);
        let found: Vec<&Check> = checks.iter().filter(|check| check.name.ends_with("-login-md5")).collect();
        assert!(matches!(found.as_slice(), [check] if check.name == "b-login-md5" && check.verdict == Verdict::Warn));
        assert!(!refused(&checks), "{}", shown(&checks));
    }

    #[test]
    fn another_hosts_marker_is_refused_until_it_is_waived_and_an_own_one_never() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut found = survey(&site, active(), erased("7F0002", 0x0b));
        let of = |found: &Survey, waived: &[String]| {
            bootstrap(&site, found, waived).into_iter().find(|check| check.name == CHECK).map(|check| check.verdict)
        };
        assert_eq!(of(&found, &[]), None);
        found.a_marker = Some((Marker::parse(b"run=2026-11-30-01 by=root@ops-2"), false));
        assert_eq!(of(&found, &[]), Some(Verdict::Fail));
        assert_eq!(of(&found, &[CHECK.into()]), Some(Verdict::Waived));
        found.a_marker = found.a_marker.map(|(marker, _)| (marker, true));
        assert_eq!(of(&found, &[]), Some(Verdict::Pass));
    }

    #[test]
    fn the_standby_of_another_pair_is_refused_and_that_is_never_waived() {
        let site = Site::parse(EDGE_1).unwrap();
        let name = "b-is-of-no-other-pair";
        let mut b = erased("7F0002", 0x0b);
        b.scripts.push("ha_startup".to_owned());
        b.ha = active().ha;
        let of_this = bootstrap(&site, &survey(&site, active(), b.clone()), &[]);
        assert!(of_this.iter().all(|check| check.name != name), "{}", shown(&of_this));
        if let Some(ha) = &mut b.ha {
            ha.mac_a = ha.mac_b;
        }
        for ha in [b.ha.clone(), None] {
            b.ha = ha;
            let checks = bootstrap(&site, &survey(&site, active(), b.clone()), &[name.to_owned()]);
            let found = checks.iter().find(|check| check.name == name).unwrap();
            assert!(found.verdict == Verdict::Fail && refused(&checks), "{}", shown(&checks));
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_identity_is_never_waived() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut a = active();
        a.vrrp = None;
        a.scripts.clear();
        a.version = "6.46 (stable)".into();
        let b = active();
        let all: Vec<String> =
            bootstrap(&site, &survey(&site, a.clone(), b.clone()), &[]).into_iter().map(|c| c.name).collect();
        let checks = bootstrap(&site, &survey(&site, a, b), &all);
        assert!(refused(&checks));
        insta::assert_snapshot!(shown(&checks));
        assert!(checks.iter().all(|c| !c.firm || c.verdict != Verdict::Waived));
    }

    #[test]
    fn scripts_that_know_of_no_pair_are_refused() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut a = active();
        (a.ha, a.vrrp) = (None, None);
        let survey = Survey { a_password_fits: None, ..survey(&site, a, erased("7F0002", 0x0b)) };
        let checks = bootstrap(&site, &survey, &["a-ha-scripts".to_owned(), "a-is-active".to_owned()]);
        for (name, found) in [("a-is-active", "no member of a pair yet"), ("a-ha-scripts", "$HAInstall was not run")] {
            let check = checks.iter().find(|check| check.name == name).unwrap();
            assert!(check.verdict == Verdict::Fail && check.found.contains(found), "{check:?}");
        }
    }
}
