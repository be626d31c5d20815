//! What the parser makes of scripts, written as trees.

use routeros_script::ast::{Arg, Block, Command, Expr, ExprKind, Prefix, Statement, StrPart};
use routeros_script::{Literal, Version, incomplete, parse};

const V7: Version = Version::new(7, 18, 2);
const V6: Version = Version::new(6, 44, 6);

fn block(block: &Block) -> String {
    block.statements.iter().map(statement).collect::<Vec<_>>().join("; ")
}

fn statement(statement: &Statement) -> String {
    match statement {
        Statement::Block(inner) => format!("{{{}}}", block(inner)),
        Statement::Bracket(inner, given) => format!("[{}]{}", block(inner), args(given)),
        Statement::Paren(inner, given) => format!("{}{}", expr(inner), args(given)),
        Statement::Call(call) => format!("${}{}", call.name.text.escape_ascii(), args(&call.args)),
        Statement::Command(command) => self::command(command),
    }
}

fn command(command: &Command) -> String {
    let prefix = match command.prefix {
        Prefix::None => "",
        Prefix::Colon => ":",
        Prefix::Slash => "/",
    };
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    format!("{prefix}{}{}", words.join(" "), args(&command.args))
}

fn args(args: &[Arg]) -> String {
    let write = |arg: &Arg| match arg {
        Arg::Named(name, Some(value)) => format!(" {}={}", name.text, expr(value)),
        Arg::Named(name, None) => format!(" {}=", name.text),
        Arg::Unnamed(value) => format!(" {}", expr(value)),
        Arg::Where(Some(filter)) => format!(" where {}", expr(filter)),
        Arg::Where(None) => " where".to_owned(),
    };
    args.iter().map(write).collect()
}

fn expr(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Literal(Literal::Str(text), _) => text.clone(),
        ExprKind::Literal(literal, text) => match literal {
            Literal::Num(_) => format!("{text}:num"),
            Literal::Time(_) => format!("{text}:time"),
            Literal::Ip(_) => format!("{text}:ip"),
            Literal::IpPrefix(..) => format!("{text}:ip-prefix"),
            Literal::Ip6(_) => format!("{text}:ip6"),
            Literal::Id(_) => format!("{text}:id"),
            Literal::Bool(_) => format!("{text}:bool"),
            Literal::List(_) => format!("{text}:list"),
            other => format!("{other:?}"),
        },
        ExprKind::Word(word) => format!("<{word}>"),
        ExprKind::Var(name) => format!("${}", name.text.escape_ascii()),
        ExprKind::Str(parts) => {
            let write = |part: &StrPart| match part {
                StrPart::Text(text) => text.escape_ascii().to_string(),
                StrPart::Value(value) => format!("|{}|", expr(value)),
            };
            format!("\"{}\"", parts.iter().map(write).collect::<String>())
        }
        ExprKind::Bracket(inner) => format!("[{}]", block(inner)),
        ExprKind::Block(inner) => format!("{{{}}}", block(inner)),
        ExprKind::Array(items) => {
            let write = |item: &routeros_script::ast::ArrayItem| match &item.key {
                Some(key) => format!("{}={}", expr(key), expr(&item.value)),
                None => expr(&item.value),
            };
            format!("#({})", items.iter().map(write).collect::<Vec<_>>().join("; "))
        }
        ExprKind::Paren(inner) => expr(inner),
        ExprKind::Unary(op, inner) => format!("({op:?} {})", expr(inner)),
        ExprKind::Binary(op, left, right) => format!("({} {} {})", op.symbol(), expr(left), expr(right)),
    }
}

fn tree(src: &[u8], version: Version) -> String {
    match parse(src, version) {
        Ok(script) => block(&script.body),
        Err(error) => format!("! {error}"),
    }
}

#[track_caller]
fn reads(src: &str, expected: &str) {
    assert_eq!(tree(src.as_bytes(), V7), expected, "{src}");
}

