//! Lines of exports and of scripts as routers write them.

use super::*;

#[test]
fn switches_negations_and_groups() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/interface gre add !keepalive name=g remote-address=10.9.9.9");
        assert_eq!(bench.get("[:typeof [/interface gre get g keepalive]]"), "nothing");
        assert!(bench.run("/interface gre export").contains("add !keepalive name=g"));
        bench.run("/interface gre set g keepalive=5s,3; /interface gre set g local-address=1.1.1.1 !keepalive");
        assert_eq!(bench.get("[:typeof [/interface gre get g keepalive]]"), "nothing");
        bench.run("/interface gre set [find name=g] !local-address !comment");
        assert_eq!(bench.get("[:typeof [/interface gre get g local-address]]"), "nothing");
        assert!(bench.fails("/interface gre add !zzz remote-address=1.1.1.1").starts_with("expected end of command"));
        assert!(bench.fails("/interface gre add !remote-address").starts_with("invalid value"));
        assert!(bench.fails("/ip route add dst-address=10.0.0.0/8").contains("argument(s) gateway"));
        bench.run("/ip route add dst-address=8.8.8.8 gateway=ether8");
        assert_eq!(bench.get("[/ip route get [find dst-address=8.8.8.8/32] dst-address]"), "8.8.8.8/32");
        assert!(bench.run("/ip route export").contains("dst-address=8.8.8.8/32"));
    }
    let mut bench = Bench::v6();
    bench.run("/ip route add dst-address=10.0.0.0/8 type=blackhole");
    assert_eq!(bench.get("[/ip route get [find dst-address=10.0.0.0/8] active]"), "true");
    bench.run("/ipv6 route add dst-address=2001:db8::/32 type=unreachable");
    let mut bench = Bench::v7();
    bench.run("/ip route add blackhole disabled=no dst-address=10.0.0.0/8");
    bench.run("/ipv6 route add blackhole dst-address=2001:db8::/32");
    bench.run("/routing table add disabled=no fib name=x");
    assert_eq!(bench.get("[/routing table get x fib]"), "true");
    assert!(bench.run("/ip route export").contains("add blackhole dst-address=10.0.0.0/8"));
    assert!(bench.run("/routing table export").contains("add fib name=x"));
    bench.run("/routing bgp connection add name=c remote.address=1.2.3.4/32 .as=65001");
    assert_eq!(bench.get("[/routing bgp connection get c remote.as]"), "65001");
    bench.run("/interface wifi add name=w configuration.mode=ap .ssid=X");
    assert_eq!(bench.get("[/interface wifi get w configuration.ssid]"), "X");
    assert!(bench.fails("/interface wifi add name=v configuration.mode=ap .zzz=X").starts_with("expected end"));
    assert!(bench.fails("/interface wifi add name=v .ssid=X").starts_with("expected end"));
}

#[test]
fn what_only_boards_have() {
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2), Version::new(7, 22, 1), Version::new(7, 24, 0)] {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        bench.run("/interface ethernet set [ find default-name=ether1 ] poe-out=off poe-priority=10 bandwidth=1M/1M");
        bench.run("/interface ethernet set ether1 power-cycle-interval=none !power-cycle-ping-address");
        assert!(bench.run("/interface ethernet export").contains("poe-out=off poe-priority=10"));
        if version.is_v7() {
            bench.run("/ip firewall filter add action=fasttrack-connection chain=forward hw-offload=yes");
            bench.run("/ip route add dst-address=10.0.0.0/8 gateway=ether8 suppress-hw-offload=no");
        }
    }
}

#[test]
fn values_of_exports() {
    let mut bench = Bench::of(Spec::pair_a().version(Version::new(7, 22, 1)));
    bench.run("/ip dns static add address=2001:db8::1 name=a type=AAAA; /ip dns static add address=2001:db8::2 name=b");
    assert_eq!(bench.get("[/ip dns static get [find name=b] type]"), "AAAA");
    assert_eq!(bench.get("[:typeof [/ip dns static get [find name=a] address]]"), "ip6");
    let mut old = Bench::v6();
    old.run("/ip dns static add address=2001:db8::1 name=a; /ip dns static add address=10.0.0.1 name=a");
    assert_eq!(old.get("[:resolve a]"), "10.0.0.1");
    for bench in [&mut old, &mut bench] {
        bench.run("/queue type add kind=pcq name=a pcq-rate=100M pcq-classifier=dst-address pcq-limit=50KiB");
        assert!(bench.run("/queue type export").contains("pcq-rate=100M"));
    }
}

