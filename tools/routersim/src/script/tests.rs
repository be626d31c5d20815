use std::cell::RefCell;
use std::rc::Rc;

use routeros_script::{Lookup, Names, Version};

use super::*;
use crate::kernel::{Instant, Kernel};

mod menus;
mod values;

type Thing = (u64, Vec<(String, Value)>);

/// A small router: items with properties in `/thing`, `/log` to look at arguments, and `/echo`, which gives its value back.
struct Router {
    kernel: Kernel,
    things: RefCell<Vec<Thing>>,
    seen: RefCell<Vec<String>>,
}

const TREE: &[(&str, &[&str], &[&str])] = &[
    ("", &["log", "thing", "system"], &["echo", "fail"]),
    ("log", &[], &["info", "warning"]),
    ("system", &["script", "identity"], &[]),
    ("system script", &[], &["add", "find", "run"]),
    ("system identity", &[], &["get", "set"]),
    ("thing", &[], &["add", "find", "get", "print", "set", "remove"]),
];

impl Names for Router {
    fn lookup(&self, menu: &[String], word: &str) -> Lookup {
        let menu = menu.join(" ");
        let Some((_, menus, commands)) = TREE.iter().find(|(path, ..)| *path == menu) else { return Lookup::Unknown };
        match routeros_script::names::pick(menus.iter().chain(*commands).copied(), word) {
            Err(()) => Lookup::Ambiguous,
            Ok(None) => Lookup::Unknown,
            Ok(Some(name)) if menus.contains(&name) => Lookup::Menu(name.to_owned()),
            Ok(Some(name)) => Lookup::Command(name.to_owned()),
        }
    }

    fn takes_parameter(&self, _menu: &[String], _command: &str, name: &str) -> bool {
        name != "no-such-arg"
    }
}

impl Host for Router {
    fn kernel(&self) -> Kernel {
        self.kernel.clone()
    }

    fn command<'a>(&'a self, _ctx: &'a Ctx, command: MenuCommand) -> LocalFuture<'a, Result<Value, Error>> {
        Box::pin(async move {
            let args: Vec<String> = command
                .args
                .iter()
                .map(|arg| {
                    let text = String::from_utf8_lossy(&arg.text()).into_owned();
                    arg.name.as_ref().map_or(text.clone(), |name| format!("{name}={text}"))
                })
                .collect();
            self.seen.borrow_mut().push(format!("/{} {} {}", command.menu.join("/"), command.verb, args.join(" ")));
            match command.verb.as_str() {
                "echo" => Ok(command.unnamed().next().map_or(Value::Nothing, |arg| arg.value.clone())),
                "fail" => Err(Error::failure("told to")),
                "add" => {
                    let id = self.things.borrow().len() as u64 + 1;
                    let properties = command.args.iter().filter_map(|arg| Some((arg.name.clone()?, arg.value.clone())));
                    self.things.borrow_mut().push((id, properties.collect()));
                    Ok(Value::Id(id))
                }
                "find" => {
                    let things = self.things.borrow().clone();
                    let mut found = Vec::new();
                    for (id, properties) in things {
                        let matched = match &command.filter {
                            None => true,
                            Some(filter) => {
                                filter
                                    .matches(move |name| match name {
                                        "name" | "comment" | "size" | "disabled" | "log" => Some(
                                            properties
                                                .iter()
                                                .find(|(property, _)| property == name)
                                                .map(|(_, value)| value.clone())
                                                .unwrap_or_default(),
                                        ),
                                        _ => None,
                                    })
                                    .await?
                            }
                        };
                        if matched {
                            found.push(Value::Id(id));
                        }
                    }
                    Ok(Value::list(found))
                }
                _ => Ok(Value::Nothing),
            }
        })
    }

    fn execute<'a>(&'a self, ctx: &'a Ctx, job: Execute) -> LocalFuture<'a, Result<Value, Error>> {
        self.seen.borrow_mut().push(format!("execute {} {:?} {}", job.source.escape_ascii(), job.file, job.as_string));
        let _ = ctx;
        Box::pin(async { Ok(Value::Id(9)) })
    }
}

#[derive(Default)]
struct Screen(RefCell<Vec<u8>>);

impl Output for Screen {
    fn line(&self, text: &[u8]) {
        self.0.borrow_mut().extend_from_slice(text);
        self.0.borrow_mut().push(b'\n');
    }
}

struct Ran {
    output: String,
    result: Result<Value, Error>,
    seen: Vec<String>,
    took: std::time::Duration,
    globals: Globals,
}