#[test]
fn commands_and_arguments() {
    reads(
        "/ip address add address=1.2.3.4/24 interface=ether8",
        "/ip address add address=1.2.3.4/24:ip-prefix interface=ether8",
    );
    reads("/ip/address/add disabled=no", "/ip/address/add disabled=no:bool");
    reads(":put hello; :put 10m", ":put hello; :put 10m");
    reads("set name=x [find name=y] comment=\"\"", "set name=x [find where (= <name> <y>)] comment=\"\"");
    reads(
        "/system script run [find name=x]",
        "/system script run [/system]".replace("[/system]", "[find where (= <name> <x>)]").as_str(),
    );
    reads(
        "add policy=a,b start-date=Jan/01/1970 start-time=startup",
        "add policy=a,b:list start-date=Jan/01/1970 start-time=startup",
    );
    reads("print detail where !disabled", "print detail where (Not <disabled>)");
    reads("print count-only as-value", "print count-only as-value");
    reads("/log warning \"x\" topics=a", "/log warning \"x\" topics=a");
    reads("remove *1F,2", "remove *1F,2");
    reads("set name=", "set name=");
    reads("[:put a]", "[:put a]");
    reads("(1 + 2)", "(+ 1:num 2:num)");
    reads("$f 1 a=b [:put c]", "$f 1:num a=b [:put c]");
    reads("$\"my-f\" {1;2}", "$my-f #(1:num; 2:num)");
    reads(":put ", ":put");
    reads("/", "/");
    reads(".. print", ".. print");
    reads("", "");
    reads(" \r\n;;\n# only a comment { \" \\\n;", "");
}

#[test]
fn blocks_arrays_and_where_they_stand() {
    reads(":if ($a) do={:put 1} else={ :put 2; };", ":if $a do={:put 1} else={:put 2}");
    reads(":do {:put 1} on-error={}", ":do {:put 1} on-error={}");
    reads(":foreach k,v in={1;2} do={}", ":foreach k,v in=#(1:num; 2:num) do={}");
    reads(":onerror e in={:put 1} do={}", ":onerror e in={:put 1} do={}");
    reads(":local a {1;\"b\"=2;c={d=3};}", ":local a #(1:num; \"b\"=2:num; c=#(d=3:num))");
    reads(":local a {}", ":local a #()");
    reads(":local a {\n  \"x\"=1;\n  \"y\"=[:len a]\n}", ":local a #(\"x\"=1:num; \"y\"=[:len a])");
    reads("add name=x source={:put \"}\"}", "add name=x source={:put \"}\"}");
    reads(":do {\n#:do {\n:put a\n#} on-error={\n}", ":do {:put a}");
    reads("{{:put a};:put b}", "{{:put a}; :put b}");
    reads(":execute {:put a} file=x", ":execute {:put a} file=x");
    reads(":while ($i < 3) do={\r\n:set i ($i + 1)\r\n}\r\n", ":while (< $i 3:num) do={:set i (+ $i 1:num)}");
}

#[test]
fn lines_join() {
    reads(":put \\\n    a", ":put a");
    reads(":put a\\\n    b", ":put ab");
    reads("add address=\\\r\n    1.2.3.4 \\\r\n    comment=x", "add address=1.2.3.4:ip comment=x");
    reads(":put (1 \\\n + 2)", ":put (+ 1:num 2:num)");
    // A line's end alone does not on 7.x.
    reads(":put (1\n + 2)", "! syntax error (line 1 column 8)");
    reads(":put \"a\\\n\t\\n  b\"", ":put \"a\\n  b\"");
    // A backslash doesn't continue a comment.
    reads("# a \\\n:put b", ":put b");
}

#[test]
fn strings() {
    reads(":put \"a $b$[:len c]$(1 + 2)$ \\$d\"", ":put \"a |$b||[:len c]||(+ 1:num 2:num)|$ $d\"");
    reads(":put \"$a_$b-c\"", ":put \"|$a|_|$b|-c\"");
    reads(":put \"\\\"\\\\\\n\\r\\t\\_\\a\\b\\f\\v\\41\\FF\"", ":put \"\\\"\\\\\\n\\r\\t \\x07\\x08\\x0c\\x0bA\\xff\"");
    reads(":put \"\\\"", "! syntax error (line 1 column 9)");
    reads(":put \"\\?\"", ":put \"?\"");
    assert_eq!(tree(b":put \"\\?\"", V6), ":put \"?\"");
    reads(":put \"\\q\"", "! syntax error (line 1 column 8)");
    reads(":put \"\\4a\"", "! syntax error (line 1 column 8)");
    // Three layers, as a script that writes a script that writes a string.
    reads(":put \":put \\\"\\\\\\$x \\\\\\\"\\\"\"", ":put \":put \\\"\\\\$x \\\\\\\"\\\"\"");
    assert_eq!(tree(b":put \"\xFF\xC3\xA4\"", V7), ":put \"\\xff\\xc3\\xa4\"");
}