/// Lines of exports of 6.45 that show every property, and of common scripts.
#[test]
fn menus_of_6_that_are_stored() {
    let mut bench = Bench::v6();
    for text in [
        "/interface wireless security-profiles\nset [ find default=yes ] authentication-types=\"\" mode=none name=default \
         supplicant-identity=MikroTik wpa2-pre-shared-key=secret",
        "/interface wireless\nset [ find default-name=wlan1 ] band=2ghz-b/g/n ssid=x",
        "/interface pptp-server server\nset enabled=yes max-mtu=1460",
        "/interface ovpn-server server\nset auth=sha1 cipher=aes256 enabled=yes require-client-certificate=yes",
        "/interface ovpn-client\nadd connect-to=10.0.0.1 name=o password=x user=y",
        "/interface lte apn\nset [ find default=yes ] apn=internet",
        "/interface list\nset [ find name=all ] comment=\"contains all interfaces\" exclude=\"\" include=\"\" name=all",
        "/ip dhcp-client option\nset clientid code=61 name=clientid value=\"0x01\\$(CLIENT_MAC)\"",
        "/ip hotspot profile\nset [ find default=yes ] dns-name=\"\" hotspot-address=0.0.0.0 html-directory=hotspot",
        "/ip hotspot user profile\nset [ find default=yes ] idle-timeout=none !insert-queue-before name=default",
        "/ip ipsec policy group\nset [ find default=yes ] name=default",
        "/ip ipsec profile\nset [ find default=yes ] dh-group=modp2048,modp1024 dpd-interval=2m name=default",
        "/ip ipsec proposal\nset [ find default=yes ] auth-algorithms=sha1 disabled=no pfs-group=modp1024",
        "/ip ipsec policy\nset 0 disabled=no dst-address=::/0 group=default proposal=default protocol=all template=yes",
        "/ip ipsec policy\nadd dst-address=10.1.0.0/24 sa-dst-address=1.1.1.1 sa-src-address=2.2.2.2 tunnel=yes",
        "/ip dhcp-server\nadd add-arp=yes bootp-support=static interface=ether8 name=d use-radius=no",
        "/ip dhcp-client\nadd dhcp-options=hostname,clientid disabled=no interface=ether8 use-peer-dns=no",
        "/ip dhcp-server network\nadd address=10.5.0.0/24 boot-file-name=x dhcp-option=\"\" next-server=10.5.0.9",
        "/ip dns\nset max-concurrent-queries=100 max-concurrent-tcp-sessions=20 query-server-timeout=2s",
        "/ip route rule\nadd action=unreachable disabled=yes dst-address=10.0.0.1/32 !interface !routing-mark",
        "/ip firewall layer7-protocol\nadd name=l regexp=\"^x\"",
        "/ip firewall filter\nadd action=accept chain=input !connection-bytes !fragment !p2p !routing-table port=53 protocol=udp",
        "/ipv6 firewall filter\nadd action=accept chain=input comment=defconf port=33434-33534 protocol=udp",
        "/ipv6 firewall raw\nadd action=drop chain=prerouting",
        "/port\nset 0 baud-rate=auto data-bits=8 flow-control=none name=serial0 parity=none stop-bits=1",
        "/port firmware\nset directory=firmware ignore-directip-modem=no",
        "/ppp profile\nset *0 change-tcp-mss=yes !bridge name=default use-mpls=default\nset *FFFFFFFE use-encryption=yes",
        "/queue type\nset 0 kind=pfifo name=default pfifo-limit=50\nset 9 pfifo-limit=12",
        "/queue interface\nset ether1 queue=only-hardware-queue\nset [ find interface=ether2 ] queue=ethernet-default",
        "/queue simple\nadd name=q target=10.0.0.0/24 total-queue=default",
        "/routing filter\nadd action=accept chain=x prefix=10.0.0.0/8",
        "/routing bgp instance\nset default as=65530 name=default",
        "/routing ospf area\nset [ find default=yes ] area-id=0.0.0.0 disabled=no instance=default name=backbone",
        "/routing bfd interface\nset [ find default=yes ] disabled=no interface=all interval=0.2s",
        "/routing mme\nset bidirectional-timeout=2 gateway-class=none",
        "/routing rip\nset distribute-default=never garbage-timer=2m",
        "/snmp community\nset [ find default=yes ] addresses=::/0 name=public",
        "/system logging action\nset 0 memory-lines=1000 name=memory target=memory",
        "/system logging\nset 3 action=echo disabled=no prefix=\"\" topics=critical",
        "/user group\nset read name=read policy=read,test skin=default",
        "/caps-man manager\nset ca-certificate=none enabled=no",
        "/caps-man manager interface\nset [ find default=yes ] disabled=no forbid=no interface=all",
        "/lcd\nset backlight-timeout=30m default-screen=main-menu",
        "/mpls\nset dynamic-label-range=16-1048575 propagate-ttl=yes",
        "/mpls ldp\nset enabled=no lsr-id=0.0.0.0",
        "/system clock manual\nset time-zone=+00:00",
        "/system leds settings\nset all-leds-off=never",
        "/system upgrade mirror\nset check-interval=1d enabled=no",
        "/tool romon port\nset [ find default=yes ] cost=100 disabled=no forbid=no interface=all secrets=\"\"",
        "/tool sms\nset auto-erase=no port=none receive-enabled=no",
        "/tool graphing interface\nadd interface=ether1",
        "/tool traffic-generator\nset test-id=0",
        "/special-login\nadd disabled=yes port=serial0 user=admin",
        "/interface bridge\nadd arp-timeout=auto name=b9",
    ] {
        bench.run(text);
    }
    let export = bench.run("/export");
    assert!(export.contains("/queue type\nset default-small pfifo-limit=12\n"), "{export}");
    assert!(export.contains("supplicant-identity=MikroTik"), "{export}");
    for same in ["/system logging", "/ip ipsec profile", "/snmp community", "/tool romon port", "/ppp profile"] {
        assert!(!export.contains(&format!("{same}\n")), "{same} is as it was: {export}");
    }
    bench.run("/ppp profile set default change-tcp-mss=default !local-address only-one=yes");
    assert!(bench.run("/ppp profile export").ends_with("set default change-tcp-mss=default only-one=yes"));
    let export = bench.run("/export");
    assert!(export.contains("set ether2 queue=ethernet-default"), "{export}");
    assert!(bench.fails("/ppp profile remove default").contains("builtin"));
    // And comes in again.
    let mut other = Bench::v6();
    let script = export.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    other.run(&script);
    let body = |text: &str| text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&other.run("/export")), body(&export));
}