fn run_with(src: &[u8], version: Version, globals: Globals, prompt: bool) -> Ran {
    run_for(20_000, src, version, globals, prompt)
}

/// Runs a script for at most `millis` of virtual time.
fn run_for(millis: u64, src: &[u8], version: Version, globals: Globals, prompt: bool) -> Ran {
    let kernel = Kernel::new(Instant::ZERO, 1);
    let router = Rc::new(Router { kernel: kernel.clone(), things: RefCell::default(), seen: RefCell::default() });
    let screen = Rc::new(Screen::default());
    let ctx = Ctx::new(version, "admin", globals.clone()).with_output(Rc::clone(&screen) as Rc<dyn Output>);
    let interp = Interp::new(Rc::clone(&router) as Rc<dyn Host>, ctx);
    let result = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&result);
    let src = src.to_vec();
    kernel.spawn("script", async move {
        let result = if prompt { interp.line(&src, &mut Vec::new()).await } else { interp.script(&src).await };
        *slot.borrow_mut() = Some(result);
    });
    kernel.run(Instant::ZERO);
    while let Some(at) = kernel.poll_timeout().filter(|at| *at < Instant::from_millis(millis)) {
        kernel.run(at);
    }
    let output = String::from_utf8_lossy(&screen.0.borrow()).into_owned();
    let result = result.borrow_mut().take().unwrap_or_else(|| Err(Error::new("still running")));
    let seen = router.seen.borrow().clone();
    Ran { output, result, seen, took: kernel.now().since_epoch(), globals }
}

const V7: Version = Version::new(7, 18, 2);
const V6: Version = Version::new(6, 44, 6);

fn run(src: &str) -> Ran {
    run_with(src.as_bytes(), V7, Globals::new(), false)
}

/// What a script prints.
#[track_caller]
fn prints(src: &str, expected: &str) {
    let ran = run(src);
    assert_eq!((ran.output.as_str(), ran.result.err().map(|e| e.message)), (expected, None), "{src}");
}

/// The error that ends a script.
#[track_caller]
fn fails(src: &str, message: &str) {
    assert_eq!(run(src).result.map_err(|e| e.message), Err(message.to_owned()), "{src}");
}

#[test]
fn puts() {
    prints(":put \"x\"", "x\n");
    prints(":put hello; :put 10m\n:put yes", "hello\n00:10:00\ntrue\n");
}

#[test]
fn control_flow() {
    prints(":for i from=1 to=3 do={:put $i}", "1\n2\n3\n");
    prints(":for i from=6 to=0 step=-3 do={:put $i}", "6\n3\n0\n");
    prints(":for i from=2 to=1 do={:put $i}", "2\n1\n");
    prints(":for i from=1 to=3 do={:set i 99}; :put [:typeof $i]", "nothing\n");
    prints(":foreach k,v in={5;b=2;a=1} do={:put \"$k=$v\"}", "0=5\na=1\nb=2\n");
    prints(":foreach x in=[] do={:put x}; :foreach x in=\"\" do={:put x}; :foreach x in=7 do={:put $x}", "7\n");
    prints(":local i 0; :while ($i < 3) do={:set i ($i + 1)}; :put $i", "3\n");
    prints(":local i 0; :do {:set i ($i + 1)} while=($i < 3); :put $i", "3\n");
    prints(":local i 0; :do {:set i ($i+1); :if ($i = 3) do={:error stop}} on-error={} while=($i < 5); :put $i", "3\n");
    prints(":if (false) do={:put a} else={:put b}", "b\n");
    prints("if (true) do={ put a }", "a\n");
    prints(":put [:if (true) do={:return \"yes\"} else={:return \"no\"}]", "yes\n");
    prints(":do {:error x; :put a} on-error={:put caught}; :put on", "caught\non\n");
    prints(":do {/fail} on-error={:put caught}", "caught\n");
    prints(":onerror e in={:error \"my-message\"} do={:put $e}", "my-message\n");
    prints(":put [:onerror e in={:nothing} do={}]", "false\n");
    prints(
        ":local n 0; :retry command={:set n ($n + 1); :if ($n < 3) do={:error again}} delay=0 max=5; :put $n",
        "3\n",
    );
    prints(":put a; return 0; :put b", "a\n");
    prints(":global c 0; :global f do={:global c; :set c 1; :return true}; :if (true || [$f]) do={}; :put $c", "1\n");
    fails("{:error \"told\"}; :put x", "told");
    fails(":return", "missing value(s) of argument(s) value");
    let ran = run(":put [:time {:delay 2}]; /log info [:len \"ab\"]; :delay .5; :delay 0.5; :delay 00:00:01");
    assert_eq!((ran.output.as_str(), ran.took.as_millis()), ("00:00:02\n", 4000));
    assert_eq!(ran.seen, ["/log info 2"]);
}

