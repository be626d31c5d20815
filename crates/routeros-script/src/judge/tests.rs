//! Each learned fact about what routers read and refuse, as a small case of our own.

use super::{Outcome, judge};
use crate::Version;

const V7: Version = Version::new(7, 22, 1);

fn print(src: &str, version: Version) -> String {
    judge(src.as_bytes(), version).text().to_owned()
}

#[track_caller]
fn all(cases: &[(&str, &str)]) {
    for (src, expected) in cases {
        assert_eq!(print(src, V7), *expected, "{src:?}");
    }
}

#[test]
fn empty_statements_show_where_routers_show_them() {
    all(&[
        ("", ""),
        ("# only a comment\n", "/"),
        ("\n:put a", "/;(evl /putmessage=a)"),
        ("# c\n:put a\n# c\n\n\n# c\n:put b\n", "(evl /putmessage=a);(evl /putmessage=b)"),
        (":do {}", "(evl /docommand=;(evl /))"),
        (":do {:put a}", "(evl /docommand=;(evl (evl /putmessage=a)))"),
        (":do {\n:put a\n\n}", "(evl /docommand=;(evl / (evl /putmessage=a)))"),
        (":do { :put a; }", "(evl /docommand=;(evl (evl /putmessage=a) /))"),
        (":do { :put a;}", "(evl /docommand=;(evl (evl /putmessage=a)))"),
        (":do { :put a;\n }", "(evl /docommand=;(evl (evl /putmessage=a)))"),
        (":do { :put a; \n }", "(evl /docommand=;(evl (evl /putmessage=a) /))"),
        (":do { :put a; \n :put b}", "(evl /docommand=;(evl (evl /putmessage=a) / (evl /putmessage=b)))"),
        (":do {:put a\n # c\n}", "(evl /docommand=;(evl (evl /putmessage=a) /))"),
        (":do {:put a\n\n# c\n# c\n:put b}", "(evl /docommand=;(evl (evl /putmessage=a) (evl /putmessage=b)))"),
        (":do {:put a\n# c\n\n# c\n}", "(evl /docommand=;(evl (evl /putmessage=a)))"),
        (":do {:put a\n# c\n\n # c\n:put b}", "(evl /docommand=;(evl (evl /putmessage=a) (evl /putmessage=b)))"),
        (":do {:put a\n # c\n\n:put b}", "(evl /docommand=;(evl (evl /putmessage=a) / (evl /putmessage=b)))"),
        ("/ip address\n{\nprint\n}", "/ip/address/;(evl /ip/address/ (evl /ip/address/print))"),
        (":put 1\r\n:put 2\r\n", "(evl /putmessage=1);(evl /putmessage=2)"),
    ]);
}

/// \[verify\]: seen on 7.23 and 7.24.
#[test]
fn a_comment_may_begin_a_joined_line() {
    all(&[
        ("/ip address add \\\n# c {\n# d\n address=1.1.1.1/32", "(evl /ip/address/addaddress=1.1.1.1;32)"),
        (":put \\\n # c", "expected end of command (line 2 column 4)"),
        (":put \"a\\\n# c\n\"", "(evl /putmessage=(. a # c\n))"),
        (":local a {1;\\\n# c\n2}", "(evl /localname=$a;value=1;2)"),
    ]);
}

#[test]
fn menus_are_found_followed_and_shown() {
    all(&[
        ("/ip addr print", "(evl /ip/address/print)"),
        ("/ip/address/ print", "(evl /ip/address/print)"),
        ("/ip address\nprint\n/\n..", "/ip/address/;(evl /ip/address/print);/;/"),
        ("/ip firewall filter\n.. ..\n", "/ip/firewall/filter/;/ip/"),
        ("/ip firewall\nfilter\nprint", "/ip/firewall/;/ip/firewall/filter/;(evl /ip/firewall/filter/print)"),
        (
            "/ip route\nwhile (a=1) do={print}",
            "/ip/route/;(evl /whilecondition=(= $a 1);do=;(evl (evl /ip/route/print)))",
        ),
        ("/system identity print\nput a", "(evl /system/identity/print);(evl /putmessage=a)"),
        (
            "/ip fire layer7\nremove [find]",
            "/ip/firewall/layer7-protocol/;(evl /ip/firewall/layer7-protocol/removenumbers=(evl (evl /ip/firewall/layer7-protocol/find)))",
        ),
        (
            ":if (1=1) do={\n/ip route\nprint\n}\nput a",
            "(evl /ifcondition=(= 1 1);do=;(evl / /ip/route/ (evl /ip/route/print)));(evl /putmessage=a)",
        ),
    ]);
    for version in [Version::new(7, 23, 0), Version::new(7, 24, 0)] {
        assert_eq!(print("/ping a count=1", version), "(evl /tool/pingaddress=a;count=1)");
    }
    assert_eq!(print("/interface wifiwave2 print", V7), "(evl /interface/wifi/print)");
}

