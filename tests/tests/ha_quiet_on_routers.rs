//! The quiet sync of our on-router scripts on two simulated routers: what it carries, what it says it does not, how it fails.

use bootstrap::ha_export::normalised;
use jumplead_tests::ha_pair::{OPEN, PASSWORD, Pair, VERSIONS};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::Version;

fn export(router: &lab::NodeHandle<Router>) -> Vec<String> {
    router.look(|router| {
        normalised(&router.system().unwrap().export("", routersim::menu::ExportForm::default()).join("\r\n"))
    })
}

const CONFIGURATION: &str = "/interface bridge add name=lan comment=\"the \\\"inner\\\" side\"; \
     /interface bridge port add bridge=lan interface=ether2 comment=\"gr\\FCn\"; \
     /ip address add address=192.0.2.1/24 interface=ether1 comment=customer; \
     /ip address add address=198.51.100.1/24 interface=lan; \
     /ip route add gateway=192.0.2.254; \
     /ip firewall filter add chain=input action=drop in-interface=ether1 comment=last; \
     /ppp secret add name=client password=\"Cl1ent-Secret\"; \
     /interface ethernet set ether3 comment=\"to $ somewhere\"; \
     /system script add name=on_master source=\":local x \\\"a\\\"\\n:put \\$x\\n\"";

fn pushed(pair: &Pair) {
    pair.call(&pair.a, "HAPushStandby");
    pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
    pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
    pair.wait(60);
}

fn quiet(version: Version) -> Pair {
    let pair = Pair::new(version, 31);
    pair.run(&pair.a, CONFIGURATION);
    pair.install();
    pair.basic_networking();
    let said = pair.choose("quiet");
    assert!(said.contains("NOT CARRIED: users and their passwords"), "{said}");
    pushed(&pair);
    pair
}

/// Reset and made again: nothing loaded, the exports of both are the same, with secrets, and no file of it is left.
#[test]
fn the_standby_is_made_again_and_equal() {
    for version in VERSIONS {
        let pair = quiet(version);
        assert_eq!(
            pair.seen(1, |kind| matches!(kind, EventKind::ConfigErased { keep_users: true, .. })),
            1,
            "{version}"
        );
        assert_eq!(pair.seen(1, |kind| matches!(kind, EventKind::BackupLoaded { .. })), 0, "{version}");
        let said = pair.sync();
        assert!(said.contains("GOOD"), "{version}: {said}\n{}", pair.tail());
        let (a, b) = (export(&pair.a), export(&pair.b));
        let only = |one: &[String], other: &[String]| {
            one.iter().filter(|line| !other.contains(line)).cloned().collect::<Vec<_>>()
        };
        assert_eq!((only(&a, &b), only(&b, &a)), (vec![], vec![]), "{version}");
        assert!(a.iter().any(|line| line.contains("Cl1ent-Secret")) && a.len() > 20, "{version}: {a:?}");
        assert_eq!(pair.get(&pair.b, OPEN), "1", "{version}");
        for router in [&pair.a, &pair.b] {
            router.look(|router| {
                for (name, file) in router.storage().borrow().files.list() {
                    let text = String::from_utf8_lossy(&file.contents);
                    assert!(!text.contains("Cl1ent-Secret"), "{version}: {name}");
                }
            });
        }
        // and again, after a change
        pair.run(&pair.a, "/ip address add address=203.0.113.1/24 interface=ether4");
        assert!(pair.sync().contains("NEED TO PUSH"), "{version}");
        pair.wait(180);
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
        assert_eq!(export(&pair.a), export(&pair.b), "{version}");
    }
}

