//! What automates routers in the field, unmodified, against the simulated router: Netmiko's `mikrotik_routeros` driver with the
//! templates of ntc-templates, Ansible's `community.routeros`, and RANCID's `mtlogin`. `cargo xtask automation` fetches the first
//! two into `target/automation`; RANCID is Debian's.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::path::{Path, PathBuf};

use jumplead_tests::binary::workspace;
use jumplead_tests::conformance::Claim;
use jumplead_tests::router_process::{PASSWORD, Plan, ROUTER, text, with_both};
use lab::netns::available;

/// Where `cargo xtask automation` puts it.
fn folder() -> PathBuf {
    workspace().join("target/automation")
}

fn program(name: &str) -> String {
    folder().join("bin").join(name).to_str().unwrap().to_owned()
}

fn script(name: &str) -> PathBuf {
    workspace().join("tests/automation").join(name)
}

/// Versions of packages, as Python knows them.
fn packages(names: &[&str]) -> String {
    let query = "import sys, importlib.metadata as m; print(', '.join(n + ' ' + m.version(n) for n in sys.argv[1:]))";
    let output = std::process::Command::new(program("python")).args(["-c", query]).args(names).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    text(&output).trim().to_owned()
}

#[test]
fn netmiko_drives_it() {
    if available("netmiko_drives_it", &[&program("python")]) {
        with_both(netmiko);
    }
}

fn netmiko(version: &str) {
    let rig = Plan::new(version).start();
    let does =
        "a session of the `mikrotik_routeros` driver: prompt, commands, 300 lines, an error, a set, a wrong password";
    let claim = Claim::new("Netmiko", packages(&["netmiko", "paramiko"]), does, version);
    let mut command = rig.command(&program("python"));
    command.arg(script("netmiko_session.py")).args([ROUTER, PASSWORD]).args(PARSED);
    if !version.starts_with('7') {
        command.args(PARSED_6);
    }
    let output = command.output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let did: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = |name: &str| did[name].as_str().unwrap().trim().to_owned();
    assert_eq!(said("prompt"), "[admin@SIM] >");
    assert_eq!(said("identity"), "name: SIM");
    assert!(said("addresses").contains("10.9.8.1/24"), "{did}");
    let rows =
        (1..=300).all(|row| said("long").contains(&format!("row {row} of a table that is longer than a screen")));
    assert!(rows, "{did}");
    assert_eq!(said("bad"), "bad command name no-such-menu (line 1 column 2)");
    assert_eq!(said("after"), "2", "{did}");
    assert_eq!(said("wrong_password"), "refused");
    claim.holds();
    let parsed = did["parsed"].as_object().unwrap();
    let does = format!("its templates, made from prints of real routers, read {} prints of ours", parsed.len());
    let claim = Claim::new("ntc-templates", packages(&["ntc_templates", "textfsm"]), &does, version);
    for (command, rows) in parsed {
        assert!(rows.as_array().is_some_and(|rows| !rows.is_empty()), "{command}: {rows}");
    }
    let of = |command: &str, field: &str| parsed[command][0][field].as_str().unwrap().to_owned();
    assert_eq!(of("/system identity print", "name"), "SIM");
    assert_eq!(of("/ip address print", "ip"), ROUTER);
    claim.holds();
}

/// Prints that a template reads. Most of them were made from prints of 6.x.
const PARSED: [&str; 5] = [
    "/system identity print",
    "/system routerboard print",
    "/ip address print",
    "/interface print detail",
    "/interface print terse without-paging",
];
const PARSED_6: [&str; 7] = [
    "/system resource print",
    "/system clock print",
    "/user active print",
    "/interface print brief",
    "/interface ethernet monitor ether8 once",
    "/ip address export verbose",
    "/snmp community print without-paging",
];

/// RANCID's program for MikroTik's routers.
const MTLOGIN: &str = "/usr/lib/rancid/bin/mtlogin";