#[test]
fn names_that_do_not_exist_are_late_errors() {
    all(&[
        ("/zzz qqq print", "(<%% bad command name zzz (line 1 column 2) zzz;qqq;print)"),
        (
            "/system hardware set multi-cpu=no",
            "(<%% bad command name hardware (line 1 column 9) hardware;set;multi-cpu=no)",
        ),
        ("-1.1", "(<%% bad command name -1.1 (line 1 column 1) -1.1)"),
        ("\n:foobar", "/;(<%% bad command name foobar (line 2 column 2) foobar)"),
        (
            "/system leds\n/interface zzz\nset [find] type=on",
            "/system/leds/;(<%% bad command name zzz (line 2 column 12) zzz);(evl /system/leds/setnumbers=(evl (evl /system/leds/find));type=on)",
        ),
        (
            "/zzz set a disabled=(![get a b])",
            "(<%% bad command name zzz (line 1 column 2) zzz;set;a;disabled=(! (evl (<%% bad command name get (line 1 column 24) get;a;b))))",
        ),
    ]);
    let Outcome::Accepted { late, .. } = judge(b"/zzz\n/ip yyy", V7) else { panic!() };
    assert_eq!(late.len(), 2);
    assert_eq!(late[1].error.message, "bad command name yyy (line 2 column 5)");
}

#[test]
fn unknown_arguments_end_the_text_before_7_23() {
    let newer = Version::new(7, 23, 0);
    for (src, older, late) in [
        (
            "/system clock set format=x",
            "expected end of command (line 1 column 19)",
            "(evl bad parameter format (line 1 column 25) /system/clock/set)",
        ),
        (
            "/ip dhcp-server network\nadd ... dhcp-option=x",
            "expected end of command (line 2 column 5)",
            "/ip/dhcp-server/network/;(evl bad parameter ... (line 2 column 8) /ip/dhcp-server/network/adddhcp-option=x)",
        ),
        (
            "/ip address print nothing=1",
            "expected end of command (line 1 column 19)",
            "(evl bad parameter nothing (line 1 column 26) /ip/address/print)",
        ),
    ] {
        assert_eq!(print(src, V7), older);
        assert_eq!(print(src, newer), late);
    }
    assert_eq!(print("/ip route add nothing=\\\n   xx", newer), "syntax error (line 2 column 4)");
}

