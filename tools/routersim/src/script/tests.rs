use std::cell::RefCell;
use std::rc::Rc;

use routeros_script::{Lookup, Names, Version};

use super::*;
use crate::kernel::{Instant, Kernel};

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
fn operators_bind_as_the_table_says() {
    for (expression, value) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("7 / 2 . 7 % 2", "31"),
        ("1 . 2 + 3", "15"),
        ("1 << 4 | 1", "17"),
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
        ("\"hello\" ~ \"hel.*\"", "true"),
        ("\"192x168\" ~ \"192\\\\.168\"", "false"),
        ("1d + 1h", "1d01:00:00"),
        ("10m > 600", "false"),
        ("10m >= 600", "true"),
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
        ("[:serialize to=json value={a=1;b={true;\"2\";\"x\"}}]", "{\"a\":1,\"b\":[true,2,\"x\"]}"),
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
    fails(":put \"a\\?b\"", "syntax error (line 1 column 9)");
    fails(":put \"\\e2\"", "syntax error (line 1 column 8)");
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
    prints(":put [[:parse \":return 5\"]]; :local code [:parse \":put \\$a\"]; $code a=7", "5\n7\n");
    prints(":put [[:len abc]]", "3\n");
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
fn menus_get_evaluated_arguments() {
    let ran = run("/thing add name=01 comment=\"a b\" disabled=yes list=a,b at=(1+1) empty=\"\" source={:put 1} last=");
    assert_eq!(ran.result.map_err(|e| e.message), Ok(Value::Id(1)));
    assert_eq!(ran.seen, ["/thing add name=01 comment=a b disabled=yes list=a,b at=2 empty= source=:put 1 last="]);
    let ran = run("/system script\nadd name=x source={ :put \"}\" }\n/system\nidentity set name=y");
    assert_eq!(ran.seen, ["/system/script add name=x source= :put \"}\" ", "/system/identity set name=y"]);
    // `[find]` belongs to the menu of the command around it, also inside other brackets.
    let ran = run("/thing add name=a\n/system identity\n/thing set [find name=a] comment=[:len [find]]");
    assert_eq!(ran.seen, ["/thing add name=a", "/thing find ", "/thing find ", "/thing set *1 comment=1"]);
    prints("/thing add name=a; :put [/thing add name=b]; :put [[/thing find name=b]]", "*2\n*2\n");
    let ran = run(":execute \"ha_x\"; :execute {:put 1} file=y; :put [:execute script=z as-string]");
    assert_eq!(ran.seen, ["execute ha_x None false", "execute :put 1 Some(\"y\") false", "execute z None true"]);
}

#[test]
fn conditions_on_items() {
    let things = "/thing\nadd name=a size=10 comment=HA disabled=yes log=no\nadd name=b size=20\nadd name=c-d size=5m\n\
                  add name=log comment=\"x y\" log=yes\n";
    for (condition, found) in [
        ("name=a", "*1"),
        ("name=\"a\"", "*1"),
        ("where name=a", "*1"),
        ("name=c-d", "*3"),
        ("comment!=\"HA\"", "*2;*3;*4"),
        ("comment=\"\"", "*2;*3"),
        ("comment", "*1;*4"),
        ("!comment", "*2;*3"),
        ("!comment name!=b", "*3"),
        ("size>15", "*2;*3"),
        ("size=5m", "*3"),
        ("name~\"^[ab]\"", "*1;*2"),
        ("disabled", "*1"),
        ("disabled=yes", "*1"),
        ("disabled=\"yes\"", "*1"),
        ("disabled=no", ""),
        ("(name=a || name=b) and size=20", "*2"),
        ("name=a or name=b", "*1;*2"),
        // A property's value is never another property.
        ("name=log", "*4"),
        ("[:pick $name 0 1]=\"c\"", "*3"),
        ("name=[/echo b]", "*2"),
        ("name=$wanted", "*2"),
        // The trap: a variable called like a property is the property.
        ("name=$name", "*1;*2;*3;*4"),
        ("", "*1;*2;*3;*4"),
    ] {
        let src = format!("{things}:local wanted b; :local name b; :put [/thing find {condition}]");
        prints(&src, &format!("{found}\n"));
    }
}

#[test]
fn nothing_runs_when_something_is_wrong() {
    for (src, message) in [
        (":put a\n/zzz", "bad command name zzz (line 2 column 2)"),
        (":put a; :foreach x in=1 do={\n  /thing bogus}", "bad command name bogus (line 2 column 10)"),
        (":put a; /thing add no-such-arg=1", "bad parameter no-such-arg (line 1 column 20)"),
        (":put a; :put b c", "expected end of command (line 1 column 16)"),
        (":put a; :put b bogus=1", "bad parameter bogus (line 1 column 16)"),
        (":put a; )", "expected command name (line 1 column 9)"),
        (":put a; /s print", "ambiguous"),
        (":put (1 +", "syntax error (line 1 column 10)"),
        (":put ()", "syntax error (line 1 column 7)"),
        (":put (1 @@ 2)", "syntax error (line 1 column 9)"),
        (":put {a", "expected closing brace (line 1 column 8)"),
        (":put a }", "expected end of command (line 1 column 8)"),
        (":put a # b", "expected end of command (line 1 column 8)"),
        ("/thing print where", "missing value for where (line 1 column 19)"),
        ("/thing//print", "expected command name (line 1 column 8)"),
        ("/thing set name= comment=x", "expected input value (line 1 column 18)"),
        (":put a$b", "syntax error (line 1 column 7)"),
        (":onerrors x", "bad command name onerrors (line 1 column 2)"),
        ("\u{e4}: 1", "expected command name (line 1 column 1)"),
        (":put \u{e4} )", "syntax error (line 1 column 6)"),
    ] {
        let ran = run(src);
        let error = ran.result.map_err(|error| error.message).expect_err(src);
        assert!(error.starts_with(message), "{src}: {error}");
        assert_eq!(ran.output, "", "{src}");
    }
    let old = run_with(b":onerror e in={} do={}", V6, Globals::new(), false);
    assert_eq!(old.result.map_err(|e| e.message), Err("bad command name onerror (line 1 column 2)".into()));
}

#[test]
fn shortened_names() {
    let ran = run("/sy scr add name=x; :pu a; /thin add name=y");
    assert_eq!(ran.seen, ["/system/script add name=x", "/thing add name=y"]);
    assert_eq!(ran.output, "a\n");
}

#[test]
fn a_line_changes_the_prompt() {
    let kernel = Kernel::new(Instant::ZERO, 1);
    let router = Rc::new(Router { kernel: kernel.clone(), things: RefCell::default(), seen: RefCell::default() });
    let interp = Interp::new(router, Ctx::new(V7, "admin", Globals::new()));
    let menus = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&menus);
    kernel.spawn("console", async move {
        let mut menu = Vec::new();
        for line in ["/system script", "..", "identity", "/", "{/thing}", "system/script/"] {
            interp.line(line.as_bytes(), &mut menu).await.unwrap();
            seen.borrow_mut().push(menu.join("/"));
        }
    });
    kernel.run(Instant::ZERO);
    assert_eq!(*menus.borrow(), ["system/script", "system", "system/identity", "", "", "system/script"]);
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
