//! The forms of `print` and `export`, against what real routers print.

use super::desk::Desk;
use super::*;

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn with_addresses(bench: &mut Bench) {
    bench.run("/ip address add address=192.168.88.1/24 interface=ether1 comment=defconf");
    bench.run("/ip address add address=10.9.9.7/32 interface=ether2 disabled=yes");
}

#[test]
fn a_proplist_holds_for_values_too() {
    let mut bench = Bench::v7();
    let first = "([/interface ethernet print as-value proplist=name,running]->0)";
    assert_eq!(bench.get(&format!("[:len {first}]")), "3");
    assert_eq!(bench.get(&format!("({first}->\"name\")")), "ether1");
    assert_eq!(bench.get(&format!("[:typeof ({first}->\"mtu\")]")), "nothing");
    assert_eq!(bench.get("[:len [/system clock print as-value proplist=date]]"), "1");
}

#[test]
fn a_table_of_7_names_what_occurs() {
    let mut bench = Bench::v7();
    assert_eq!(bench.run("/ip address print"), "");
    with_addresses(&mut bench);
    assert_eq!(
        lines(&bench.run("/ip address print")),
        [
            "Flags: X - DISABLED",
            "Columns: ADDRESS, NETWORK, INTERFACE",
            "#   ADDRESS          NETWORK       INTERFACE",
            ";;; defconf",
            "0   192.168.88.1/24  192.168.88.0  ether1",
            "1 X 10.9.9.7/32      10.9.9.7      ether2",
        ]
    );
    // Without a flag there is no column for flags; numbers stand at the right.
    let route = lines(&bench.run("/ip route add gateway=192.168.88.254; /ip route print where dst-address=0.0.0.0/0"));
    assert_eq!(
        route,
        [
            "Flags: s - STATIC",
            "Columns: DST-ADDRESS, GATEWAY, ROUTING-TABLE, DISTANCE",
            "#   DST-ADDRESS  GATEWAY         ROUTING-TABLE  DISTANCE",
            "0 s 0.0.0.0/0    192.168.88.254  main                  1",
        ]
    );
}

#[test]
fn a_table_of_6_has_all_flags_and_comments_with_their_number() {
    let mut bench = Bench::v6();
    with_addresses(&mut bench);
    assert_eq!(
        lines(&bench.run("/ip address print")),
        [
            "Flags: X - disabled, I - invalid, D - dynamic ",
            " #   ADDRESS         NETWORK      INTERFACE",
            " 0   ;;; defconf",
            "     192.168.88.1/24 192.168.88.0 ether1",
            " 1 X 10.9.9.7/32     10.9.9.7     ether2",
        ]
    );
}

#[test]
fn rules_print_in_detail_and_wrap_at_the_terminals_width() {
    let mut bench = Bench::v7();
    bench.run(
        "/ip firewall filter add chain=input action=accept protocol=tcp src-address=10.200.10.0/24 dst-port=53 \
         in-interface=!ether1 comment=\"Allow DNS\"",
    );
    assert_eq!(
        lines(&bench.run("/ip firewall filter print")),
        [
            "Flags: X - disabled, I - invalid; D - dynamic ",
            " 0    ;;; Allow DNS",
            "      chain=input action=accept protocol=tcp src-address=10.200.10.0/24 ",
            "      in-interface=!ether1 dst-port=53 log=no log-prefix=\"\" ",
        ]
    );
    bench.run("/interface ethernet set ether1 name=wan");
    assert_eq!(bench.get("[/ip firewall filter get 0 in-interface]"), "!wan");
    let vrrp = "/interface vrrp add interface=ether8 name=HA_VRRP; /interface vrrp print detail";
    assert!(bench.run(vrrp).contains("\n 0  "), "flags have three columns");
}

#[test]
fn other_forms() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        with_addresses(&mut bench);
        assert_eq!(bench.run("/ip address print count-only where disabled"), "1");
        let terse = bench.run("/ip address print terse");
        assert!(
            terse.contains("comment=defconf address=192.168.88.1/24 network=192.168.88.0 interface=ether1"),
            "{terse}"
        );
        assert_eq!(
            lines(&bench.run("/ip address print value-list proplist=address,interface")),
            ["    address: 192.168.88.1/24 10.9.9.7/32", "  interface: ether1          ether2"]
        );
        assert!(bench.run("/ip address print show-ids terse").starts_with("*1 "));
        assert_eq!(bench.run("/system identity print"), "  name: MikroTik");
        assert_eq!(bench.get("([/ip address print as-value]->1->\"address\")"), "10.9.9.7/32");
        bench.run(":log info hello");
        assert!(bench.run("/log print where message=hello").ends_with(" script,info hello"));
    }
}