#[test]
fn refusals_have_the_routers_words_and_places() {
    all(&[
        // A word that is no name, where a name is wanted.
        ("Flags: X", "expected command name (line 1 column 1)"),
        (":LOCAL z 1", "expected command name (line 1 column 2)"),
        ("> /ip", "expected command name (line 1 column 1)"),
        ("?active", "expected command name (line 1 column 1)"),
        ("/ip/socks> print", "expected command name (line 1 column 10)"),
        ("[user@a] > x", "expected command name (line 1 column 6)"),
        ("//local a", "expected command name (line 1 column 2)"),
        ("/ip //address", "expected command name (line 1 column 5)"),
        (":do {a *1;*2}", "expected command name (line 1 column 11)"),
        // Behind an unknown name.
        ("[admin@a] > x", "syntax error (line 1 column 7)"),
        ("[u@a]", "syntax error (line 1 column 3)"),
        ("/zzz/yyy", "syntax error (line 1 column 5)"),
        ("owner=me", "syntax error (line 1 column 6)"),
        ("0aF1", "syntax error (line 1 column 3)"),
        ("sendMail x", "syntax error (line 1 column 5)"),
        (":putX", "expected end of command (line 1 column 5)"),
        ("/ip addressX", "expected command name (line 1 column 12)"),
        ("00:00:01", "syntax error (line 1 column 3)"),
        ("7.21: x", "syntax error (line 1 column 5)"),
        ("zzz yyy {\n:put a }", "syntax error (line 1 column 9)"),
        ("print where comment~\"x\"", "syntax error (line 1 column 21)"),
        ("const a = b", "syntax error (line 1 column 9)"),
        (":do {zzz export file=\"$a/$b\"}", "syntax error (line 1 column 25)"),
        ("$f set ip=<ip> - name 'x'", "syntax error (line 1 column 23)"),
        // Behind a command.
        (":local caf\u{e9} 1", "expected end of command (line 1 column 11)"),
        (":local A_B 1", "expected end of command (line 1 column 9)"),
        ("tostr: ;c", "expected end of command (line 1 column 6)"),
        ("find . -type f -exec ls", "expected end of command (line 1 column 16)"),
        (":put [find name=x]", "expected end of command (line 1 column 16)"),
        ("/system note set note= show-at-login=yes", "expected end of command (line 1 column 37)"),
        ("/ip/address/add interface=a address=<b>", "expected end of command (line 1 column 37)"),
        ("/ip route add dst-address=1.1.1.1 blackhole=yes", "expected end of command (line 1 column 44)"),
        (":put $a-b", "expected end of command (line 1 column 8)"),
        // Between arguments a blank is needed; only the command's own name may be touched.
        (":local a($b->1)", "expected end of command (line 1 column 9)"),
        (":put [find a~$b]", "expected end of command (line 1 column 14)"),
        (":local a\"b\"", "expected end of command (line 1 column 9)"),
        ("for addr in \"a\" \"b\"; do \\", "expected end of command (line 1 column 10)"),
        // Braces where the argument takes none.
        ("/system logging action add name=a script={:put 1}", "syntax error (line 1 column 42)"),
        ("/ip dns set servers={1.1.1.1}", "syntax error (line 1 column 21)"),
        // A variable that nobody declared.
        (":set a 1", "syntax error (line 1 column 6)"),
        (":do {\n  :set b \"x\"\n}", "syntax error (line 2 column 8)"),
        // The name of a new one has no sign: captured for `:global`, inferred for the others.
        (":global $a 1", "syntax error (line 1 column 9)"),
        (":local $a", "syntax error (line 1 column 8)"),
        (":foreach $a in={1} do={}", "syntax error (line 1 column 10)"),
        (":for counter=$a from=1 to=2 do={}", "syntax error (line 1 column 14)"),
        // Brackets.
        ("{\n:put a\n", "missing closing brace (line 3 column 1)"),
        (":if (a) do={\n:if (b) do={\n", "expected closing brace (line 3 column 1)"),
        (":local z ()", "syntax error (line 1 column 12)"),
        (":local z {}", "syntax error (line 1 column 12)"),
        (":local z {()}", "syntax error (line 1 column 13)"),
        (":local z {(1,)}", "syntax error (line 1 column 15)"),
        (":local z {1;2,}", "syntax error (line 1 column 16)"),
        (":local z {;}", "syntax error (line 1 column 11)"),
        (":local z (1;2)", "syntax error (line 1 column 12)"),
        (":local z {(,)}", "syntax error (line 1 column 12)"),
        (":if ((a=1) &&\n(b=2)) do={}", "syntax error (line 1 column 14)"),
        ("(1 ** 2)", "syntax error (line 1 column 5)"),
        ("(1 ? 2)", "syntax error (line 1 column 4)"),
        ("(1 <% 2)", "syntax error (line 1 column 5)"),
        ("([0-2]{0,1}[0-9]{1,2}\\.)", "syntax error (line 1 column 22)"),
        // Strings.
        // The argument is named: captured on 7.22.1 for a menu's command, on 7.23 and 7.24 for the language's own.
        (":put \"a\\q\"", "expected message value (line 1 column 9)"),
        (":put \"\\x0a\"", "expected message value (line 1 column 8)"),
        (":put \"\\0a\"", "expected message value (line 1 column 9)"),
        (":put (\"a\\q\")", "syntax error (line 1 column 10)"),
        ("$f \"a\\q\"", "syntax error (line 1 column 7)"),
        ("/system identity set name=\"a\\q\"", "expected name value (line 1 column 30)"),
        (":put \"a $x b\n}", "syntax error (line 1 column 11)"),
        ("/ip service print where !dynamic`", "expected end of command (line 1 column 33)"),
        (":put [:typeof $<x", "syntax error (line 1 column 16)"),
        (":put [:serialize to=dsv decimator=,", "expected end of command (line 1 column 34)"),
        ("/ip address find where", "missing value for where (line 1 column 23)"),
        ("/user-manager user [find name=a] b=c", "expected end of command (line 1 column 30)"),
    ]);
    // RouterOS 6 joins menus by blanks.
    assert_eq!(print("/interface/bridge/print", Version::new(6, 49, 0)), "expected command name (line 1 column 11)");
}