#[test]
fn errors_name_their_place_on_new_versions() {
    let at = |version, src: &str| {
        run_with(src.as_bytes(), version, Globals::new(), false).result.map_err(|error| error.to_string())
    };
    let new = Version::new(7, 23, 3);
    assert_eq!(
        at(new, "\n:put ({2} > 1)"),
        Err("cannot compare if array is more than integer number (:put; line 2)".into())
    );
    assert_eq!(at(new, ":if (true) do={\n/fail\n}"), Err("failure: told to (/fail; line 2)".into()));
    assert_eq!(at(V7, "/fail"), Err("failure: told to".into()));
}

#[test]
fn functions() {
    prints(":global f do={:return ($a . $1 . $2)}; :put [$f x a=1 y]", "1xy\n");
    prints(":global f do={:put [:typeof $missing]}; $f", "nothing\n");
    prints(":local outer 1; :global f do={:put [:typeof $outer]}; $f", "nothing\n");
    prints(":global f do={:return \"$0|$1|$2\"}; :put [$f 7 8]", "$f|7|8\n");
    prints(":global f (>[:return \"$0|$1|$2\"]); :put ($f <%% {7;8})", "7|8|\n");
    prints(":global f (>[:return ($1 + $2)]); :put ($f <%% {1;2})", "2\n");
    prints(":global f (>[:return $a]); :put ($f <%% {a=5})", "5\n");
    prints(":global f do={}; :put \"$[:typeof $f] $[:len $f]\"", "array 2\n");
    prints(
        ":global fact do={:global fact; :if ($1 <= 1) do={:return 1}; :return ($1 * [$fact ($1 - 1)])}; :put [$fact 5]",
        "120\n",
    );
    prints(":global x 1; :global f do={:global x; :set x 2}; $f; :put $x", "2\n");
    prints(":global isMaster true; :global f do={:put [:typeof $isMaster]}; $f isMaster=5", "num\n");
    // The argument hides the global, which keeps its value, also from `:set`; the manual has such an example.
    prints(
        ":global v 7; :global f do={:global v; :put $v; :set v ($v . b); :put $v}; $f v=a; :put $v; $f; :put $v",
        "a\nab\n7\n7\n7b\n7b\n",
    );
    prints(":global f do={:global v 5; :put $v}; $f v=a; :global v; :put $v", "a\n5\n");
    prints(":local a {7;8}; :put \"a $a b\"; :put \"$a\"; :put [:typeof \"$a\"]", "a 7 b;a 8 b\n7;8\nstr\n");
    fails(":local a {7;8}; :put \"$a$a\"", "failure: not simulated: :put array . array");
    prints(
        ":global f do={:if ([:typeof $1] = \"nothing\") do={:set $1 x}; :put \"$1$2\"}; $f; $f a b; :put [:typeof $1]",
        "x\nab\nnothing\n",
    );
    fails(":set $1 x", "syntax error (line 1 column 6)");
    prints(":put [[:parse \":return 5\"]]; :local code [:parse \":put \\$a\"]; $code a=7", "5\n7\n");
    prints("[:parse \":put a; :return 1; :put b\"]; :put c", "a\nc\n");
    prints(":do {[:parse \":error x\"]} on-error={:put caught}", "caught\n");
    prints(":global f [:parse \"(1,2)\"]; :put [:len [$f]]; :global g do={(1,2)}; :put [:typeof [$g]]", "2\nnothing\n");
    prints(":put [[:len abc]]", "3\n");
    // Code in an array, or made on the spot, takes arguments too.
    prints(":local a ({}); :set ($a->\"f\") do={:put \"$1$x\"; :return 5}; ($a->\"f\") 7 x=8", "78\n");
    prints(
        ":local a ({}); :set ($a->\"f\") do={:return \"$1$x\"}; :put [($a->\"f\") 7 x=8]; :put [$($a->\"f\") 9]",
        "78\n9\n",
    );
    prints(":local c \":put \\$t; :return 4\"; :put [[:parse $c] t=hello]", "hello\n4\n");
    prints(":put [(1 + 2)]; (1 + 2)", "3\n");
    prints(":if (false) do= {:put a} else= {:put b}; :for i from= 1 to= 2 do= {:put $i}", "b\n1\n2\n");
    prints(
        ":put [:len [find \"abc\" \"b\"]]; :put [find \"abc\" \"b\"]; :put [/len [find key=1 in={5;1;2}]]",
        "1\n1\n1\n",
    );
    prints("/thing add name=a\n/thing\n:put [:len [find name=a]]; :put [find]\n/\n:put [find abc c]", "1\n*1\n2\n");
}

