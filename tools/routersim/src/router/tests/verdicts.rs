//! The simulator reads scripts with a parser of its own, `lint` with the judge that is measured against real routers: one
//! verdict on every line.

use routeros_script::{Names, Outcome, check, judge, parse};

use super::*;

const LINES: &[&str] = &[
    ":put a",
    ":put a; :put b",
    r#":put "a $x b""#,
    ":local a; :put $a",
    ":local a 1; :put $a",
    ":local a, b",
    ":local a,b",
    ":local a_b 1",
    r#":local "a_b" 1; :put $"a_b""#,
    ":set a 1",
    ":global a; :set a 1",
    ":global f { ... }",
    ":global f { :put 1 }",
    ":global f {1;2}",
    ":global f do={ :put 1 }",
    ":global f do={ :put $1 }; $f 1",
    ":global f do { :put 1 }",
    ":if (1=1) do={:put yes} else={:put no}",
    ":if (1=1) do {:put yes} else {:put no}",
    ":if true do={:put 1}",
    ":if ($a = 1) do={:put 1}",
    ":if (1=1) {:put 1}",
    ":while (1=2) do={:put 1}",
    ":while (1=2) do {:put 1}",
    ":for i from=1 to=3 do={:put $i}",
    ":for i from=1 to=3 do {:put $i}",
    ":for i from=1 to=3 step=1 do={:put $i}",
    ":foreach i in={1;2} do={:put $i}",
    ":foreach i in={1;2} do {:put $i}",
    ":foreach k,v in={a=1} do={:put $k}",
    ":foreach k, v in={a=1} do={:put $k}",
    ":foreach i in=(1,2) do={:put $i}",
    ":do {:put a} on-error={:put b}",
    ":do {:put a} on-error {:put b}",
    ":do {:put a} while=(1=2)",
    ":do command={:put a}",
    ":do {:put a} in={}",
    ":onerror e in={:put a} do={:put $e}",
    ":onerror Err { :put a } do={:put $Err}",
    ":onerror e in={:put a} do {:put $e}",
    ":onerror e in {:put a} do {:put $e}",
    ":onerror e {:put a}",
    ":onerror in={:put a} do={:put b}",
    ":retry {:put a} delay=1s max=2",
    ":retry command={:put a} delay=1s max=2 on-error={:put b}",
    ":execute {:put 1}",
    r#":execute script=":put 1" as-string"#,
    r#":execute "x" file=y"#,
    r#":put [:parse ":put 1"]"#,
    r#":put [:grep pattern=a script=":put a" as-array]"#,
    ":put [:range 1 3]",
    ":put [:jobname]",
    ":put [:timestamp]",
    ":put [:serialize {1;2} to=json]",
    ":put [:serialize value={1;2} to=json options=json.pretty]",
    r#":put [:deserialize "[1]" from=json]"#,
    r#":put [:convert "a" to=base64]"#,
    r#":put [:convert from=base64 to=raw "YQ=="]"#,
    ":put [:rndstr length=5]",
    ":put [:rndnum from=1 to=5]",
    r#":put [:pick "abc" 1]"#,
    r#":put [:pick "abc" 1 2]"#,
    r#":put [:pick "abc" 1 2 3]"#,
    r#":put [:find "abc" b]"#,
    ":put [:len abc]",
    ":put [:len abc def]",
    r#":put [:toarray "a,b"]"#,
    r#":put [:toarray "a,b" delimiter=","]"#,
    ":put [:tostr 1]",
    ":put [:tonum 1 2]",
    ":put [:resolve example.com]",
    ":put [/system identity get name]",
    ":put [/system/identity/get name]",
    "/system identity print",
    "/system/identity/print",
    "/system identity set name=x",
    "/system identity set name = x",
    "/system identity set bogus=x",
    "/system identity",
    "/system identity; print",
    "/ip address { print; add address=10.0.0.1/24 interface=ether1 }",
    "/ip address { print }",
    "/ip address {print} foo",
    "/ip address add address=10.0.0.1/24 interface=ether1",
    r#"/ip address add address=10.0.0.1/24 interface=ether1 comment="a b""#,
    "/ip address remove [find comment=x]",
    "/ip address remove [find where comment=x]",
    "/ip address remove {1;2}",
    r#"/ip address print where address~"10""#,
    "/ip address print where",
    "/ip address print detail where !disabled",
    "/ip address print count-only",
    "/ip address get [find] address",
    "/ip address find",
    "/ip route check 1.1.1.1 once",
    "/ip route print where dst-address=0.0.0.0/0",
    "/ip dns set servers=1.1.1.1,8.8.8.8",
    "/ip dns cache flush",
    "/ip firewall filter add chain=input action=accept",
    "/ip firewall filter add chain=input action=accept place-before=0",
    "/ip firewall filter move 0 1",
    "/interface print stats",
    "/interface monitor-traffic ether1 once",
    "/interface ethernet monitor ether1 once",
    "/interface set [find name=ether1] disabled=yes",
    "/interface enable ether1",
    "/interface bridge port add bridge=b interface=ether1",
    "/interface vrrp add name=v interface=ether1 vrid=1",
    r#"/tool fetch url="http://a/b" mode=http"#,
    r#"/tool fetch url="http://a/b" mode=http output=user as-value"#,
    "/tool e-mail send to=a subject=b body=c",
    "/tool ping 1.1.1.1",
    "/ping 1.1.1.1 count=1",
    "/ping address=1.1.1.1 count=1",
    ":ping 1.1.1.1",
    r#"/log info "a""#,
    r#"/log info message="a""#,
    r#":log info "a""#,
    "/system script add name=x source={:put 1}",
    r#"/system script add name=x source=":put 1""#,
    "/system script run x",
    "/system scheduler add name=x interval=1d on-event=x",
    "/system scheduler add name=x interval=1d on-event={:put 1}",
    "/system reboot",
    "/import file-name=x",
    "/import x",
    "/export",
    "/export file=x",
    "/export terse",
    "/zzz",
    "/zzz print",
    "/zzz/print",
    "/zzz print where a=b",
    "/zzz do={:put 1}",
    "/zzz a={1;2}",
    "/zzz {:put 1}",
    r#"/zzz $a "b" [:put 1]"#,
    "/Zzz print",
    "/zz_z print",
    "/ip zzz",
    "/ip zzz add a=b",
    "/ip address zzz",
    ":zzz",
    ":put a; /zzz print",
    ":do {/zzz print} on-error={}",
    "{ :put a }",
    "{ :put a",
    ":put a }",
    ":put a # b",
    ":put a)",
    ")",
    ":put (1 + 2)",
    ":put (1 +",
    ":put ()",
    ":put (1 @@ 2)",
    ":put (1 . 2)",
    r#":put ("a" . "b")"#,
    r#":put ("a" . $b)"#,
    r#":put "a"#,
    r#":put "a\""#,
    r#":put "\zz""#,
    r#":put "\41""#,
    ":put {1;2",
    ":put a$b",
    r#":put "a$b""#,
    ":put $a.b",
    r#":put ($a->"b")"#,
    ":put ($a->b)",
    ":put [:put a",
    ":put a b",
    ":put a bogus=1",
    ":return 1",
    r#":error "x""#,
    ":error x y",
    ":delay 1s",
    ":delay 1",
    ":nothing",
    ":beep",
    ":environment print",
    "/environment print",
    "/system script environment print",
    "/system/script/environment/print",
    "# a comment",
    ":put a;",
    ";",
    ":put a;; :put b",
    "/",
    "..",
    "/ip/address/..",
    "/ip..",
    ":put [/ip/address/find]",
    "[:put a]",
    "(1)",
    "$a",
    "$a b c=d",
    "$a b=",
    ":set ($a->1) x",
    ":global a; :set ($a->1) x",
    r#":local a [:toarray ""]; :set ($a->"x") 1"#,
    ":global a 1; :put $a",
    ":local f do={:return $1}; :put [$f 1]",
    ":put 1; } ",
    ":if (1) do={ :put 1",
    "/ip address add address=1.1.1.1/32 interface=ether1 bogus=1",
    "/ip address set 0 address=",
    "/ip address set 0 address= comment=x",
    r#"/user add name=x password="y" group=full"#,
    "/interface ethernet set [ find default-name=ether1 ] name=wan",
    "/queue simple add name=x target=1.1.1.1/32 max-limit=1M/1M",
    "/ip pool add name=x ranges=1.1.1.1-1.1.1.9",
    "/ip dhcp-client add interface=ether1",
    "/certificate print",
    "/file print",
    "/file add name=x contents=y",
    "/file read file=x",
    "/disk set 0 comment=x",
    "/routing bgp instance add name=x",
    "/system package update check-for-updates once",
    ":put [/system/package/update/check-for-updates as-value]",
    ":put -1",
    ":put (-1)",
    ":put 1d",
    ":put 10.0.0.1/24",
    ":put *1",
    ":put yes",
    ":local a($b->1)",
    r#":local a"b""#,
    r#":put"a""#,
    ":if($a) do={:put 1}",
    r#"/log info a"b""#,
    r#"/log info"b""#,
    ":put [find a~$b]",
    ":foreach i in {1;2} do={:put $i}",
    ":foreach i in $x do={}",
    ":foreach i in",
    r#"for addr in "a""#,
    ":for i from 1 to 3 do {:put $i}",
    ":do {:put 1} while (1=2)",
    ":local value 5",
    ":local x value 5",
    ":foreach i in do={}",
    ":foreach counter=i in {1} do {}",
    "[]",
    "[]; :put a",
    "{[]}",
    "0aF1",
    "sendMail x",
    "/ip addressX",
    ":putX",
    ":putX a",
    "/system identity printX",
    r#":put "a $"b"c""#,
    r#":put "a$""#,
    r#":put "$"""#,
    r#":put "$"$"a"""#,
    ":global $a 1",
    ":local $a",
    ":foreach $a in={1} do={}",
    ":for counter=$a from=1 to=2 do={}",
    ":global a; :set $a 1",
    ":local a $b",
    ":onerror $e in={:put 1} do={:put 2}",
    ":global name=$a",
    r#":put "a\ b""#,
    r#":put a\ "#,
    r#":put\ a"#,
    "/ip address add \\\n# c {\n address=1.1.1.1/32 interface=ether1",
    ":put \\\n # c",
    ":put (1 + \\\n# c )\n 2)",
    ":put \\\n# c",
];

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    /// Wrong where the script gets there.
    Late,
    /// Nothing of it runs.
    Refused,
}

