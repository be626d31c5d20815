//! What a router of a version has and the simulator has not: said as such, never as if the router lacked it.

use routeros_script::tree::{Argument, MenuId, ROOT, View};
use routeros_script::{Lookup, Names};

use super::*;
use crate::system::System;

#[test]
fn what_the_tree_has_and_nobody_modelled_is_named_as_such() {
    let mut bench = Bench::v7();
    for (text, command) in [
        ("/interface ethernet cable-test ether8 once", "/interface/ethernet/cable-test"),
        ("/interface monitor-traffic ether8 once", "/interface/monitor-traffic"),
        ("/interface mon ether8", "/interface/monitor-traffic"),
        ("/ip address edit 0", "/ip/address/edit"),
        ("/ip firewall filter reset-counters-all", "/ip/firewall/filter/reset-counters-all"),
        ("/system ssh 10.0.0.1 user=admin", "/system/ssh"),
    ] {
        let said = bench.fails(&format!(":put before\n{text}"));
        assert!(said.starts_with(&format!("failure: not simulated: {command}")), "{text}: {said}");
        bench.wait(Duration::from_millis(1));
        let noted = |kind: &EventKind| matches!(kind, EventKind::NotSimulated { command: name, user } if name == command && user == "admin");
        assert!(bench.seen(noted), "{text}");
        bench.events.clear();
    }
    // A script that only may come to it runs, as on a router.
    assert_eq!(bench.run(":if (1=2) do={/interface monitor-traffic ether8 once}; :put ok"), "ok");
    assert_eq!(bench.run(":do {/ip address edit 0} on-error={:put refused}"), "refused");
    // What the router hasn't either is wrong.
    assert!(bench.fails("/interface zzz").starts_with("bad command name zzz"));
    assert!(bench.fails("/interface ethernet monitor ether8 zzz=1").starts_with("expected end of command"));
    assert!(!bench.seen(|kind| matches!(kind, EventKind::NotSimulated { .. })));
}

#[test]
fn arguments_that_nobody_modelled_are_named_as_such() {
    let mut bench = Bench::v7();
    for (text, what) in [
        (
            "/interface vrrp add name=v interface=ether8 vrid=1 group-authority=self",
            "/interface/vrrp/add group-authority",
        ),
        ("/user set admin inactivity-timeout=1h", "/user/set inactivity-timeout"),
        ("/user get admin inactivity-timeout", "/user/get inactivity-timeout"),
        ("/user unset admin inactivity-timeout", "/user/unset inactivity-timeout"),
        ("/ip service set ssh max-sessions=5", "/ip/service/set max-sessions"),
        ("/certificate add name=x trust-store=all", "/certificate/add trust-store"),
        ("/ping 10.0.0.1 vrf=main count=1", "/ping vrf"),
        ("/ip address print on-event={}", "/ip/address/print on-event"),
        ("/disk set 0 comment=x", "/disk/set"),
        (":put [:deserialize \"a\" from=dsv delimiter=\",\" options=dsv.array]", ":deserialize options=dsv.array"),
        (":put [:convert \"a\" to=base32]", ":convert to=base32"),
        (":put [:convert \"a\" from=num]", ":convert from=num"),
        (":put [:convert \"a\" transform=ucfirst]", ":convert transform=ucfirst"),
        (":put [:serialize {1;2} to=json file-name=x]", ":serialize file-name"),
        (":put [:serialize {1;2} to=dsv delimiter=\",\" order={1}]", ":serialize order"),
        ("/tool fetch mode=ftp address=10.0.0.1 src-path=x output=user", "/tool/fetch output"),
    ] {
        let said = bench.fails(&format!(":put before\n{text}"));
        assert!(said.starts_with(&format!("failure: not simulated: {what}")), "{text}: {said}");
        bench.wait(Duration::from_millis(1));
        let noted = |kind: &EventKind| matches!(kind, EventKind::NotSimulated { command, .. } if command == what);
        assert!(bench.seen(noted), "{text}");
        bench.events.clear();
    }
    // A request of HTTP is read whole, and fails as where there is no internet.
    let fetch = "/tool fetch url=\"https://192.0.2.1/x\" http-method=post http-data=\"{}\" output=user as-value \
                 check-certificate=no http-header-field=\"a: b\" mode=https";
    assert!(bench.fails(fetch).starts_with("failure: connection failed"));
    assert!(!bench.seen(|kind| matches!(kind, EventKind::NotSimulated { .. })));
    // What is not in the tree is no argument.
    assert!(bench.fails("/user set admin zzz=1").starts_with("expected end of command"));
    assert!(bench.fails("/user get admin zzz").contains("input does not match any value of value-name"));
    // A menu of 6.x that is back in a later version, and not in the one before it.
    let text = "/routing bgp instance add name=x as=65000";
    let mut new = Bench::of(Spec::pair_a().version(Version::new(7, 22, 1)));
    assert!(new.fails(text).starts_with("failure: not simulated: /routing/bgp/instance/add"));
    assert!(bench.fails(text).starts_with("bad command name instance"));
}