#[test]
fn arguments_are_sorted_and_named() {
    all(&[
        (":put hello", "(evl /putmessage=hello)"),
        (":put\"a\"", "(evl /putmessage=a)"),
        (":if($a)do={:put 1}", "expected end of command (line 1 column 8)"),
        (":if($a) do={:put 1}", "(evl /ifcondition=$a;do=;(evl (evl /putmessage=1)))"),
        (":local x 42", "(evl /localname=$x;value=42)"),
        (":global X", "(evl /globalname=$X)"),
        (":global \"a-b\" 1; :put $\"a-b\"", "(evl /globalname=$a-b;value=1);(evl /putmessage=$a-b)"),
        (":global f do={:put $1}", "(evl /globaldo=;(evl (evl /putmessage=$1));name=$f)"),
        (
            ":local a; :set $a [:pick $b 0 3]",
            "(evl /localname=$a);(evl /setname=$a;value=(evl (evl /pickbegin=0;counter=$b;end=3)))",
        ),
        (":local a; :set ($a->\"k\") 1", "(evl /localname=$a);(evl /setname=(-> $a k);value=1)"),
        (
            ":if (1=1) do={:put yes} else={:put no}",
            "(evl /ifcondition=(= 1 1);do=;(evl (evl /putmessage=true));else=;(evl (evl /putmessage=false)))",
        ),
        (
            ":if (a) do {:put 1} else {:put 2}",
            "(evl /ifcondition=$a;do=;(evl (evl /putmessage=1));else=;(evl (evl /putmessage=2)))",
        ),
        (":for i from=1 to=3 do={:put $i}", "(evl /forcounter=$i;do=;(evl (evl /putmessage=$i));from=1;to=3)"),
        (":foreach k in $x do={}", "(evl /foreachcounter=$k;do=;(evl /);in=$x)"),
        (":for i from 1 to 3 do {:put $i}", "(evl /forcounter=$i;do=;(evl (evl /putmessage=$i));from=1;to=3)"),
        (":do {:put 1} while ($a < 2)", "(evl /docommand=;(evl (evl /putmessage=1));while=(< $a 2))"),
        (":local value 5", "(evl /localname=$value;value=5)"),
        (":local x value 5", "expected end of command (line 1 column 16)"),
        (":foreach k,v in=$x do={}", "(evl /foreachcounter=$k;$v;do=;(evl /);in=$x)"),
        (
            ":do {:put 1} on-error={:put 2}",
            "(evl /docommand=;(evl (evl /putmessage=1));on-error=;(evl (evl /putmessage=2)))",
        ),
        (
            ":onerror e {:put 1} do={:put $e}",
            "(evl /onerrordo=;(evl (evl /putmessage=$e));error=$e;in=;(evl (evl /putmessage=1)))",
        ),
        (
            ":onerror e in={:put 1} do {:put $e}",
            "(evl /onerrordo=;(evl (evl /putmessage=$e));error=$e;in=;(evl (evl /putmessage=1)))",
        ),
        (
            ":retry {:put 1} delay=500ms max=5",
            "(evl /retrycommand=;(evl (evl /putmessage=1));delay=00:00:00.500;max=5)",
        ),
        (":foreach t in={\"a\"; \"b\"} do={}", "(evl /foreachcounter=$t;do=;(evl /);in=a;b)"),
        (":execute script={/ip a}", "(evl /executescript=/ip a)"),
        (
            "/system script add name=x source={ :put 1; {} } comment=y",
            "(evl /system/script/addcomment=y;name=x;source= :put 1; {} )",
        ),
        ("/tool fetch src-address=", "(evl /tool/fetch)"),
        ("/ip address set 0 disabled=no comment=yes", "(evl /ip/address/setcomment=yes;disabled=false;numbers=0)"),
        ("/log info \"a b\"", "(evl /log/infomessage=a b)"),
        (":log warn a", "(evl /log/warningmessage=a)"),
        (":error", "(evl /error)"),
        (
            "/system clock\n:put [get date]",
            "/system/clock/;(evl /putmessage=(evl (evl /system/clock/getvalue-name=date)))",
        ),
        ("/file get $x contents", "(evl /file/getnumber=$x;value-name=contents)"),
        ("/ip address print detail as-value", "(evl /ip/address/printas-value=true;detail=true)"),
        (
            ":put ([/tool fetch url=\"a\" output=user as-value]->\"data\")",
            "(evl /putmessage=(-> (evl (evl /tool/fetchas-value=user;output=user;url=a)) data))",
        ),
        (
            "/interface wifi configuration add channel.width=20mhz .band=5ghz-ax",
            "(evl /interface/wifi/configuration/addchannel.band=5ghz-ax;channel.width=20mhz)",
        ),
    ]);
}