impl Verdict {
    fn of_late(any: bool) -> Self {
        if any { Self::Late } else { Self::Accepted }
    }
}

#[test]
fn the_judge_and_the_simulator_agree() {
    let version = Version::new(7, 22, 1);
    let bench = Bench::of(Spec::pair_a().version(version));
    let sys = bench.router.system().unwrap();
    let names: &dyn Names = sys.as_ref();
    let mut differ = Vec::new();
    let mut seen = [0; 3];
    for line in LINES {
        let judged = match judge(line.as_bytes(), *version) {
            Outcome::Accepted { late, .. } => Verdict::of_late(!late.is_empty()),
            Outcome::Refused(_) => Verdict::Refused,
        };
        let read = parse(line.as_bytes(), *version).and_then(|script| check(&script, names, &[]));
        let read = match &read {
            Ok(late) => Verdict::of_late(!late.is_empty()),
            Err(_) => Verdict::Refused,
        };
        seen[match judged {
            Verdict::Accepted => 0,
            Verdict::Late => 1,
            Verdict::Refused => 2,
        }] += 1;
        if judged != read {
            differ.push(format!("{line}: judge {judged:?}, simulator {read:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(LINES.len() > 150 && seen.iter().all(|count| *count > 10), "{seen:?}");
}

#[test]
fn a_name_that_is_not_there_is_met_when_the_script_gets_there() {
    let mut new = Bench::of(Spec::pair_a().version(Version::new(7, 22, 1)));
    assert_eq!(new.run(":do {:put b; /zzz print} on-error={:put caught}"), "b\ncaught");
    assert!(new.fails(":put a; /zzz print").contains("bad command name zzz (line 1 column 10)"));
    assert_eq!(new.run(":put [:parse \"/zzz print\"]"), "(<%% bad command name zzz (line 1 column 2) zzz;print)");
    assert_eq!(new.run(":onerror Err { /ip zzz; :put no } do={:put $Err}"), "bad command name zzz (line 1 column 20)");
    // An argument is late from 7.23 on.
    let text = ":do {:put b; /ip address set 0 zzz=1} on-error={:put caught}";
    assert!(new.fails(text).starts_with("bad parameter zzz"));
    assert_eq!(Bench::of(Spec::pair_a().version(Version::new(7, 24, 0))).run(text), "b\ncaught");
    // Of older versions it is not known: there nothing runs.
    assert!(Bench::v7().fails(":do {:put b; /zzz print} on-error={}").starts_with("bad command name zzz"));
}

#[test]
fn blocks_without_an_equals_sign_and_behind_a_menu() {
    let mut bench = Bench::of(Spec::pair_a().version(Version::new(7, 22, 1)));
    assert_eq!(bench.run(":foreach i in={1;2} do {:put $i}; :if (1=2) do {:put a} else {:put b}"), "1\n2\nb");
    let text = "/ip address { add address=10.1.1.1/24 interface=ether1; :put [:len [find address=\"10.1.1.1/24\"]] }; :put end";
    assert_eq!(bench.run(text), "1\nend");
    assert_eq!(bench.run(":global f do {:put $1}; $f 7"), "7");
    assert_eq!(bench.run(":put [:grep pattern=b script=\":put a; :put b\" as-array]"), "b");
}