#[test]
fn scopes() {
    prints("{:local x outer; {:local x inner; :put $x}; :put $x}", "inner\nouter\n");
    prints("{:local x 1; {:set x 2}; :put $x}; :put [:typeof $x]", "2\nnothing\n");
    prints(":global g 1; {:local g 2; :set g 3; :put $g}; :put $g", "3\n1\n");
    prints("{:global g born}; :put [:typeof $g]; :global g; :put $g", "nothing\nborn\n");
    // Which of two kinds in one block wins: measured on 7.23.2.
    prints(":global v 1\n:local v 2\n:put $v", "1\n");
    prints(":local v 1\n:global v 2\n:put $v", "1\n");
    prints("[:global v 1]\n:put $v", "1\n");
    prints(":put [:global v 1]\n:put [:typeof $v]", "\nnothing\n");
    prints(":local a {b=1}; :set ($a->\"c\") 2; :set ($a->\"d\"->\"e\") 3; :put $a", "b=1;c=2;d=e=3\n");
    // A number is a place; the one behind the last makes the list longer.
    prints(
        ":local a ({}); :set ($a->[:len $a]) x; :set ($a->[:len $a]) y; :set ($a->0) z; :put $a; :put [:typeof ($a->1)]",
        "z;y\nstr\n",
    );
    prints(":local a; :set ($a->\"5\") x; :set ($a->5) y; :put $a", "5=y\n");
    fails(":local a {1}; :set ($a->7) x", "failure: not simulated: :set element 7 behind an array's end");
    fails(":local a {k=1}; :set ($a->1) x", "failure: not simulated: :set element 1 behind an array's end");
    fails(":set nobody 1", "syntax error (line 1 column 6)");
    fails(":local a-b 1", "syntax error (line 1 column 9)");
    fails(":local 1a 1", "syntax error (line 1 column 8)");
    let globals = Globals::new();
    globals.set(b"known", Value::Num(5));
    assert_eq!(run_with(b":put $known", V7, globals.clone(), true).output, "5\n");
    assert_eq!(run_with(b":put $known", V7, globals.clone(), false).output, "\n");
    let ran = run_with(b"{:put $known; :set known 6}", V7, globals, true);
    assert_eq!((ran.output.as_str(), ran.globals.get(b"known")), ("5\n", Some(Value::Num(6))));
}

#[test]
fn endless_loops_leave_time_to_others() {
    let ran = run(":global n 0; :while (true) do={:set n ($n + 1)}");
    assert_eq!(ran.result.map_err(|e| e.message), Err("still running".into()));
    let turns = ran.globals.get(b"n").and_then(|n| n.as_num()).unwrap();
    assert!((10_000..1_000_000).contains(&turns), "{turns} turns in 20 s");
}

#[test]
fn endless_recursion_ends() {
    fails(":global f do={:global f; :return [$f]}; :put [$f]", "maximum nesting depth reached");
    fails(
        ":global f do={:global f; :if (true) do={:foreach x in=1 do={:put \"$[$f]\"}}}; $f",
        "maximum nesting depth reached",
    );
    let deep = format!(":put {}1{}", "(".repeat(60), ")".repeat(60));
    prints(&deep, "1\n");
    let long = format!(":put (1{})", " + 1".repeat(1500));
    prints(&long, "1501\n");
}

#[test]
fn what_grows_without_end_is_stopped() {
    for src in [
        ":local a x; :while (true) do={:set a ($a . $a)}",
        ":local a x; :while (true) do={:set a \"$a$a\"}",
        ":local a {1}; :while (true) do={:set a ($a,$a)}",
        ":local a {\"\"}; :while (true) do={:set a {$a;$a}}",
        ":local a; :while (true) do={:set a {$a}}",
        ":local a; :while (true) do={:set ($a->\"k\") $a}",
    ] {
        let error = run(src).result.expect_err(src);
        assert_eq!(error.kind, ErrorKind::Limit, "{src}: {error}");
    }
}

