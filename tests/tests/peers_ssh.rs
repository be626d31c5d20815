//! The simulated router's SSH server against OpenSSH's client: console, single lines, old algorithms, new keys.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use jumplead_tests::conformance::{Claim, version_of};
use jumplead_tests::router_process::{Lines, PASSWORD, Plan, ROUTER, Rig, Running, VERSIONS, text, with_both};
use lab::netns::available;

/// What a client of today has to be told before it talks to a router of yesterday.
const OLD: [&str; 4] = [
    "-o",
    "KexAlgorithms=+diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
    "-o",
    "HostKeyAlgorithms=+ssh-rsa,ssh-dss",
];

/// `ssh` on the host, which answers the question for a password with this one.
fn ssh(rig: &Rig, version: &str, password: &str) -> Command {
    ssh_that_knows(rig, "known", version, password)
}

/// As [`ssh`], with a list of known hosts of its own.
fn ssh_that_knows(rig: &Rig, known: &str, version: &str, password: &str) -> Command {
    let answer = rig.folder.path().join(format!("answer-{password}"));
    if !answer.exists() {
        std::fs::write(&answer, format!("#!/bin/sh\necho {password}\n")).unwrap();
        std::fs::set_permissions(&answer, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let known = format!("UserKnownHostsFile={}", rig.folder.path().join(known).display());
    let mut command = rig.command("ssh");
    command.env("SSH_ASKPASS", &answer).env("SSH_ASKPASS_REQUIRE", "force").env("HOME", rig.folder.path());
    command.args(["-F", "none", "-o", "StrictHostKeyChecking=accept-new", "-o", &known]);
    command.args(["-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=60", "-e", "none"]);
    if version.starts_with('6') {
        command.args(OLD);
    }
    command.stdin(Stdio::null());
    command
}

fn exec(rig: &Rig, version: &str, line: &str) -> Output {
    ssh(rig, version, PASSWORD).arg(format!("admin@{ROUTER}")).arg(line).output().unwrap()
}

#[test]
fn openssh_runs_single_lines() {
    if available("openssh_runs_single_lines", &["ssh"]) {
        with_both(single_lines);
    }
}

fn single_lines(version: &str) {
    let openssh = version_of("ssh", "-V");
    let rig = Plan::new(version).start();
    let does = "exec: clean output, errors as text, exit status; nothing for a wrong password";
    let claim = Claim::new("ssh", openssh.as_str(), does, version);
    let put = exec(&rig, version, ":put \"a  b\"; :put [/system identity get name]");
    assert_eq!((put.stdout.as_slice(), put.status.code()), (&b"a  b\r\nSIM\r\n"[..], Some(0)), "{}", text(&put));
    let nothing = exec(&rig, version, "/ip address add address=10.7.7.1/24 interface=ether2");
    assert_eq!((nothing.stdout.as_slice(), nothing.status.code()), (&b""[..], Some(0)), "{}", text(&nothing));
    let bad = exec(&rig, version, "/no-such-menu print");
    let words = String::from_utf8_lossy(&bad.stdout);
    assert_eq!((words.trim_end(), bad.status.code()), ("bad command name no-such-menu (line 1 column 2)", Some(1)));
    let failed = exec(&rig, version, "/interface get ether99 name");
    assert!(!failed.stdout.is_empty() && failed.status.code() == Some(0), "{}", text(&failed));
    let many = exec(&rig, version, ":for i from=1 to=5000 do={ :put \"line $i of what one line says\" }");
    assert_eq!(String::from_utf8_lossy(&many.stdout).lines().count(), 5000);
    let to = format!("admin@{ROUTER}");
    let wrong = ssh(&rig, version, "wrong").args([&to, ":put x"]).output().unwrap();
    assert_eq!((wrong.stdout.as_slice(), wrong.status.code()), (&b""[..], Some(255)));
    assert!(text(&wrong).contains("Permission denied (publickey,password)"), "{}", text(&wrong));
    let log = exec(&rig, version, ":put [/log find message=\"login failure for user admin from 10.9.8.2 via ssh\"]");
    assert!(log.stdout.starts_with(b"*"), "{}", text(&log));
    claim.holds();

    // A client that wants new keys after every kilobyte gets them, and loses nothing.
    let claim = Claim::new("ssh", openssh.as_str(), "new keys (RekeyLimit) in the midst of the output", version);
    let line = ":for i from=1 to=1000 do={ :put \"$i and some more so that it is not short\" }";
    let mut rekey = ssh(&rig, version, PASSWORD);
    let rekey = rekey.args(["-v", "-o", "RekeyLimit=1K", &to, line]).output().unwrap();
    let lines = String::from_utf8_lossy(&rekey.stdout).lines().filter(|line| line.ends_with("short")).count();
    assert_eq!(lines, 1000, "{}", text(&rekey));
    let keys = String::from_utf8_lossy(&rekey.stderr).matches("SSH2_MSG_NEWKEYS received").count();
    assert!(keys >= 3, "{keys} times");
    claim.holds();
}

#[test]
fn openssh_gets_a_console() {
    if available("openssh_gets_a_console", &["ssh", "script"]) {
        with_both(console);
    }
}

fn console(version: &str) {
    let openssh = version_of("ssh", "-V");
    let rig = Plan::new(version).start();
    let claim =
        Claim::new("ssh", openssh.as_str(), "a console on a pseudo terminal: login suffix, commands, `/quit`", version);
    // util-linux's `script` gives ssh a terminal of its own.
    let mut ssh_line = ssh(&rig, version, PASSWORD);
    ssh_line.arg(format!("admin+ct80w200h@{ROUTER}"));
    let words: Vec<String> = ssh_line.get_args().skip(3).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut command = rig.command("script");
    command.args(["-qec", &words.join(" "), "/dev/null"]);
    for (name, value) in ssh_line.get_envs() {
        command.env(name, value.unwrap());
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), Lines::of(child.stdout.take().unwrap()));
    let mut child = Running(child);
    output.until("[admin@SIM] > ");
    input.write_all(b":put (6 * 7)\r").unwrap();
    output.until("\r\n\r42\r\n");
    input.write_all(b"/system identity set name=BY-SSH\r").unwrap();
    output.until("[admin@BY-SSH] > ");
    input.write_all(b"/user active print\r").unwrap();
    output.until("10.9.8.2");
    output.until("[admin@BY-SSH] > ");
    input.write_all(b"/quit\r").unwrap();
    output.until("interrupted");
    let status = child.0.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    claim.holds();

    let claim =
        Claim::new("ssh", openssh.as_str(), "commands from a file at standard input, without a terminal", version);
    let mut child = ssh(&rig, version, PASSWORD);
    child.args(["-T", &format!("admin+ct80w200h@{ROUTER}")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b":put (\"one\" . \"two\")\n:put (\"three\" . \"four\")\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = text(&output);
    assert!(shown.contains("\ronetwo\r\n") && shown.contains("\rthreefour\r\n"), "{shown}");
    assert_eq!(output.status.code(), Some(0));
    claim.holds();
}

#[test]
fn openssh_of_today_refuses_a_router_of_yesterday_until_it_is_told() {
    if !available("openssh_of_today_refuses_a_router_of_yesterday", &["ssh"]) {
        return;
    }
    let [old, _] = VERSIONS;
    let openssh = version_of("ssh", "-V");
    let rig = Plan::new(old).start();
    let to = format!("admin@{ROUTER}");
    // Any version but an old one keeps the options for old ones away.
    let mut plain = ssh(&rig, "7", PASSWORD);
    let plain = plain.args(["-o", "KexAlgorithms=curve25519-sha256", &to, ":put x"]).output().unwrap();
    let said = text(&plain);
    assert!(said.contains("Their offer: diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"), "{said}");
    let ways = [
        ("diffie-hellman-group1-sha1", "ssh-dss", "aes128-cbc", "hmac-md5"),
        ("diffie-hellman-group14-sha1", "ssh-rsa", "aes256-cbc", "hmac-sha1"),
        ("diffie-hellman-group14-sha1", "ssh-rsa", "aes192-ctr", "hmac-sha1"),
    ];
    for (exchange, key, cipher, mac) in ways {
        let claim = Claim::new("ssh", openssh.as_str(), &format!("{exchange}, {key}, {cipher}, {mac}"), old);
        let (exchange, key) = (format!("KexAlgorithms={exchange}"), format!("HostKeyAlgorithms={key}"));
        let mut command = ssh_that_knows(&rig, &key, "7", PASSWORD);
        let done = command.args(["-o", &exchange, "-o", &key, "-c", cipher, "-m", mac, &to, ":put done"]);
        let done = done.output().unwrap();
        assert_eq!(done.stdout, b"done\r\n", "{}", text(&done));
        claim.holds();
    }
    // The key that was learnt first holds; a new one is noticed.
    assert_eq!(exec(&rig, old, ":put again").stdout, b"again\r\n");
    exec(&rig, old, "/ip ssh regenerate-host-key");
    let changed = exec(&rig, old, ":put x");
    assert!(text(&changed).contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{}", text(&changed));
}

/// `sftp` or `scp` on the host, with the options and the answer of [`ssh`].
fn mover(rig: &Rig, program: &str, version: &str, password: &str) -> Command {
    let line = ssh(rig, version, password);
    let mut command = rig.command(program);
    // behind the words that enter the namespace; `-e` is ssh's alone
    let own = rig.command("ssh").get_args().count();
    let mut words: Vec<_> = line.get_args().skip(own).collect();
    if let Some(at) = words.iter().position(|word| *word == "-e") {
        words.drain(at..at + 2);
    }
    command.args(words);
    for (name, value) in line.get_envs() {
        command.env(name, value.unwrap());
    }
    command.stdin(Stdio::null());
    command
}

#[test]
fn openssh_moves_files() {
    if available("openssh_moves_files", &["sftp", "scp"]) {
        with_both(files);
    }
}

fn files(version: &str) {
    let openssh = version_of("ssh", "-V");
    let rig = Plan::new(version).start();
    let (folder, to) = (rig.folder.path(), format!("admin@{ROUTER}"));
    let large: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(folder.join("large.bin"), &large).unwrap();
    std::fs::write(folder.join("run.auto.rsc"), ":put (\"ran \" . (6 * 7))\n").unwrap();

    let does = "SFTP: put and get of 300 kB, list, rename, make and remove directories, delete; an `.auto.rsc` runs";
    let claim = Claim::new("sftp", openssh.as_str(), does, version);
    let batch = folder.join("batch");
    let here = folder.display();
    std::fs::write(
        &batch,
        format!(
            "put {here}/large.bin large.bin\nmkdir kept\nrename large.bin kept/moved.bin\nls -l kept\n\
             get kept/moved.bin {here}/back.bin\nput {here}/run.auto.rsc\n-rm nothing.txt\nrm kept/moved.bin\nrmdir kept\n\
             ls /\n"
        ),
    )
    .unwrap();
    let moved =
        mover(&rig, "sftp", version, PASSWORD).arg("-o").arg("BatchMode=no").arg("-b").arg(&batch).arg(&to).output();
    let moved = moved.unwrap();
    let said = text(&moved);
    assert!(moved.status.success(), "{said}");
    assert!(said.contains("300000") && said.contains("moved.bin") && said.contains("run.auto.rsc"), "{said}");
    assert!(std::fs::read(folder.join("back.bin")).unwrap() == large);
    let ran = exec(
        &rig,
        version,
        ":delay 1; :put [/file get run.auto.log contents]; :put [:len [/file find name~\"large|moved\"]]",
    );
    assert_eq!(String::from_utf8_lossy(&ran.stdout).split_whitespace().collect::<Vec<_>>(), ["ran", "42", "0"]);
    claim.holds();

    for (way, does) in [(None, "by SFTP"), (Some("-O"), "by the old protocol (`-O`)")] {
        let does =
            format!("a file of 300 kB there and back {does}; what is not there; a user without the right to files");
        let claim = Claim::new("scp", openssh.as_str(), &does, version);
        let copy = |from: &str, target: &str| {
            mover(&rig, "scp", version, PASSWORD).args(way).args([from, target]).output().unwrap()
        };
        let there = copy(&format!("{here}/large.bin"), &format!("{to}:scp.bin"));
        assert!(there.status.success(), "{}", text(&there));
        let back = copy(&format!("{to}:scp.bin"), &format!("{here}/scp-back.bin"));
        assert!(back.status.success(), "{}", text(&back));
        assert!(std::fs::read(folder.join("scp-back.bin")).unwrap() == large);
        let none = copy(&format!("{to}:nothing.bin"), &format!("{here}/nothing.bin"));
        assert!(!none.status.success() && text(&none).to_lowercase().contains("no such file"), "{}", text(&none));
        exec(
            &rig,
            version,
            "/user group add name=nofiles policy=ssh,read,write; /user add name=eve group=nofiles password=lab",
        );
        let eve = copy(&format!("{here}/large.bin"), &format!("eve@{ROUTER}:eve.bin"));
        assert!(!eve.status.success(), "{}", text(&eve));
        let left = exec(&rig, version, ":put [:len [/file find name~\"eve|nothing\"]]; /file remove scp.bin");
        assert_eq!(left.stdout, b"0\r\n");
        claim.holds();
    }
}

#[test]
fn openssh_logs_in_with_a_key() {
    if available("openssh_logs_in_with_a_key", &["ssh", "ssh-keygen", "scp"]) {
        with_both(keys);
    }
}

fn keys(version: &str) {
    let openssh = version_of("ssh", "-V");
    let rig = Plan::new(version).start();
    let folder = rig.folder.path();
    let kinds: &[(&str, &str)] =
        if version.starts_with('6') { &[("rsa", "ssh-rsa")] } else { &[("ed25519", ""), ("rsa", "ssh-rsa")] };
    for (kind, also) in kinds {
        let does = format!("`/user ssh-keys import`, then a login with the {kind} key and without a password");
        let claim = Claim::new("ssh", openssh.as_str(), &does, version);
        let (key, other) = (folder.join(format!("id-{kind}")), folder.join(format!("other-{kind}")));
        for key in [&key, &other] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", kind, "-N", "", "-C", "person@host", "-f"])
                .arg(key)
                .status();
            assert!(made.unwrap().success());
        }
        let public = key.with_extension("pub");
        let sent =
            mover(&rig, "scp", version, PASSWORD).arg(&public).arg(format!("admin@{ROUTER}:key.pub")).output().unwrap();
        assert!(sent.status.success(), "{}", text(&sent));
        exec(&rig, version, &format!("/user add name=k{kind} group=full password=lab"));
        let taken =
            exec(&rig, version, &format!("/user ssh-keys import public-key-file=key.pub user=k{kind}; :put done"));
        assert_eq!(taken.stdout, b"done\r\n", "{}", text(&taken));
        let login = |key: &std::path::Path| {
            let mut command = ssh(&rig, version, PASSWORD);
            command.arg("-i").arg(key).args(["-o", "IdentitiesOnly=yes"]);
            if !also.is_empty() {
                command.args(["-o", &format!("PubkeyAcceptedAlgorithms=+{also}")]);
            }
            command.args([&format!("k{kind}@{ROUTER}"), ":put in"]).output().unwrap()
        };
        let own = login(&key);
        assert_eq!(own.stdout, b"in\r\n", "{}", text(&own));
        // another key is refused, and so is the password, since there is a key
        let refused = login(&other);
        assert!(refused.stdout.is_empty() && text(&refused).contains("Permission denied"), "{}", text(&refused));
        let [on, off] = if version.starts_with("6.") || version.starts_with("7.18.") {
            ["always-allow-password-login=yes", "always-allow-password-login=no"]
        } else {
            ["password-authentication=yes", "password-authentication=yes-if-no-key"]
        };
        exec(&rig, version, &format!("/ip ssh set {on}"));
        assert_eq!(login(&other).stdout, b"in\r\n", "the password again");
        exec(&rig, version, &format!("/ip ssh set {off}"));
        claim.holds();
    }
}