#[test]
fn operators_bind_in_order() {
    for (src, expected) in [
        ("1 + 2 * 3", "(+ 1:num (* 2:num 3:num))"),
        ("1 - 2 - 3", "(- (- 1:num 2:num) 3:num)"),
        ("$a && $b || $c", "(or (and $a $b) $c)"),
        ("$a || $b && $c", "(or $a (and $b $c))"),
        ("$a and $b or $c", "(or (and $a $b) $c)"),
        ("!$a && $b", "(and (Not $a) $b)"),
        ("!$a->\"b\"", "(-> (Not $a) \"b\")"),
        ("$a->\"b\"->0 = 1", "(= (-> (-> $a \"b\") 0:num) 1:num)"),
        ("$a . \"b\" = \"c\"", "(= (. $a \"b\") \"c\")"),
        ("$a . $b + 1", "(. $a (+ $b 1:num))"),
        ("$a, $b . $c", "(, $a (. $b $c))"),
        ("$a < 1 = true", "(= (< $a 1:num) true:bool)"),
        ("$a & 1 << 2", "(<< (& $a 1:num) 2:num)"),
        ("$a | $b ^ $c & $d", "(| $a (^ $b (& $c $d)))"),
        ("$a ~ \"b\" and $c", "(and (~ $a \"b\") $c)"),
        ("1.2.3.4 in 1.2.3.0/24", "(in 1.2.3.4:ip 1.2.3.0/24:ip-prefix)"),
        ("-1 + -$a", "(+ (Neg 1:num) (Neg $a))"),
        ("$a-1", "(- $a 1:num)"),
        ("$a+4", "(+ $a 4:num)"),
        ("~0.0.0.255", "(BitNot 0.0.0.255:ip)"),
        ("uptime > 2m", "(> <uptime> 2m:time)"),
        ("a-b != nil", "(!= <a-b> <nil>)"),
        ("any $a", "(Any $a)"),
        ("$a <%% {1;b=2}", "(<%% $a #(1:num; b=2:num))"),
        (">[:put 1]", "(Quote [:put 1])"),
        ("1 <> 2", "(< 1:num (Quote 2:num))"),
        ("1 2 zzz", "(  (  1:num 2:num) <zzz>)"),
        ("1 // 2", "(  (/ 1:num </>) 2:num)"),
        ("order", "<order>"),
        ("$a or order", "(or $a <order>)"),
        ("00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("fe80::1", "fe80::1:ip6"),
        ("1d02:03:04", "1d02:03:04:time"),
        ("*1F", "*1F:id"),
        ("5ghz-n", "<5ghz-n>"),
        ("2 . 3", "(. 2:num 3:num)"),
        ("1.2", "1.2:ip"),
        (".1", ".1:time"),
    ] {
        reads(&format!(":put ({src})"), &format!(":put {expected}"));
    }
}

#[test]
fn conditions() {
    for (src, expected) in [
        ("name=\"a\" comment!=\"b\"", "(  (= <name> \"a\") (!= <comment> \"b\"))"),
        ("where name=a and size>10", "(and (= <name> <a>) (> <size> 10:num))"),
        ("where disabled", "<disabled>"),
        ("!disabled !dynamic", "(  (Not <disabled>) (Not <dynamic>))"),
        ("default-name!=$x comment!=\"HA_RESCUE\"", "(  (!= <default-name> $x) (!= <comment> \"HA_RESCUE\"))"),
        ("name~\"^[^H][^A][^_]\"", "(~ <name> \"^[^H][^A][^_]\")"),
        ("(name=a || name=b) disabled=no", "(  (or (= <name> <a>) (= <name> <b>)) (= <disabled> no:bool))"),
        (".id=*1", "(= <.id> *1:id)"),
        ("address=169.254.23.1/24", "(= <address> 169.254.23.1/24:ip-prefix)"),
        ("comment=//x", "(= <comment> <//x>)"),
        ("where=1", "(= <where> 1:num)"),
    ] {
        reads(&format!("[/x find {src}]"), &format!("[/x find where {expected}]"));
    }
    reads("[/x find]", "[/x find where]");
    reads(":put [:find \"a\" \"b\" 0]", ":put [:find \"a\" \"b\" 0:num]");
    reads("/x print where\n", "! missing value for where (line 1 column 15)");
    reads("/x find where", "! missing value for where (line 1 column 14)");
}

#[test]
fn errors_have_places() {
    for (src, message) in [
        (":put (", "syntax error (line 1 column 7)"),
        (":put ()", "syntax error (line 1 column 7)"),
        ("\n\n :put (1 ? 2)", "syntax error (line 3 column 10)"),
        (":put {1", "expected closing brace (line 1 column 8)"),
        (":do {\n:put a\n", "expected closing brace (line 3 column 1)"),
        (":put [:len a", "syntax error (line 1 column 13)"),
        (":put a)", "syntax error (line 1 column 7)"),
        (":put \"a\"b", "expected end of command (line 1 column 9)"),
        (":put $a/24", "expected end of command (line 1 column 8)"),
        (":put a=b=c", "expected end of command (line 1 column 9)"),
        ("::put", "expected command name (line 1 column 2)"),
        ("//", "expected command name (line 1 column 2)"),
        ("=", "expected command name (line 1 column 1)"),
        ("\"x\"", "expected command name (line 1 column 1)"),
        (":put $", "syntax error (line 1 column 7)"),
        (":put \u{e4}", "syntax error (line 1 column 6)"),
        (":put \"\u{e4}\" \u{e4}", "syntax error (line 1 column 11)"),
        ("set a= b=1", "expected end of command (line 1 column 9)"),
        (":put 1 # no comment", "expected end of command (line 1 column 8)"),
        ("} :put a", "expected command name (line 1 column 1)"),
        (":if (true) do={:put a} }", "expected end of command (line 1 column 24)"),
    ] {
        reads(src, &format!("! {message}"));
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |depth: usize| format!(":put {}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(deep(64).as_bytes(), V7).is_ok());
    let error = parse(deep(65).as_bytes(), V7).unwrap_err();
    assert_eq!(error.code(), "script.parse.too-deep");
    for opening in ["(", "[", "{", ":do {", ":put \"$(", ":put \"$[", ":put (!", "$a [", ":local x {a={"] {
        assert!(parse(opening.repeat(20_000).as_bytes(), V7).is_err(), "{opening}");
    }
}

/// A megabyte of anything is read in one go: a quadratic parser would not come back.
#[test]
fn long_texts_take_linear_time() {
    const LEN: usize = 1 << 20;
    for piece in [
        "a",
        "a.",
        "1:",
        "1.",
        "\"",
        "\\\n",
        "a=",
        "/",
        ":put a;",
        "$a ",
        "# \n",
        "(1)\n",
        ":put \"$a$b\"\n",
        "find ",
        "where ",
        " ",
        "\\",
        "{}",
        "{};",
        "[]",
        "::",
        "0x",
        "*",
        "a-",
        "!",
        "~",
        ";",
        ":put {a=1;b=2}\n",
        ":put (1 . 2 . 3)\n",
    ] {
        let text = piece.repeat(LEN / piece.len());
        let _ = parse(text.as_bytes(), V7);
        let inside = format!(":put ({text})");
        let _ = parse(inside.as_bytes(), V7);
        let _ = incomplete(text.as_bytes());
    }
}

/// Our own on-router scripts read on both versions that they are for.
#[test]
fn own_scripts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../bootstrap/ha");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rsc") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        for version in [V6, V7] {
            let script = parse(&text, version).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!script.body.statements.is_empty(), "{}", path.display());
        }
        assert_eq!(incomplete(&text), None, "{}", path.display());
        read += 1;
    }
    assert!(read >= 11, "only {read} scripts found");
}