/// Expressions that parse, over values at the edges.
fn expressions() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let leaf = prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "64",
        "9223372036854775807",
        "(0 - 9223372036854775807 - 1)",
        "\"\"",
        "\"7\"",
        "\"a,b\"",
        "\"-1\"",
        "true",
        "1.2.3.4",
        "255.255.255.255",
        "1.2.3.0/24",
        "10m",
        "(0s - 1ns)",
        "(-9223372036854775807ns)",
        "*1",
        "nil",
        "$none",
        "word",
        "{1;2}",
        "{a=1}",
        "{}",
        "[]",
        "(>[:return $1])",
        "$f",
        "fe80::1",
        "\"[\"",
    ])
    .prop_map(str::to_owned);
    let op = prop::sample::select(vec![
        "+", "-", "*", "/", "%", "=", "!=", "<", ">", "<=", ">=", "&&", "||", "and", "or", "in", "~", ".", ",", "->",
        "<<", ">>", "&", "|", "^", "<%%", "",
    ]);
    let unary = prop::sample::select(vec!["!", "-", "~", "any "]);
    let function = prop::sample::select(vec![
        "len",
        "typeof",
        "tostr",
        "tonum",
        "tobool",
        "totime",
        "toarray",
        "toip",
        "toip6",
        "toid",
        "tonsec",
        "put",
        "parse",
        "serialize to=json",
        "deserialize from=json",
        "convert to=hex",
        "convert from=base64",
        "convert transform=md5",
        "delay",
        "error",
        "return",
        "tolf",
        "pick",
        "find",
    ]);
    leaf.prop_recursive(4, 24, 3, move |inner| {
        prop_oneof![
            (inner.clone(), op.clone(), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (unary.clone(), inner.clone()).prop_map(|(op, a)| format!("({op}{a})")),
            (function.clone(), inner.clone()).prop_map(|(name, a)| format!("[:{name} {a}]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("[:pick {a} {b} {c}]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("[:find {a} {b} {c}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[:rndnum from={a} to={b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[$f {a} x={b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a};\"k\"={b}}}")),
            inner.prop_map(|a| format!("\"<$[:tostr {a}]>\"")),
        ]
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_expression_has_a_value_or_an_error(a in expressions(), b in expressions()) {
        let src = format!(":local f do={{:return ($1, $x)}}; :local none; :put {a}; :if {b} do={{:set none {b}}}; \
                           :for i from={a} to={b} step=1000000 do={{}}; :foreach k,v in={a} do={{:put \"$k$v\"}}; :put {b}");
        for piece in [src.clone(), src.replace(":put", ":do {:put").replace("; :", "} on-error={}; :")] {
            let _ = run_for(100, piece.as_bytes(), V7, Globals::new(), true);
        }
        // Without the commands that stop it, it must have parsed.
        let ran = run_for(100, format!(":local f 1; :local none; :put {a}").as_bytes(), V7, Globals::new(), false);
        if let Err(error) = ran.result {
            proptest::prop_assert!(error.kind != ErrorKind::Parse || a.contains(":parse"), "{a}: {error}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    })]

    /// Whatever parses runs, fails or goes on; it never panics.
    #[test]
    fn any_script_runs(pieces in proptest::collection::vec(proptest::sample::select(vec![
        ":put ", ":local a ", ":global b ", ":set a ", ":set ($a->1) ", "/thing add ", "/thing find ", "where ", "name=", "$a ", "$b ",
        "$1 ", "\"x$a\" ", "\"1\" ", "[", "] ", "(", ") ", "{", "} ", ";", "\n", "= ", "!= ", "~ ", "-> ", "<%% ", "and ", "or ", "! ",
        "in ", "1.2.3.0/24 ", "1.2.3.4 ", "10m ", "*1 ", "0 ", "-1 ", "9223372036854775807 ", "do={", "else={", "on-error={", "in={",
        ":if (", ":while (", ":foreach k,v in=", ":for i from=1 to=3 ", ":global f do={", "$f ", "[$f 1 a=2] ", ":return ", ":error x",
        ":len ", ":typeof ", ":pick ", ":find ", ":tonum ", ":toarray ", ":tostr ", ":totime ", ":parse ", ":delay 1", ":onerror e ",
        ":serialize to=json ", ":convert to=hex ", ", ", ". ", "+ ", "- ", "* ", "/ ", "% ", "<< ", ">> ", "& ", "| ", "^ ", "> ", ">",
        "any ", "{1;b=2} ", "({1;2}->1) ", "nil ",
    ]), 0..25)) {
        let src = pieces.concat();
        for version in [V6, V7] {
            let _ = run_for(500, src.as_bytes(), version, Globals::new(), true);
        }
    }
}