#[test]
fn values_are_canonical() {
    all(&[
        (":put 200ms", "(evl /putmessage=00:00:00.200)"),
        (":delay 2.5", "(evl /delaydelay-time=00:00:02.500)"),
        (":put 2.2/24", "(evl /putmessage=2.0.0.2/24)"),
        (":put 1::1/69", "(evl /putmessage=1::/69)"),
        (":put 0x1F", "(evl /putmessage=31)"),
        (":put 256.1", "(evl /putmessage=00:04:16.100)"),
        ("/ip address add address=2.2/24 comment=2.2", "(evl /ip/address/addaddress=2.0.0.2;24;comment=2.2)"),
        ("/ip dns set servers=1.1.1.1,8.8.8.8", "(evl /ip/dns/setservers=1.1.1.1;8.8.8.8)"),
        (
            "/ip firewall filter add chain=a in-interface-list=!LAN connection-state=new,invalid src-address=2.2",
            "(evl /ip/firewall/filter/addchain=a;connection-state=;new;invalid;in-interface-list=true;LAN;src-address=;2.0.0.2)",
        ),
        ("/ip route add dst-address=10.9.0.0/16 distance=2", "(evl /ip/route/adddistance=2;dst-address=10.9.0.0/16)"),
        ("/tool netwatch add host=1.1.1.1 interval=2.2", "(evl /tool/netwatch/addhost=1.1.1.1;interval=00:00:02.200)"),
        (
            "/ppp profile add bridge-learning=no session-timeout=1s",
            "(evl /ppp/profile/addbridge-learning=no;session-timeout=00:00:01)",
        ),
        (":put //foo", "(evl /putmessage=//foo)"),
        ("/ip address add comment=#tag", "(evl /ip/address/addcomment=#tag)"),
        (":local z {1;2}", "(evl /localname=$z;value=1;2)"),
        (":local z {1;2;}", "(evl /localname=$z;value=1;2)"),
        (":local z {1,2}", "(evl /localname=$z;value=(, 1 2))"),
        (":local z {b=1;2;\"a b\"=1.1}", "(evl /localname=$z;value=2;a b=1.0.0.1;b=1)"),
        (":local z {a=}", "(evl /localname=$z;value=a)"),
        (":local z {1;{}}", "(evl /localname=$z;value=1;)"),
        (":local z ({})", "(evl /localname=$z;value=)"),
        (":local z {a={1;2}\n b=(1,2)}", "(evl /localname=$z;value=a=1;2;b=(, 1 2))"),
    ]);
}

#[test]
fn strings_come_in_pieces() {
    all(&[
        (":put \"a $x b\"", "(evl /putmessage=(. a  $x  b))"),
        (":put \"$x\"", "(evl /putmessage=$x)"),
        (":put \"a\\\"b\"", "(evl /putmessage=(. a \" b))"),
        (":put \"\\$a\"", "(evl /putmessage=(. $ a))"),
        // Bytes stand in it as they are, whatever they are: it can't always be told apart what they mean.
        (":put \"\\n\"", "(evl /putmessage=\n)"),
        (":put \"\\t\\07\\r\"", "(evl /putmessage=(. \t \u{7} \r))"),
        (":put \"a\r\nb\"", "(evl /putmessage=a\r\nb)"),
        (":put \"\\\\.\\?\"", "(evl /putmessage=(. \\ . ?))"),
        (":put \"a_$x_b\"", "(evl /putmessage=(. a_ $x _b))"),
        (":put \"$(1 + 2)$[:len $x]\"", "(evl /putmessage=(. (+ 1 2) (evl (evl /lenvalue=$x))))"),
        (":put \"a \\\n   b\"", "(evl /putmessage=(. a  b))"),
        (":put \"\"", "(evl /putmessage=)"),
        // [verify]: seen on 7.23. A backslash before a blank vanishes with it; a line end behind that is one.
        (":put \"a\\ b\\\tc\"", "(evl /putmessage=(. a b c))"),
        (":put a\\ \n:put b", "(evl /putmessage=a);(evl /putmessage=b)"),
        (":put \"a $\"b c\"d\"", "(evl /putmessage=(. a  $b c d))"),
        (":put \"$\"b\"\"", "(evl /putmessage=$b)"),
        (":put \"a$\"", "expected message value (line 1 column 9)"),
        (":put (\"a$\"\"b\")", "syntax error (line 1 column 10)"),
        (":put \"a\nb\"", "(evl /putmessage=a\nb)"),
        (":put \"(a|b)\"", "(evl /putmessage=(a|b))"),
        // in a concatenation they are operands like any other, what stands in brackets too
        (":put ($a . \"b\\n\" . \"$c.\")", "(evl /putmessage=(. $a b \n $c .))"),
        (":put ($a . (\"b\" . $c) . \"d\")", "(evl /putmessage=(. $a b $c d))"),
    ]);
}