#[test]
fn what_has_nothing_to_do() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/ip dns cache flush");
        bench.run("/ip firewall connection remove [find protocol=tcp]; /ip firewall connection print");
        assert_eq!(bench.get("[:len [/ip firewall connection find]]"), "0");
        assert_eq!(bench.get("[:typeof [/tool e-mail get last-status]]"), "nothing");
        bench.run("/tool e-mail send to=a@example.com subject=backup body=c");
        assert_eq!(bench.get("[/tool e-mail get last-status]"), "failed");
        assert!(bench.run("/log print").contains("Error sending e-mail <backup>"));
        assert_eq!(bench.get("([/interface ethernet monitor ether8 once as-value]->\"status\")"), "no-link");
        assert!(bench.run("/interface ethernet monitor ether8 once").contains("status: no-link"));
        bench.run("/port set 0 name=serial0; /port set serial0 baud-rate=9600");
        assert_eq!(bench.get("[/port get 0 baud-rate]"), "9600");
        assert!(bench.fails("/port set 0 name=x").starts_with("failure: not simulated: /port/set name"));
        assert!(bench.run("/port export").contains("set serial0 baud-rate=9600"));
    }
}

/// Lines of exports of 7.19 that show every property.
#[test]
fn items_of_the_systems_own_in_7() {
    for version in [Version::new(7, 18, 2), Version::new(7, 22, 1)] {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        for text in [
            "/ip ipsec policy\nset 0 disabled=no dst-address=::/0 group=default proposal=default template=yes",
            "/ppp profile\nset *0 change-tcp-mss=yes !bridge name=default\nset *FFFFFFFE use-encryption=yes !rate-limit",
            "/queue type\nset 0 kind=pfifo name=default pfifo-limit=50",
            "/queue interface\nset ether1 queue=only-hardware-queue",
            "/ip hotspot profile\nset [ find default=yes ] html-directory=hotspot",
            "/interface lte apn\nset [ find default=yes ] apn=internet ip-type=auto",
            "/port\nset 0 name=serial0",
            "/routing bgp template\nset default as=65530 name=default",
        ] {
            bench.run(text);
        }
        let export = bench.run("/export");
        for same in ["/ip ipsec policy", "/ppp profile", "/queue type", "/ip hotspot", "/routing bgp template"] {
            assert!(!export.contains(same), "{export}");
        }
        assert!(bench.fails("/interface wireless print").starts_with("bad command name"));
    }
    let mut old = Bench::of(Spec::pair_a().version(Version::new(7, 11, 2)));
    old.run("/interface wireless security-profiles add name=x mode=none");
}
