use std::cell::RefCell;
use std::rc::Rc;

use routeros_script::{Lookup, Names, Version};

use super::*;
use crate::kernel::{Instant, Kernel};

/// A small router: items with properties in `/thing`, `/log` to look at arguments, and `/echo`, which gives its value back.
struct Router {
    kernel: Kernel,
    things: RefCell<Vec<(u64, Vec<(String, Value)>)>>,
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
    while let Some(at) = kernel.poll_timeout().filter(|at| *at < Instant::from_millis(100_000)) {
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
