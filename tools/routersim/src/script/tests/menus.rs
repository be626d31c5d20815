//! Menu commands: arguments, conditions, names.

use super::*;

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
                  add name=log comment=\"x y\" log=yes\nadd name=t.rsc\nadd name=x.b/c-d.1:2\nadd name=5m.x\n";
    for (condition, found) in [
        ("name=a", "*1"),
        ("name=\"a\"", "*1"),
        ("where name=a", "*1"),
        ("name=c-d", "*3"),
        // A dot in it joins nothing.
        ("name=t.rsc", "*5"),
        ("name=x.b/c-d.1:2", "*6"),
        ("name=5m.x", "*7"),
        ("name=t.rsc or name=a", "*1;*5"),
        ("comment!=\"HA\"", "*2;*3;*4;*5;*6;*7"),
        ("comment=\"\"", "*2;*3;*5;*6;*7"),
        ("comment", "*1;*4"),
        ("!comment", "*2;*3;*5;*6;*7"),
        ("!comment name!=b size>0", "*3"),
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
        ("name=$name", "*1;*2;*3;*4;*5;*6;*7"),
        ("", "*1;*2;*3;*4;*5;*6;*7"),
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
        (":put a; /thing add no-such-arg=1", "expected end of command (line 1 column 31)"),
        (":put a; :put b c", "expected end of command (line 1 column 16)"),
        (":put a; :put b bogus=1", "expected end of command (line 1 column 16)"),
        (":put a; :put bogus=1", "expected end of command (line 1 column 19)"),
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
        ("/thing set name= comment=x", "expected end of command (line 1 column 25)"),
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