#[test]
fn rancid_logs_in() {
    if available("rancid_logs_in", &[MTLOGIN, "ssh"]) {
        with_both(rancid);
    }
}

fn rancid(version: &str) {
    let rig = Plan::new(version).start();
    let told = std::process::Command::new("dpkg-query").args(["-W", "-f", "${Version}", "rancid"]).output().unwrap();
    let does = "`mtlogin`: a login by SSH with its suffix, two commands, `quit`";
    let claim = Claim::new("RANCID", text(&told).trim().to_owned(), does, version);
    let home = rig.folder.path();
    let file = home.join("cloginrc");
    // The algorithms of 6.x are none that OpenSSH takes by itself.
    let ssh = "ssh\\ -o\\ StrictHostKeyChecking=no\\ -o\\ UserKnownHostsFile=/dev/null\\ \
               -o\\ KexAlgorithms=+diffie-hellman-group14-sha1\\ -o\\ HostKeyAlgorithms=+ssh-rsa\\ -o\\ Ciphers=+aes128-cbc";
    let text_of_it = format!(
        "add user * admin\nadd password * {PASSWORD} {PASSWORD}\nadd method * ssh\nadd sshcmd * {{{ssh}}}\nadd timeout * 60\n"
    );
    std::fs::write(&file, text_of_it).unwrap();
    // It takes no file that others may read.
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = rig.command(MTLOGIN);
    command.env("HOME", home).arg("-f").arg(&file).args(["-c", "/system identity print;/ip address print", ROUTER]);
    let output = command.output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("name: SIM") && said.contains(&format!("{ROUTER}/24")), "{said}");
    claim.holds();
}

#[test]
fn ansible_drives_it() {
    if available("ansible_drives_it", &[&program("ansible-playbook")]) {
        with_both(ansible);
    }
}

/// The collection's version, from what came with it.
fn collection() -> String {
    let manifest = folder().join("collections/ansible_collections/community/routeros/MANIFEST.json");
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    format!("{}, {}", manifest["collection_info"]["version"].as_str().unwrap(), packages(&["ansible-core", "paramiko"]))
}

fn ansible(version: &str) {
    let rig = Plan::new(version).start();
    let does = "a playbook of `command` (with `wait_for`, and with an error) and `facts` (all of them)";
    let claim = Claim::new("Ansible community.routeros", collection(), does, version);
    let home: &Path = rig.folder.path();
    let inventory = home.join("inventory.ini");
    let text_of_it = format!(
        "[routers]\nsim ansible_host={ROUTER}\n[routers:vars]\nansible_connection=ansible.netcommon.network_cli\n\
         ansible_network_os=community.routeros.routeros\nansible_user=admin+cet1024w\nansible_password={PASSWORD}\n\
         ansible_command_timeout=120\nversion={version}\nansible_python_interpreter={}\n",
        program("python"),
    );
    std::fs::write(&inventory, text_of_it).unwrap();
    let mut command = rig.command(&program("ansible-playbook"));
    command.arg("-i").arg(&inventory).arg(script("playbook.yml"));
    command.env("HOME", home).env("ANSIBLE_HOME", home.join("ansible")).env("ANSIBLE_HOST_KEY_CHECKING", "false");
    command.env("ANSIBLE_COLLECTIONS_PATH", folder().join("collections")).env("ANSIBLE_NOCOLOR", "1");
    // It insists on UTF-8, whatever the caller's locale is.
    command.env("LC_ALL", "C.UTF-8").env_remove("LANG");
    // A loaded machine is slow.
    command.env("ANSIBLE_TIMEOUT", "120").env("ANSIBLE_PARAMIKO_BANNER_TIMEOUT", "120");
    command.env("ANSIBLE_PERSISTENT_CONNECT_TIMEOUT", "300");
    // The folder that a sequence of tasks keeps its connection in: a socket's path is no longer than 107 bytes.
    command.env("ANSIBLE_PERSISTENT_CONTROL_PATH_DIR", home.join("pc")).current_dir(home);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    claim.holds();
}
