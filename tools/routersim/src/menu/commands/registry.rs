//! The list of such commands.

use std::fmt;
use std::rc::Rc;

use super::{backup, certificate, keys, language, misc, monitor, ping, power, scripts, serial, transfer, update};
use crate::menu::def::{ALWAYS, V6, V7, When};
use crate::script::{Ctx, Error, LocalFuture, MenuCommand, Value};
use crate::system::System;

/// What a command does.
pub type Run = for<'a> fn(Rc<System>, &'a Ctx, &'a MenuCommand) -> LocalFuture<'a, Result<Value, Error>>;

/// One command.
pub struct Command {
    /// Its menu, `""` for the root.
    pub path: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Arguments by name.
    pub args: &'static [&'static str],
    /// Words without a value.
    pub words: &'static [&'static str],
    /// Whether values without a name are taken.
    pub unnamed: bool,
    /// Policies it wants.
    pub policy: &'static str,
    /// In which versions.
    pub when: When,
    /// What it does.
    pub run: Run,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.name)
    }
}

const fn command(path: &'static str, name: &'static str, policy: &'static str, run: Run) -> Command {
    Command { path, name, args: &[], words: &[], unnamed: false, policy, when: ALWAYS, run }
}

impl Command {
    const fn args(mut self, args: &'static [&'static str]) -> Self {
        self.args = args;
        self
    }

    const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }

    const fn unnamed(mut self) -> Self {
        self.unnamed = true;
        self
    }

    const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

const PING: &[&str] =
    &["address", "count", "interval", "size", "ttl", "interface", "src-address", "arp-ping", "do-not-fragment", "dscp"];
const PING_WORDS: &[&str] = &["as-value", "without-paging"];
const FETCH: &[&str] = &[
    "url",
    "mode",
    "address",
    "port",
    "src-path",
    "dst-path",
    "user",
    "password",
    "upload",
    "keep-result",
    "host",
    "ascii",
    "certificate",
    "check-certificate",
    "duration",
    "http-auth-scheme",
    "http-content-encoding",
    "http-data",
    "http-header-field",
    "http-max-redirect-count",
    "http-method",
    "http-percent-encoding",
    "http-version",
    "idle-timeout",
    "output",
];
/// Of 6.x (manual, Tools/Fetch); requests with data are there since 6.39.
const FETCH_6: &[&str] = &[
    "url",
    "mode",
    "address",
    "port",
    "src-path",
    "dst-path",
    "user",
    "password",
    "upload",
    "keep-result",
    "host",
    "ascii",
    "certificate",
    "check-certificate",
    "duration",
    "http-data",
    "http-header-field",
    "http-method",
    "output",
];
const FETCH_WORDS: &[&str] = &["as-value", "without-paging", "once"];
const DEVICE_MODE: &[&str] = &[
    "mode",
    "activation-timeout",
    "scheduler",
    "fetch",
    "smb",
    "email",
    "sniffer",
    "bandwidth-test",
    "romon",
    "proxy",
    "hotspot",
    "socks",
    "container",
    "traffic-gen",
    "routerboard",
    "partitions",
    "install-any-version",
];
const MAIL: &[&str] = &[
    "to",
    "cc",
    "subject",
    "body",
    "file",
    "from",
    "server",
    "port",
    "tls",
    "user",
    "password",
    "certificate-verification",
];
const MAIL_6: &[&str] =
    &["to", "cc", "subject", "body", "file", "from", "server", "address", "port", "start-tls", "user", "password"];
const LOG: &[&str] = &["message"];