#[test]
fn operators_bind_as_on_routers() {
    all(&[
        (":put (1 + 2 * 3 - 4)", "(evl /putmessage=(- (+ 1 (* 2 3)) 4))"),
        (":put ($a and $b or !$c)", "(evl /putmessage=(or (and $a $b) (! $c)))"),
        (":put ($a . $b . $c)", "(evl /putmessage=(. $a $b $c))"),
        (":put ($a,$b)", "(evl /putmessage=(, $a $b))"),
        // Captured for `*`; inferred for the others that take more than two operands.
        (":put ($a * ($b*$c))", "(evl /putmessage=(* $a $b $c))"),
        (":put ($a + ($b+$c) + 1)", "(evl /putmessage=(+ $a $b $c 1))"),
        (":put ($a or ($b or $c))", "(evl /putmessage=(or $a $b $c))"),
        (":put ($a - ($b-$c))", "(evl /putmessage=(- $a (- $b $c)))"),
        (":put ($a * ($b+$c))", "(evl /putmessage=(* $a (+ $b $c)))"),
        (":put ($a->1->\"k\")", "(evl /putmessage=(-> (-> $a 1) k))"),
        (":put (1 << 2 << 3)", "(evl /putmessage=(<< 1 (<< 2 3)))"),
        (":put (a=1 . 2)", "(evl /putmessage=(= $a (. 1 2)))"),
        (":put ($a-$b)", "(evl /putmessage=(- $a $b))"),
        (":put (-1)", "(evl /putmessage=(- 1))"),
        (":put ($a * -1)", "(evl /putmessage=(* $a (- 1)))"),
        (":put -1", "(evl /putmessage=-1)"),
        (":put (~$a & 255.0.0.0)", "(evl /putmessage=(& (~ $a) 255.0.0.0))"),
        (":put (>[:put a])", "(evl /putmessage=(> (evl (evl /putmessage=a))))"),
        (":put (>[])", "(evl /putmessage=(> (evl /)))"),
        ("(1 && 2)", "(<%% (and 1 2) )"),
        ("(1 <> 2)", "(<%% (< 1 (> 2)) )"),
        ("(1 not 2)", "(<%% (  1 $not 2) )"),
        (":put (any $x)", "(evl /putmessage=(any $x))"),
    ]);
}

#[test]
fn calls_take_their_function_along() {
    all(&[
        ("$f", "(<%% $f (> $f))"),
        ("$f a b=1 a=2 \"c\"", "(<%% $f (> $f);a;c;a=2;b=1)"),
        (":put [$f \"world\"]", "(evl /putmessage=(evl (<%% $f (> $f);world)))"),
        (":local a 1\n[$f]", "(<%% (evl (evl /localname=$a;value=1);(<%% $f (> $f))) )"),
        (":do {\n[$f]\n}", "(evl /docommand=;(evl (<%% (evl /;(<%% $f (> $f))) )))"),
        ("[($a->\"f\") x]", "(<%% (<%% (-> $a f) x) )"),
        (":put [[:parse \"x\"]]", "(evl /putmessage=(evl (<%% (evl /parsevalue=x) )))"),
        // Nothing in brackets is a statement, too.
        ("[]", "(<%% / )"),
        ("[] > :put a", "(<%% / >;:put;a)"),
        (":put [($f <%% {a=1})]", "(evl /putmessage=(evl (<%% (<%% $f a=1) )))"),
    ]);
}