/// Certificates come before the configuration that names them: with their keys, names and trust, and nothing of it stays in a
/// file. What can't be exported is named, and is no reason not to be ready.
#[test]
fn certificates_go_along_with_their_keys() {
    for version in VERSIONS {
        let pair = Pair::new(version, 32);
        let pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec();
        pair.a.with(|router, _| router.system().unwrap().write_file("others.pem", pem).unwrap());
        pair.run(
            &pair.a,
            "/certificate add name=ca common-name=ca key-usage=key-cert-sign,crl-sign; /certificate sign ca; \
             /certificate add name=\"the web's\" common-name=r1.example; /certificate sign \"the web's\" ca=ca; \
             /certificate export-certificate ca type=pkcs12 file-name=ca export-passphrase=\"Passphrase-1\"; :delay 1; \
             /certificate remove ca; /certificate import file-name=ca.p12 passphrase=\"Passphrase-1\" name=ca; \
             /file remove ca.p12; \
             /certificate add name=draft common-name=draft; \
             /certificate import file-name=others.pem passphrase=\"\"; \
             /certificate set [find common-name=r1.example] trusted=no; \
             /ip service set www-ssl certificate=\"the web's\"",
        );
        pair.install();
        pair.basic_networking();
        let said = pair.choose("quiet");
        assert!(said.contains("NOT CARRIED: 1 certificate templates that nobody has signed"), "{version}: {said}");
        assert!(said.contains("NOT CARRIED: 1 memories of certificate authorities"), "{version}: {said}");
        assert!(!pair.files(&pair.a).iter().any(|name| name.contains("cert")), "{version}: looking writes nothing");
        pushed(&pair);
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
        // without the template
        let certificates = |router| {
            let list = "/certificate find where common-name!=\"draft\"";
            pair.run(
                router,
                &format!(
                    ":foreach c in=[{list}] do={{:put ([/certificate get $c name] . \" \" . [/certificate get $c fingerprint] \
                     . \" \" . [/certificate get $c private-key] . \" \" . [/certificate get $c trusted])}}"
                ),
            )
        };
        let (a, b) = (certificates(&pair.a), certificates(&pair.b));
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!((sorted(&a), a.lines().count()), (sorted(&b), 3), "{version}: {a}{b}");
        assert!(b.contains("the web's ") && b.contains(" true false"), "{version}: {b}");
        assert_eq!(pair.get(&pair.b, "[:len [/certificate find]]"), "3", "{version}");
        let first = "[/certificate get [:pick [/certificate find] 0] name]";
        let order = (pair.get(&pair.a, first), pair.get(&pair.b, first));
        assert_eq!((order.0.as_str(), order.1.as_str()), ("the web's", "ca"), "{version}: authorities come first");
        assert_eq!(pair.get(&pair.b, "[/ip service get www-ssl certificate]"), "the web's", "{version}");
        for router in [&pair.a, &pair.b] {
            let files = pair.files(router);
            assert!(!files.iter().any(|name| name.contains("HA_quiet")), "{version}: {files:?}");
        }
        // one of another tool's that no export gives
        spoil(
            &pair,
            "ha_sendcerts",
            "      $export\n",
            "      :if (!$key) do={ :error \"not exportable\" }\n      $export\n",
        );
        pair.run(&pair.a, "/ip address add address=203.0.113.1/24 interface=ether4");
        pushed(&pair);
        let said = pair.sync();
        assert!(said.contains("could not be exported, the standby has them not: others.pem_0"), "{version}: {said}");
        assert!(said.contains("GOOD"), "{version}: {said}\n{}", pair.tail());
        assert_eq!(pair.get(&pair.b, "[:len [/certificate find]]"), "2", "{version}");
        // one that the configuration names: said, and the standby is not touched
        spoil(
            &pair,
            "ha_sendcerts",
            "      $export\n",
            "      :if ($key) do={ :error \"not exportable\" }\n      $export\n",
        );
        let erased = || pair.seen(1, |kind| matches!(kind, EventKind::ConfigErased { .. }));
        let before = erased();
        let said = pair.fails(&pair.a, ":global HAPushStandby; $HAPushStandby");
        let wanted = "BROKEN OFF, certificate the web's can not be exported and is named by /ip service";
        assert!(said.contains(wanted), "{version}: {said}");
        pair.wait(60);
        assert_eq!((erased(), pair.phase(&pair.b)), (before, Phase::Up), "{version}");
        // one whose key the standby does not take
        spoil(
            &pair,
            "ha_sendcerts",
            "$haUpload fileFrom=$path",
            "/file set [find name=$path] contents=spoilt\n$haUpload fileFrom=$path",
        );
        pushed(&pair);
        assert!(pair.call(&pair.a, "HAInSync").contains("NOT READY (no)"), "{version}\n{}", pair.tail());
        let refused = pair.get(&pair.b, "[:len [/log find where message~\"a certificate was refused\"]]");
        assert_ne!(refused, "0", "{version}");
    }
}