/// All of them.
pub static COMMANDS: &[Command] =
    &[
        command("", "ping", "test,read", |sys, ctx, cmd| Box::pin(ping::ping(sys, ctx, cmd)))
            .args(PING)
            .words(PING_WORDS)
            .unnamed(),
        command("/tool", "ping", "test,read", |sys, ctx, cmd| Box::pin(ping::ping(sys, ctx, cmd)))
            .args(PING)
            .words(PING_WORDS)
            .unnamed(),
        command("", "import", "write", |sys, ctx, cmd| Box::pin(scripts::import(sys, ctx, cmd)))
            .args(&["file-name", "verbose", "from-line"])
            .words(&["dry-run"])
            .unnamed()
            .when(|v, _| v.at_least(7, 16)),
        command("", "import", "write", |sys, ctx, cmd| Box::pin(scripts::import(sys, ctx, cmd)))
            .args(&["file-name", "verbose", "from-line"])
            .unnamed()
            .when(|v, _| !v.at_least(7, 16)),
        command("", "password", "password", |sys, ctx, cmd| Box::pin(misc::password(sys, ctx, cmd))).args(&[
            "old-password",
            "new-password",
            "confirm-new-password",
        ]),
        command("", "undo", "write", |sys, ctx, cmd| Box::pin(misc::undo(sys, ctx, cmd))),
        command("", "redo", "write", |sys, ctx, cmd| Box::pin(misc::redo(sys, ctx, cmd))),
        command("", "quit", "", |sys, ctx, cmd| Box::pin(misc::quit(sys, ctx, cmd))),
        command("/log", "info", "", |sys, ctx, cmd| Box::pin(misc::log(sys, ctx, cmd))).args(LOG).unnamed(),
        command("/log", "warning", "", |sys, ctx, cmd| Box::pin(misc::log(sys, ctx, cmd))).args(LOG).unnamed(),
        command("/log", "error", "", |sys, ctx, cmd| Box::pin(misc::log(sys, ctx, cmd))).args(LOG).unnamed(),
        command("/log", "debug", "", |sys, ctx, cmd| Box::pin(misc::log(sys, ctx, cmd))).args(LOG).unnamed(),
        command("/system", "reboot", "reboot", |sys, ctx, cmd| Box::pin(power::reboot(sys, ctx, cmd))),
        command("/system", "shutdown", "reboot", |sys, ctx, cmd| Box::pin(power::shutdown(sys, ctx, cmd))),
        command("/system", "reset-configuration", "policy", |sys, ctx, cmd| Box::pin(power::reset(sys, ctx, cmd)))
            .args(&["keep-users", "no-defaults", "skip-backup", "run-after-reset"]),
        command("/system/backup", "save", "policy", |sys, ctx, cmd| Box::pin(backup::save(sys, ctx, cmd))).args(&[
            "name",
            "password",
            "dont-encrypt",
            "encryption",
        ]),
        command("/system/backup", "load", "policy", |sys, ctx, cmd| Box::pin(backup::load(sys, ctx, cmd)))
            .args(&["name", "password"]),
        command("/system/routerboard", "upgrade", "policy", |sys, ctx, cmd| {
            Box::pin(update::routerboard(sys, ctx, cmd))
        }),
        command("/system/package", "downgrade", "reboot", |sys, ctx, cmd| Box::pin(update::downgrade(sys, ctx, cmd))),
        command("/system/package/update", "check-for-updates", "policy", |sys, ctx, cmd| {
            Box::pin(update::check_for_updates(sys, ctx, cmd))
        })
        .words(&["once", "as-value"]),
        command("/system/device-mode", "update", "policy", |sys, ctx, cmd| {
            Box::pin(update::device_mode(sys, ctx, cmd))
        })
        .args(DEVICE_MODE)
        .when(V7),
        command("/system/logging/action", "clear", "write", |sys, ctx, cmd| {
            Box::pin(language::clear_log(sys, ctx, cmd))
        })
        .args(&["action"])
        .unnamed()
        .when(V7),
        command("", "timestamp", "", |sys, ctx, cmd| Box::pin(language::timestamp(sys, ctx, cmd)))
            .args(&["use-tz"])
            .when(|v, _| v.at_least(7, 13)),
        command("", "jobname", "", |sys, ctx, cmd| Box::pin(language::jobname(sys, ctx, cmd)))
            .when(|v, _| v.at_least(7, 13)),
        command("/environment", "print", "read", |sys, ctx, cmd| Box::pin(language::environment(sys, ctx, cmd))),
        command("", "range", "", |sys, ctx, cmd| Box::pin(language::range(sys, ctx, cmd)))
            .args(&["from", "to"])
            .unnamed()
            .when(|v, _| v.at_least(7, 20)),
        command("", "grep", "read", |sys, ctx, cmd| Box::pin(language::grep(sys, ctx, cmd)))
            .args(&["pattern", "script", "filename", "before", "after"])
            .words(&["as-array"])
            .when(|v, _| v.at_least(7, 20)),
        command("", "resolve", "test", |sys, ctx, cmd| Box::pin(language::resolve(sys, ctx, cmd)))
            .args(&["domain-name", "server", "server-port", "type"])
            .unnamed(),
        command("", "beep", "", |sys, ctx, cmd| Box::pin(language::beep(sys, ctx, cmd))).args(&["frequency", "length"]),
        command("/system/script", "run", "read", |sys, ctx, cmd| Box::pin(scripts::run(sys, ctx, cmd)))
            .args(&["number"])
            .words(&["use-script-permissions"])
            .unnamed(),
        command("/interface/ethernet", "reset-mac-address", "write", |sys, ctx, cmd| {
            Box::pin(misc::reset_mac_address(sys, ctx, cmd))
        })
        .args(&["numbers"])
        .unnamed(),
        command("/interface/ethernet", "monitor", "read", |sys, ctx, cmd| Box::pin(monitor::ethernet(sys, ctx, cmd)))
            .args(&["numbers", "interval", "once", "as-value"])
            .words(&["once", "as-value", "without-paging"])
            .unnamed(),
        command("/ip/dns/cache", "flush", "write", |sys, ctx, cmd| Box::pin(misc::flush_names(sys, ctx, cmd))),
        command("/tool/e-mail", "send", "test", |sys, ctx, cmd| Box::pin(misc::send_mail(sys, ctx, cmd)))
            .args(MAIL)
            .words(&["as-value"])
            .when(V7),
        command("/tool/e-mail", "send", "test", |sys, ctx, cmd| Box::pin(misc::send_mail(sys, ctx, cmd)))
            .args(MAIL_6)
            .when(V6),
        command("/ip/ssh", "export-host-key", "policy", |sys, ctx, cmd| Box::pin(keys::export(sys, ctx, cmd)))
            .args(&["key-file-prefix"]),
        command("/ip/ssh", "import-host-key", "policy", |sys, ctx, cmd| Box::pin(keys::import(sys, ctx, cmd)))
            .args(&["private-key-file", "passphrase"]),
        command("/ip/ssh", "regenerate-host-key", "policy", |sys, ctx, cmd| Box::pin(keys::regenerate(sys, ctx, cmd))),
        command("/certificate", "sign", "write", |sys, ctx, cmd| Box::pin(certificate::sign(sys, ctx, cmd)))
            .args(&["number", "ca", "ca-crl-host", "name"])
            .unnamed(),
        command("/certificate", "export-certificate", "write,sensitive", |sys, ctx, cmd| {
            Box::pin(certificate::export(sys, ctx, cmd))
        })
        .args(&["numbers", "export-passphrase", "file-name", "type"])
        .unnamed(),
        command("/certificate", "import", "write", |sys, ctx, cmd| Box::pin(certificate::import(sys, ctx, cmd)))
            .args(&["file-name", "passphrase", "name", "trusted"]),
        command("/user/ssh-keys", "import", "policy", |sys, ctx, cmd| Box::pin(certificate::ssh_key(sys, ctx, cmd)))
            .args(&["public-key-file", "user"]),
        command("/ip/cloud", "force-update", "write", |sys, ctx, cmd| Box::pin(misc::force_update(sys, ctx, cmd))),
        command("/tool", "fetch", "test,read", |sys, ctx, cmd| Box::pin(transfer::fetch(sys, ctx, cmd)))
            .args(FETCH)
            .words(FETCH_WORDS)
            .when(V7),
        command("/tool", "fetch", "test,read", |sys, ctx, cmd| Box::pin(transfer::fetch(sys, ctx, cmd)))
            .args(FETCH_6)
            .words(FETCH_WORDS)
            .when(V6),
        command("/tool", "mac-telnet", "test", |sys, ctx, cmd| Box::pin(transfer::mac_telnet(sys, ctx, cmd)))
            .args(&["host", "interface"])
            .unnamed(),
        command("/system", "serial-terminal", "test", |sys, ctx, cmd| Box::pin(serial::terminal(sys, ctx, cmd)))
            .args(&["port", "channel"])
            .unnamed(),
        command("/file", "read", "read", |sys, ctx, cmd| Box::pin(misc::read_file(sys, ctx, cmd)))
            .args(&["file", "offset", "chunk-size"])
            .words(&["as-value"])
            .when(V7),
    ];