#[test]
fn conditions_read_properties() {
    all(&[
        ("/ip route remove [find]", "(evl /ip/route/removenumbers=(evl (evl /ip/route/find)))"),
        (
            "/ip route remove [find where comment=\"a\" and active=yes]",
            "(evl /ip/route/removenumbers=(evl (evl /ip/route/findwhere=(and (= $comment a) (= $active true));5)))",
        ),
        (
            "/ip route find disabled=no comment~\"x\"",
            "(evl /ip/route/findwhere=(  (= $disabled false) (~ $comment x));5)",
        ),
        (
            "/ip route find !disabled dst-address=0.0.0.0/0",
            "(evl /ip/route/findwhere=(  (! $disabled) (= $dst-address 0.0.0.0/0));5)",
        ),
        (
            "/log find where topics=({\"script\"; \"warning\"}) message=x",
            "(evl /log/findwhere=(  (= $topics script;warning) (= $message x));5)",
        ),
        ("/certificate find where ca=[]", "(evl /certificate/findwhere=(= $ca (evl /certificate/));5)"),
        ("/system leds find where leds=user-led", "(evl /system/leds/findwhere=(= $leds user-led);5)"),
        ("/file find type!=disk && !(name~\"a\")", "(evl /file/findwhere=(and (!= $type disk) (! (~ $name a)));5)"),
        (
            "/ip address print where (network + 1) = 192.168.88.1",
            "(evl /ip/address/printwhere=(= (+ $network 1) 192.168.88.1);5)",
        ),
        ("/ip address print detail where .id=$x", "(evl /ip/address/printdetail=true;where=(= $.id $x);5)"),
        (
            "/ip fire conn\nremove [find where timeout>60]",
            "/ip/firewall/connection/;(evl /ip/firewall/connection/removenumbers=(evl (evl /ip/firewall/connection/findwhere=(> $timeout 60);5)))",
        ),
    ]);
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    for open in ["{", "[", "(", ":do {", ":put (", "$a {", "\"$[", "\"$"] {
        let text = open.repeat(10_000);
        assert!(matches!(judge(text.as_bytes(), V7), Outcome::Refused(_)), "{open}");
    }
}

#[test]
fn conditions_reach_into_parentheses_and_not_into_brackets() {
    all(&[
        (
            "/ip firewall connection find timeout>60 and (!(reply-dst-address~$a) or protocol=udp)",
            "(evl /ip/firewall/connection/findwhere=(and (> $timeout 60) (or (! (~ $reply-dst-address $a)) (= $protocol udp)));5)",
        ),
        (
            "/ip address find interface=[:pick (a-b) 0]",
            "(evl /ip/address/findwhere=(= $interface (evl (evl /pickbegin=0;counter=(- $a $b))));5)",
        ),
    ]);
}

#[test]
fn keys_of_arrays_are_words_and_strings_with_the_equals_sign_right_behind() {
    let value = |text: &str| format!("(evl /localname=$a;value={text})");
    for (array, expected) in [
        ("{k=7}", value("k=7")),
        ("{ k= }", value("k")),
        ("{/k-l=7}", value("/k-l=7")),
        ("{k/l=7}", value("k/l=7")),
        ("{-=7}", value("-=7")),
        ("{0x1F=7;1w=8}", value("0x1F=7;1w=8")),
        // Everything else is compared.
        ("{$k=7;l=8}", value("(= $k 7);l=8")),
        ("{$k=7=8}", value("(= (= $k 7) 8)")),
        ("{k =7}", value("(= $k 7)")),
        ("{k_l=7}", value("(= $k_l 7)")),
        ("{k:l=7}", value("(= $k:l 7)")),
        ("{(k)=7}", value("(= $k 7)")),
        ("{.id}", value("$.id")),
        ("(-7=1,2)", value("(, (= (- 7) 1) 2)")),
        ("{$k=}", "syntax error (line 1 column 15)".to_owned()),
        ("{k;;l}", "syntax error (line 1 column 13)".to_owned()),
    ] {
        assert_eq!(print(&format!(":local a {array}"), V7), expected, "{array}");
    }
}