#[test]
fn a_person_follows_the_log_until_ctrl_c() {
    let mut bench = Bench::v7();
    let mut desk = Desk::at(&mut bench);
    desk.log_in(&mut bench);
    desk.types(&mut bench, "/log print follow where topics~\"script\"\r");
    bench.wait(Duration::from_secs(2));
    bench.run(":log info \"one of many\"");
    desk.sees(&mut bench, "script,info one of many");
    desk.types(&mut bench, "\x03");
    desk.sees(&mut bench, "] > ");
    desk.types(&mut bench, "/interface print interval=2 count-only\r/system identity print interval=2\r");
    desk.sees(&mut bench, "name: MikroTik");
    bench.run("/system identity set name=other");
    desk.sees(&mut bench, "name: other");
}

#[test]
fn exports_are_sorted_folded_terse_or_verbose() {
    let mut bench = Bench::v7();
    bench.run(
        "/ip firewall filter add action=accept chain=input comment=\"defconf: accept established,related,untracked\" \
         connection-state=established,related,untracked",
    );
    bench.run("/interface ethernet set ether1 comment=\"to the world\" loop-protect=off");
    let body = |text: String| {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.into_iter().filter(|line| !line.starts_with('#')).collect::<Vec<_>>()
    };
    assert_eq!(
        body(bench.run("/ip firewall filter export")),
        [
            "/ip firewall filter",
            "add action=accept chain=input comment=\\",
            "    \"defconf: accept established,related,untracked\" connection-state=\\",
            "    established,related,untracked",
        ]
    );
    assert_eq!(
        body(bench.run("/interface ethernet export")),
        ["/interface ethernet", "set [ find default-name=ether1 ] comment=\"to the world\" loop-protect=off"]
    );
    let terse = body(bench.run("/interface ethernet export terse"));
    assert_eq!(
        terse,
        ["/interface ethernet set [ find default-name=ether1 ] comment=\"to the world\" loop-protect=off"]
    );
    let verbose = bench.run("/ip settings export verbose");
    assert!(verbose.contains("ip-forward=yes"), "{verbose}");
    assert_eq!(body(bench.run("/ip settings export")), Vec::<String>::new());
    let verbose = bench.run("/interface ethernet export verbose terse");
    assert_eq!(verbose.matches("disabled=no").count(), 8, "{verbose}");
}

#[test]
fn everything_that_is_exported_imports_on_an_erased_router() {
    for (version, mut bench) in [(Version::new(6, 44, 6), Bench::v6()), (Version::new(7, 18, 2), Bench::v7())] {
        bench.run(
            "/interface vlan add name=v10 vlan-id=10 interface=ether2; /interface bridge add name=br vlan-filtering=yes; \
             /interface bridge port add bridge=br interface=v10; \
             /interface bridge vlan add bridge=br tagged=br,v10 vlan-ids=10,20-30; \
             /interface list add name=LAN; /interface list member add list=LAN interface=br; \
             /ip pool add name=p ranges=10.0.0.10-10.0.0.20; /ip address add address=10.0.0.1/24 interface=br; \
             /ip dhcp-server network add address=10.0.0.0/24 gateway=10.0.0.1; \
             /ip dhcp-server add name=d interface=br address-pool=p; \
             /ip firewall address-list add list=bad address=1.2.3.4 comment=\"quote \\\" and \\$\"; \
             /ip firewall nat add chain=srcnat action=masquerade out-interface-list=!LAN; \
             /ip firewall mangle add chain=prerouting action=mark-routing new-routing-mark=m in-interface=br; \
             /snmp set enabled=yes contact=\"a b\"; /ppp secret add name=u password=secret; \
             /radius add address=10.0.0.9 secret=s3 service=login; /system logging add topics=script,!debug action=echo; \
             /queue simple add name=q target=10.0.0.5/32 max-limit=1M/1M; /ipv6 address add address=fd00::1/64 interface=br; \
             /system script add name=s source=\"# first\\r\\n:local a \\\"x  y\\\"\\r\\n:put \\$a\"; \
             /tool netwatch add host=10.0.0.9 up-script=\":log info up\"",
        );
        let form = ExportForm { hide_secrets: false, ..ExportForm::default() };
        let text = bench.router.system().unwrap().export("", form);
        let mut other = Bench::of(Spec::pair_a().version(version));
        other.run(&text.join("\r\n"));
        let again = other.router.system().unwrap().export("", form);
        assert_eq!(text[1..], again[1..]);
    }
}