#[test]
fn names_that_scripts_of_6_use() {
    let mut bench = Bench::v6();
    for (text, what) in [
        ("/ip dns cache print", "/ip/dns/cache/print"),
        ("/caps-man radio print", "/caps-man/radio/print"),
        ("/ip ipsec key print", "/ip/ipsec/key/print"),
        ("/ip ipsec statistics print", "/ip/ipsec/statistics/print"),
        ("/system default-configuration print", "/system/default-configuration/print"),
        ("/system backup cloud upload-file", "/system/backup/cloud/upload-file"),
        ("/ip ssh set allow-none-crypto=no", "/ip/ssh/set allow-none-crypto"),
        ("/ip route add dst-address=10.0.0.0/8 gateway=ether8 route-tag=1", "/ip/route/add route-tag"),
        ("/interface ethernet set ether8 mdix-enable=yes", "/interface/ethernet/set mdix-enable"),
        (
            "/routing bgp peer add name=a remote-address=10.0.0.1 remote-as=1 use-bfd=yes",
            "/routing/bgp/peer/add use-bfd",
        ),
        ("/interface monitor-traffic ether8 once", "/interface/monitor-traffic"),
        ("/tool tor ether8", "/tool/torch"),
        ("/interface wireless scan wlan1", "/interface/wireless/scan"),
    ] {
        let said = bench.fails(&format!(":put before\n{text}"));
        assert!(said.starts_with(&format!("failure: not simulated: {what}")), "{text}: {said}");
    }
    assert!(bench.fails("/interface zzz").starts_with("bad command name zzz"));
    assert!(bench.fails("/interface vxlan print").starts_with("bad command name vxlan"));
    // What only 7 has, of what is modelled.
    assert!(bench.fails("/ip route add gateway=ether8 routing-table=main").starts_with("expected end of command"));
    assert!(bench.fails("/interface bridge add zzz=1").starts_with("expected end of command"));
}

/// What a router makes of all that the tree has below a menu.
#[derive(Debug, Default)]
struct Count {
    /// Menus and commands that it doesn't know.
    missing: Vec<String>,
    /// Arguments that it would call bad.
    bad: Vec<String>,
    /// Arguments of `set`, and those of them that are modelled.
    set: usize,
    modelled: usize,
}

impl Count {
    fn menu(&mut self, sys: &System, view: View, id: MenuId, path: &[String]) {
        for (command, arguments) in view.commands(id) {
            self.command(sys, path, command, arguments);
        }
        for (below, name) in view.below(id) {
            if sys.lookup(path, name) != Lookup::Menu(name.to_owned()) {
                self.missing.push(format!("/{}/{name}", path.join("/")));
            }
            self.menu(sys, view, below, &[path, &[name.to_owned()]].concat());
        }
    }

    fn command(&mut self, sys: &System, path: &[String], command: &str, arguments: &[Argument]) {
        let own = path.is_empty() && routeros_script::commands::find(command, sys.language()).is_some();
        if own {
            return;
        }
        if sys.lookup(path, command) != Lookup::Command(command.to_owned()) {
            self.missing.push(format!("/{} {command}", path.join("/")));
        }
        for Argument { name, .. } in arguments {
            if !sys.takes_parameter(path, command, name) {
                self.bad.push(format!("/{} {command} {name}", path.join("/")));
            }
            if command == "set" {
                self.set += 1;
                self.modelled += usize::from(sys.models(path, command, name));
            }
        }
    }
}

#[test]
fn nothing_that_the_tree_has_is_called_bad() {
    let version = Version::new(7, 22, 1);
    let bench = Bench::of(Spec::pair_a().version(version));
    let mut count = Count::default();
    count.menu(bench.router.system().unwrap(), View::of(*version), ROOT, &[]);
    println!("set: {} arguments, {} modelled or stored", count.set, count.modelled);
    assert_eq!(count.missing, Vec::<String>::new());
    assert_eq!(count.bad, Vec::<String>::new());
    assert!(count.set > 4000 && count.modelled > 3000, "{count:?}");
    let page = include_str!("../../../../../docs/simulator.md");
    let said = format!("{} of {} arguments of `set`", count.set - count.modelled, count.set);
    assert!(page.contains(&said), "{said}");
}

/// And nothing is settable that a router's own `set` and `add` lack.
#[test]
fn nothing_is_settable_that_the_tree_lacks() {
    for version in [Version::new(7, 22, 1), Version::new(7, 24, 0)] {
        let bench = Bench::of(Spec::pair_a().version(version));
        let sys = bench.router.system().unwrap();
        let view = View::of(*version);
        let mut more = Vec::new();
        for menu in crate::menu::tables::MENUS.iter().flat_map(|area| area.iter()) {
            let path: Vec<String> = menu.path.split('/').skip(1).map(str::to_owned).collect();
            if sys.menu(menu.path).is_none_or(|here| !std::ptr::eq(here, *menu)) {
                continue;
            }
            for command in ["set", "add"] {
                let Some(arguments) = view.arguments(&path, command) else {
                    continue; // of boards and packages that the tree's routers hadn't
                };
                for prop in sys.props(menu).map(|prop| prop.name).chain(["comment", "disabled", "place-before"]) {
                    // The tree's machine is no board.
                    let board = routeros_script::judge::of_boards(menu.path, command, prop).is_some();
                    if !board
                        && sys.models(&path, command, prop)
                        && !arguments.iter().any(|argument| argument.name == prop)
                    {
                        more.push(format!("{} {command} {prop}", menu.path));
                    }
                }
            }
        }
        assert_eq!(more, Vec::<String>::new(), "{version}");
    }
}