/// Puts a script of A that does something else.
fn spoil(pair: &Pair, script: &str, from: &str, to: &str) {
    let (_, source) = bootstrap::ha::scripts().into_iter().find(|(name, _)| *name == script).unwrap();
    assert!(source.contains(from));
    let source = source.replace(from, to);
    let quoted = source.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
    pair.run(&pair.a, &format!("/system script set {script} source=\"{quoted}\""));
}

/// The other versions, each with its own words: the same end.
#[test]
fn every_version_has_the_quiet_way() {
    for version in ["6.43.13", "6.49.10", "7.11.2", "7.24"] {
        let pair = quiet(version.parse().unwrap());
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
        assert_eq!(export(&pair.a), export(&pair.b), "{version}");
        pair.a.with(Router::power_cut);
        pair.wait(10);
        assert!(pair.master(&pair.b), "{version}");
        assert_eq!(pair.get(&pair.b, OPEN), "8", "{version}");
        assert_eq!(pair.get(&pair.b, "[/ppp secret get client password]"), "Cl1ent-Secret", "{version}");
    }
}

/// It can take over as it is, with everything.
#[test]
fn a_standby_made_quietly_takes_over() {
    for version in VERSIONS {
        let pair = quiet(version);
        pair.a.with(Router::power_cut);
        pair.wait(10);
        assert!(pair.master(&pair.b), "{version}");
        assert_eq!(pair.get(&pair.b, OPEN), "8", "{version}");
        assert_eq!(pair.get(&pair.b, "[/interface ethernet get ether1 mac-address]"), "74:4D:28:0A:00:01", "{version}");
        assert_eq!(pair.get(&pair.b, "[/ppp secret get client password]"), "Cl1ent-Secret", "{version}");
        assert_eq!(pair.get(&pair.b, "[/ppp secret get HA_PASSWORD password]"), PASSWORD, "{version}");
    }
}

/// Something that the standby does not take: it comes back as a standby without a version, says so, and is never ready.
#[test]
fn a_configuration_that_is_not_taken_whole_is_never_ready() {
    for version in VERSIONS {
        let pair = quiet(version);
        assert!(pair.sync().contains("GOOD"));
        // what is sent is not what the standby can take
        let send = "$haUpload fileFrom=\"HA_quiet-all.rsc\"";
        let spoilt = "/file set [find name=\"HA_quiet-all.rsc\"] contents=\"/ip address add address=192.0.2.7/24 interface=nowhere\"";
        spoil(&pair, "ha_sendquiet", send, &format!("{spoilt}\n{send}"));
        pushed(&pair);
        assert!(
            pair.seen(
                1,
                |kind| matches!(kind, EventKind::Log { message, .. } if message.contains("was not taken whole"))
            ) > 0,
            "{version}\n{}",
            pair.tail()
        );
        assert_eq!(pair.get(&pair.b, OPEN), "1", "{version}");
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("NOT READY (no)"), "{version}: {said}\n{}", pair.tail());
    }
}

/// The standby takes every line, and one property is not what it was sent: that is seen, and it is never ready.
#[test]
fn one_property_that_differs_is_seen() {
    for version in VERSIONS {
        let pair = quiet(version);
        assert!(pair.sync().contains("GOOD"));
        let running = pair.start(&pair.a, ":global HAPushStandby; $HAPushStandby");
        let storage = |pair: &Pair| pair.b.look(|router| router.storage().clone());
        pair.until("all is there", 90, |pair| storage(pair).borrow().files.get("HA_quiet-go.auto.rsc").is_some());
        pair.b.with(|router, _| {
            let system = router.system().unwrap();
            let text = system.read_file("HA_quiet.rsc").unwrap();
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("comment=customer "), "{version}");
            system.write_file("HA_quiet.rsc", text.replace("comment=customer ", "").into_bytes()).unwrap();
        });
        pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.until("the push ends", 300, |_| running.result().is_some());
        pair.wait(60);
        let differs = |kind: &EventKind| matches!(kind, EventKind::Log { message, .. } if message.contains("ha_sendquiet: the export has"));
        assert_eq!(pair.seen(1, differs), 1, "{version}\n{}", pair.tail());
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("NOT READY (no)"), "{version}: {said}\n{}", pair.tail());
    }
}
