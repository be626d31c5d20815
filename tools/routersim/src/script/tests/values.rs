//! Operators and conversions.

use super::*;

#[test]
fn operators_bind_as_the_table_says() {
    for (expression, value) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("7 / 2 . 7 % 2", "31"),
        ("1 . 2 + 3", "15"),
        ("1 << 4 | 1", "32"),
        ("0xFF & 0x0F ^ 1", "14"),
        ("1 < 2 && 2 < 1", "false"),
        ("true || false && false", "true"),
        ("!true || true", "true"),
        ("! (true || true)", "false"),
        ("1 + 1 = 2", "true"),
        ("\"a\" . \"b\" = \"ab\"", "true"),
        ("1 = 1 and 2 = 2", "true"),
        ("-3 + 5", "2"),
        ("5 - -3", "8"),
        ("({1;2;3}->1) + 1", "3"),
        ("{\"a\"={\"b\"=5}}->\"a\"->\"b\" + 1", "6"),
        ("192.168.1.1 in 192.168.0.0/16", "true"),
        ("10.0.0.1 in 192.168.0.0/16", "false"),
        ("192.168.1.0/24 in 192.168.0.0/16", "true"),
        ("192.168.1.100 & 255.255.255.0", "192.168.1.0"),
        ("192.168.1.0 | 0.0.0.255", "192.168.1.255"),
        ("192.168.1.1 ^ 0.0.0.255", "192.168.1.254"),
        ("192.168.1.1 + 1", "192.168.1.2"),
        ("10.0.0.5 - 10.0.0.1", "4"),
        ("~0.0.0.255", "255.255.255.0"),
        // The manual's examples of IPv6.
        ("[:typeof (~::ffff)]", "ip6"),
        ("~::ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0"),
        ("2001::1|::ffff", "2001::ffff"),
        ("2001::ffff:1^::ffff:0", "2001::1"),
        ("2001::1111&ffff::", "2001::"),
        ("[:toip6 \"2001:db8:1:2:3::4\"] & ffff:ffff:ffff:ffff::", "2001:db8:1:2::"),
        ("2001:db8::5 in 2001:db8::/32", "true"),
        ("2001:db9::5 in 2001:db8::/32", "false"),
        ("2001:db9::/48 in 2001:db8::/31", "true"),
        ("2001:db8::/31 in 2001:db9::/48", "false"),
        ("2001:db8::ffff + 1", "2001:db8::1:0"),
        ("1 + 2001:db8::1", "2001:db8::2"),
        ("2001:db8::1:0 - 1", "2001:db8::ffff"),
        ("[:typeof 2001:db8::/32]", "ip6-prefix"),
        ("\"hello\" ~ \"hel.*\"", "true"),
        ("\"v: \" . {\"cc\";\"dd\"}", "v: cc;v: dd"),
        ("[:len (\"v: \" . {1;2})]", "2"),
        ("{1;k=2} . \"x\"", "1x;k=2x"),
        ("\"\\\\\" ~ \"[\\\\bfn\\\"]\"", "true"),
        ("\"[\" ~ \"[[]\"", "true"),
        ("\"d\" ~ \"^[\\\\d]\\$\"", "true"),
        ("\"5\" ~ \"^[\\\\d]\\$\"", "false"),
        ("\"]a\" ~ \"^[]x][^]]\\$\"", "true"),
        ("\"7\" ~ \"^[[:digit:]]\\$\"", "true"),
        ("\"&\" ~ \"[a&&b]\"", "true"),
        ("\"192x168\" ~ \"192\\\\.168\"", "false"),
        ("1d + 1h", "1d01:00:00"),
        ("10m > 600", "false"),
        ("10m >= 600", "true"),
        ("\"10\" > 9", "true"),
        ("[:pick \"7.22\" 0 1] < 7", "false"),
        ("\"02:00:00\" > 01:00:00", "true"),
        ("\"30\" <= 00:00:30", "true"),
        ("\"010\" = 10", "false"),
        ("{1;2},3,{a=4}", "1;2;3;a=4"),
        ("any 5", "true"),
        ("1 . any [:nothing]", "1false"),
        ("true and any [:nothing]", "false"),
        (".1", "00:00:00.100"),
        ("1.2", "1.0.0.2"),
    ] {
        prints(&format!(":put ({expression})"), &format!("{value}\n"));
    }
}