#[test]
fn braces_are_values_only_where_any_value_may_stand() {
    for refused in [
        "/ip route add comment={1;2}",
        "/ip dns set servers={1.1.1.1;8.8.8.8}",
        "/ip route print where comment={1;2}",
        "/ip route print where (comment={1;2})",
        "/ip route print (1,2)",
        ":log info message={1;2}",
        ":delay {1;2}",
        ":if condition={1;2}",
        ":toarray delimiter={1;2}",
        ":execute file={1;2}",
        "zzz {1;2}",
    ] {
        assert!(matches!(judge(refused.as_bytes(), V7), Outcome::Refused(_)), "{refused}");
    }
    all(&[
        (":range {1} to={2}", "(evl /rangefrom=1;to=2)"),
        ("/ip route add comment=({1;2})", "(evl /ip/route/addcomment=1;2)"),
        ("/system scheduler add on-event={:put 1}", "(evl /system/scheduler/addon-event=:put 1)"),
        (":grep {/log print} pattern=x", "(evl /greppattern=x;script=/log print)"),
    ]);
}

#[test]
fn arguments_that_are_switched_on_repeat_the_last_value() {
    all(&[
        ("/interface monitor-traffic ether1 once", "(evl /interface/monitor-trafficinterface=ether1;once=ether1)"),
        ("/interface lte monitor $i once as-value", "(evl /interface/lte/monitoras-value=$i;numbers=$i;once=$i)"),
        ("/system check-installation as-value", "(evl /system/check-installationas-value=true)"),
    ]);
}

#[test]
fn values_are_read_as_their_argument_wants_them() {
    let newer = Version::new(7, 23, 0);
    assert_eq!(print(":put [find a=b]", newer), "expected end of command (line 1 column 13)");
    assert_eq!(print("/tool mac-server set <x>", newer), "expected end of command (line 1 column 22)");
    all(&[
        // A property that the menu lacks is none.
        ("/system leds find default-name=x", "(evl /system/leds/findwhere=(= (- $default $name) $x);0)"),
        ("/interface ethernet find default-name=x", "(evl /interface/ethernet/findwhere=(= $default-name x);5)"),
        (
            "/ip route find distance=1 routing-mark=x",
            "(evl /ip/route/findwhere=(  (= $distance 1) (= (- $routing $mark) $x));5)",
        ),
        ("/interface list member add interface=<x>", "(evl /interface/list/member/addinterface=<x>)"),
        ("/ip dhcp-server network add address=10.0.0.0/8", "(evl /ip/dhcp-server/network/addaddress=10.0.0.0;8)"),
        ("/certificate export-certificate a type=pkcs12", "(evl /certificate/export-certificatenumbers=a;type=true)"),
        (
            "/ip firewall mangle add per-connection-classifier=src-address:2/1",
            "(evl /ip/firewall/mangle/addper-connection-classifier=;src-address;2;1)",
        ),
        ("/routing table add fib name=x", "(evl /routing/table/addfib=true;name=x)"),
        (":set $1 2", "(evl /setname=$1;value=2)"),
        (":put 1\n;;:put 2", "(evl /putmessage=1);/;/;(evl /putmessage=2)"),
        ("/ip route add distance=2.2", "(evl /ip/route/adddistance=2.2)"),
        ("/ip route add disabled=2", "syntax error (line 1 column 24)"),
        ("/interface bridge port add interface=a,b", "(evl /interface/bridge/port/addinterface=a,b)"),
        ("/log find topics=script,warning", "(evl /log/findwhere=(= $topics script;warning);5)"),
        ("/ip dhcp-client\n... x=\"y\"", "syntax error (line 2 column 6)"),
        (":do {\n[[:parse \"x\"]]\n}", "(evl /docommand=;(evl (<%% (evl /;(<%% (evl /parsevalue=x) )) )))"),
    ]);
}

/// As exports write a property without a value.
#[test]
fn a_negated_property_is_one_without_a_value() {
    for version in [Version::new(7, 22, 1), Version::new(7, 24, 0)] {
        for text in [
            "/interface gre add !keepalive name=a remote-address=1.1.1.1",
            "/interface gre\nadd name=a !keepalive",
            "/interface gre set 0 !keepalive",
            "/interface gre set [find name=a] !keepalive \\\n    name=b",
        ] {
            let outcome = judge(text.as_bytes(), version);
            assert!(matches!(&outcome, Outcome::Accepted { late, .. } if late.is_empty()), "{text}: {outcome:?}");
        }
        for text in ["/interface gre add !zzz", "/interface gre add !keepalive=1", "/interface gre print !keepalive"] {
            let outcome = judge(text.as_bytes(), version);
            let good = matches!(&outcome, Outcome::Accepted { late, .. } if late.is_empty());
            assert!(!good || text.contains("print"), "{text}: {outcome:?}");
        }
    }
}