/// Menus that only the tree knows: they keep what they are given, and do nothing with it. 6.x has no tree.
#[test]
fn a_menu_without_a_table_is_stored() {
    let mut bench = Bench::v7();
    bench.run(
        "/interface vxlan add name=vx1 vni=100 comment=far disabled=yes; /ip address add address=10.7.0.1/24 interface=vx1; \
         /ip proxy set enabled=yes port=3128; /ip traffic-flow target add dst-address=10.0.0.9 port=2055; \
         /interface sstp-client add name=s1 connect-to=192.0.2.1 password=Hidden-Secret",
    );
    assert_eq!(bench.run(":put [/interface vxlan get vx1 vni]"), "100");
    assert_eq!(bench.run(":put ([/ip proxy get enabled] = true)"), "true");
    assert_eq!(bench.run(":put [:len [/interface vxlan find where vni=100 disabled=yes]]"), "1");
    assert!(bench.run("/interface vxlan print detail").contains("name=\"vx1\" vni=100"));
    assert!(bench.fails("/interface vxlan add nosuch=1").contains("expected end of command (line 1 column 22)"));
    bench.run("/interface vxlan set vx1 vni=200; /interface vxlan enable vx1");
    let form = ExportForm { hide_secrets: false, ..ExportForm::default() };
    let text = bench.router.system().unwrap().export("", form);
    let body = text.join("\n");
    assert!(body.contains("/interface vxlan\nadd comment=far name=vx1 vni=200\n"), "{body}");
    assert!(body.contains("/ip proxy\nset enabled=yes port=3128\n"), "{body}");
    let hidden = bench.router.system().unwrap().export("", ExportForm { hide_secrets: true, ..form }).join("\n");
    assert!(body.contains("Hidden-Secret") && !hidden.contains("Hidden-Secret"));
    let mut other = Bench::of(Spec::pair_a().version(Version::new(7, 18, 2)));
    other.run(&text.join("\r\n"));
    assert_eq!(text[1..], other.router.system().unwrap().export("", form)[1..]);
    bench.run("/undo; /undo");
    assert_eq!(bench.run(":put [/interface vxlan get vx1 vni]"), "100", "the history has it");
    assert!(Bench::v6().fails("/interface vxlan add name=x").contains("bad command name vxlan"));
}

/// As public exports of 6.49, 7.16 and later have them.
#[test]
fn scripts_and_schedulers_are_exported_with_owner_and_policy() {
    const ALL: &str = "ftp,reboot,read,write,policy,test,password,sniff,sensitive,romon";
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2), Version::new(7, 22, 1)] {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        bench.run(
            "/system script add name=one source=\":put 1\\n:put \\\"what\\3F\\\"\"; \
             /system script add name=two owner=jo policy=write,test,read dont-require-permissions=yes source=x\n\
             /system scheduler add name=boot start-time=startup on-event=one; \
             /system scheduler add name=day start-date=2025-01-02 start-time=03:04:05 interval=1d policy=read on-event=two",
        );
        let body: Vec<String> =
            bench.run("/system export").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        let from = body.iter().position(|line| line == "/system scheduler").unwrap();
        let date = if version.is_v7() { "2025-01-02" } else { "jan/02/2025" };
        assert_eq!(
            body[from..from + 10],
            [
                "/system scheduler",
                "add name=boot on-event=one policy=\\",
                &format!("    {ALL} \\"),
                "    start-time=startup",
                &format!("add interval=1d name=day on-event=two policy=read start-date={date} \\"),
                "    start-time=03:04:05",
                "/system script",
                "add dont-require-permissions=no name=one owner=admin policy=\\",
                &format!("    {ALL} source=\\"),
                "    \":put 1\\",
            ],
            "{body:?}"
        );
        assert_eq!(
            body[from + 10..from + 13],
            [
                "    \\n:put \\\"what\\?\\\"\"",
                "add dont-require-permissions=yes name=two owner=jo policy=read,write,test \\",
                "    source=x",
            ]
        );
        let terse = bench.run("/system script export terse");
        let head = "/system script add dont-require-permissions=no name=one owner=admin policy=";
        assert!(terse.contains(&format!("{head}{ALL} source=\":put 1\\\n    \\n:put ")), "{terse}");
        // Whoever adds one owns it.
        bench.run("/user add name=jo group=full password=p");
        bench.router.run_script(&mut bench.now, "jo", "/system scheduler add name=jos on-event=one").unwrap();
        assert_eq!(bench.get("[/system scheduler get jos owner]"), "jo");
    }
}