/// Values measured on routers of 7.21 and later (the public reference of routeros-7-llm-safe-reference, facts only).
#[test]
fn values_convert_as_on_routers() {
    for (expression, value) in [
        ("(\"5\" + 10)", "15"),
        ("($none + 1)", "1"),
        ("(5 = \"5\")", "true"),
        ("(true = 1)", "false"),
        ("(9223372036854775807 + 1)", "-9223372036854775808"),
        ("(true . \"-suffix\")", "true-suffix"),
        ("(192.168.1.1 . \":8080\")", "192.168.1.1:8080"),
        ("[:typeof [:tonum \"23.8\"]]", "nil"),
        ("[:typeof [:tonum true]]", "nil"),
        ("[:typeof [:tonum \" 1 \"]]", "nil"),
        ("[:typeof [:tobool \"yes\"]]", "nil"),
        ("[:tobool 1]", "true"),
        ("[:tostr {1;2;3}]", "1;2;3"),
        ("[:toip 10.0.0.0/24]", "10.0.0.0"),
        ("[:typeof [:toip \"256.1.1.1\"]]", "nil"),
        ("[:totime \"1h30m\"]", "01:30:00"),
        ("[:tonsec 1m]", "60000000000"),
        ("[:len [:toarray \"a,b,c\" delimiter=\",\"]]", "3"),
        ("[:typeof []]", "nil"),
        ("[:typeof $none]", "nothing"),
        ("[:typeof [:find \"abc\" \"x\"]]", "nil"),
        ("[:find \"find the needle here\" \"needle\"]", "9"),
        ("[:find \"aXbX\" \"X\" 1]", "3"),
        ("[:pick \"abcdef\" 1 3]", "bc"),
        ("[:pick \"abc\" 1]", "b"),
        ("[:pick {5;6;7} 1]", "6"),
        ("([:pick \"7.18.2\" 0] = 7)", "true"),
        ("[:convert \"abc\" to=base64]", "YWJj"),
        ("[:convert from=base64 \"YWJjZA==\" transform=reverse to=hex]", "64636261"),
        ("[:len [:convert \"test\" transform=md5]]", "16"),
        ("[:convert \"\" transform=md5 to=hex]", "d41d8cd98f00b204e9800998ecf8427e"),
        ("[:serialize to=json value={\"msg\"=\"Hello \\\"World\\\"\"}]", "{\"msg\":\"Hello \\\"World\\\"\"}"),
        ("[:serialize to=json value={a=1;b={true;\"2\";\"x\"}}]", "{\"a\":1,\"b\":[true,2.000000,\"x\"]}"),
        ("[:serialize to=json value={\"2\"} options=json.no-string-conversion]", "[\"2\"]"),
        ("[:serialize to=json value={a={1;2}} options=json.pretty]", "{\n  \"a\": [\n    1,\n    2\n  ]\n}"),
        ("[:serialize to=dsv delimiter=\";\" value={a=(1,2,3);b=(4,5,6)}]", "a;b\n1;4\n2;5\n3;6"),
        ("[:typeof [:deserialize from=json \"\\\"1.2.3.4\\\"\"]]", "ip"),
        ("[:typeof [:deserialize from=json \"\\\"12\\\"\"]]", "num"),
        ("[:typeof [:deserialize from=json \"\\\"01:30:00\\\"\"]]", "time"),
        ("[:typeof [:deserialize from=json \"\\\"12\\\"\" options=json.no-string-conversion]]", "str"),
        ("[:deserialize from=json \"[1,\\\"a,]\\\",]\"]", "1;a,]"),
        ("([:deserialize from=json value=\"{\\\"a\\\":1,\\\"b\\\":2}\"]->\"a\")", "1"),
        ("[:typeof [:parse \":put 1\"]]", "code"),
        ("[:typeof (>[:put 1])]", "op"),
        ("[:typeof (>{a=1})]", "array"),
        ("[:typeof [:put \"some\"]]", "some\nstr"),
        ("[:len 1234]", "4"),
    ] {
        prints(&format!(":put {expression}"), &format!("{value}\n"));
    }
    fails(":put (\"abc\" < \"xyz\")", "cannot compare if string is less than string");
    fails(":put ({2;1} > {1;2;3})", "cannot compare if array is more than array");
    fails(":if (\"text\") do={}", "conditional not boolean");
    fails(":put (10 / 0)", "divide by zero");
    fails(":put (2001::1 << 4)", "cannot apply << to ip6 and integer number");
    fails(":put (10.0.0.1 in 2001:db8::/32)", "cannot check if ip address is in ip6-prefix");
    fails(":put (true + 1)", "cannot add integer number to boolean");
}

#[test]
fn strings_interpolate() {
    prints(
        ":local sysIdentity gw; :local haIdentity A\n:put \"$sysIdentity_HA_$haIdentity_ACTIVE\"",
        "gw_HA_A_ACTIVE\n",
    );
    prints(":put \"a $[:len \"x]y\"] b $(1 + 2) $ c \\$d \\41\\_\\\"\"", "a 3 b 3 $ c $d A \"\n");
    prints(":local \"my-var\" x; :put (\"<\" . $\"my-var\" . \">\")", "<x>\n");
    prints(":put \"one\\\n\t\\n two\"", "one\n two\n");
    let v6 = run_with(b":put \"a\\?b\"", V6, Globals::new(), false);
    assert_eq!(v6.output, "a?b\n");
    prints(":put \"a\\?b\"", "a?b\n");
    fails(":put \"\\e2\"", "syntax error (line 1 column 8)");
}

#[test]
fn code_prints_as_the_router_understood_it() {
    prints(":put [:parse \":put (1 + 2)\"]", "(evl /putmessage=(+ 1 2))\n");
    prints(":put [:tostr [:parse \":put 1\"]]", "(code)\n");
    fails(":put [:parse \":put (1 + \"]", routeros_script::judge(b":put (1 + ", V7).text());
}

proptest::proptest! {
    /// Any bytes, quoted, are the same bytes to a script of either version.
    #[test]
    fn quoted_bytes_come_back(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
        let src = format!(":global kept {}", routeros_script::quote::literal(&bytes));
        for version in [V6, V7] {
            let ran = run_with(src.as_bytes(), version, Globals::new(), false);
            let kept = ran.globals.get(b"kept").map(|value| value.text());
            proptest::prop_assert_eq!(kept.as_deref(), Some(bytes.as_slice()), "{}: {:?}", src, ran.result);
        }
    }
}
