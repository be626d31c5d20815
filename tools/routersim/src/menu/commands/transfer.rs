//! `/tool fetch` by FTP, `/tool mac-telnet`.

use std::net::Ipv4Addr;
use std::rc::Rc;

use mactelnet::MacAddr;

use super::language::address_of;
use crate::console::{ConsoleHost, hop};
use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::menu::values::text_of;
use crate::net::NetError;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, System};

struct Transfer {
    server: Ipv4Addr,
    port: u16,
    user: String,
    password: String,
    source: String,
    target: String,
    upload: bool,
}

fn transfer(sys: &System, user: &str, command: &MenuCommand) -> Result<Transfer, Error> {
    let given = |name: &str| command.named(name).map(text_of);
    let mut server = given("address");
    let mut source = given("src-path");
    let mut mode = given("mode");
    if let Some(url) = given("url") {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| Error::invalid_value("url"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        mode = Some(scheme.to_owned());
        server = Some(host.to_owned());
        source.get_or_insert_with(|| path.to_owned());
    }
    // A port may stand behind the name.
    let named = server.as_deref().map(|server| server.split(':').next().unwrap_or(server));
    let found = named.map(|name| address_of(sys, name));
    if found == Some(None) {
        return Err(Error::failure("resolving error"));
    }
    if mode.as_deref() != Some("ftp") {
        // Nothing that speaks HTTP or TFTP is on a simulated wire.
        return Err(Error::failure("connection failed"));
    }
    let file = given("output").is_none_or(|output| output == "file");
    if let Some(name) = ["duration", "idle-timeout", "output"].into_iter().find(|name| command.named(name).is_some())
        && !(name == "output" && file)
    {
        return Err(sys.not_simulated(&format!("/tool/fetch {name}"), user).into());
    }
    let upload = match given("upload") {
        Some(text) => Kind::Bool.parse("upload", &text, sys)? == "yes",
        None => false,
    };
    let source = source.ok_or(Refused::Missing(vec!["src-path"]))?;
    let base = source.rsplit('/').next().unwrap_or_default().to_owned();
    let server = server.ok_or(Refused::Missing(vec!["address"]))?;
    Ok(Transfer {
        server: found.flatten().filter(|_| !server.contains(':')).ok_or_else(|| Error::failure("resolving error"))?,
        port: match given("port") {
            Some(port) => port.parse().map_err(|_| Error::invalid_value("port"))?,
            None => 21,
        },
        user: given("user").unwrap_or_else(|| "anonymous".to_owned()),
        password: given("password").unwrap_or_default(),
        target: given("dst-path").unwrap_or(base),
        source,
        upload,
    })
}

async fn move_file(sys: &System, transfer: &Transfer) -> Result<usize, Error> {
    let net = sys.net().ok_or_else(|| Error::failure("no network"))?;
    let failed = |error: NetError| Error::failure(&error.to_string());
    let Transfer { server, port, user, password, source, target, upload } = transfer;
    if *upload {
        let contents = sys.read_file(source).ok_or_else(|| Error::failure("cannot open file"))?;
        net.ftp_put(*server, *port, user, password, target, &contents).await.map_err(failed)?;
        return Ok(contents.len());
    }
    let contents = net.ftp_get(*server, *port, user, password, source).await.map_err(failed)?;
    let size = contents.len();
    sys.write_file(target, contents).map_err(|_| Error::failure("cannot open file"))?;
    Ok(size)
}

pub(super) async fn fetch(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    if !sys.device_allows("fetch") {
        return Err(Error::failure("not allowed by device-mode"));
    }
    let transfer = transfer(&sys, &ctx.user, command)?;
    let begun = sys.kernel.now();
    let result = move_file(&sys, &transfer).await;
    let quiet = command.in_brackets || command.flag("as-value");
    if !quiet {
        let word = if result.is_ok() { "finished" } else { "failed" };
        ctx.output.line(format!("      status: {word}").as_bytes());
    }
    let size = result?;
    if !quiet {
        let kib = size.div_ceil(1024);
        let (done, took) = (if transfer.upload { "uploaded" } else { "downloaded" }, sys.kernel.now() - begun);
        ctx.output.line(format!("{done:>12}: {kib}KiB").as_bytes());
        ctx.output.line(format!("    duration: {}s", took.as_secs().max(1)).as_bytes());
    }
    Ok(Value::Nothing)
}

pub(super) async fn mac_telnet(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let host = command.named("host").or_else(|| command.unnamed().next()).map(text_of);
    let host = host.ok_or(Refused::Missing(vec!["host"]))?;
    let mac: MacAddr = match host.parse() {
        Ok(mac) => mac,
        // A neighbour's identity stands for its address.
        Err(_) => {
            let neighbours = sys.net().map(|net| net.neighbours()).unwrap_or_default();
            let found = neighbours.iter().find(|neighbour| neighbour.identity == host).map(|neighbour| neighbour.mac);
            found.ok_or_else(|| Error::invalid_value("host"))?
        }
    };
    let interface = command.named("interface").map(text_of);
    if let Some(interface) = &interface
        && !sys.interface_names().contains(interface)
    {
        return Err(Refused::NoMatch("interface".to_owned()).into());
    }
    let caller = Caller::of(ctx);
    let Some(io) = caller.io.clone() else {
        return Err(Error::failure("interactive command"));
    };
    let net = sys.net().ok_or_else(|| Error::failure("no network"))?;
    let quirks = ConsoleHost::quirks(sys.as_ref());
    hop::call(&io, &quirks, &net, mac, interface).await.map_err(Error::new)?;
    Ok(Value::Nothing)
}
