//! `recover` as people run it: the real binary, a simulated router's console on a pty, at ser2net with RFC 2217, as plain TCP.

use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use jumplead_tests::binary::{Ended, isolate, jumplead};
use jumplead_tests::leak;
use jumplead_tests::line_process::{
    LineRouter, PASSWORD, format_and_leave, netinstall_stand_in, noise_until_the_menu, owners_alone, ser2net,
};
use jumplead_tests::pair::{BOOT_SERVER, Pair, Settings};
use jumplead_tests::rescue::fingerprint;
use jumplead_tests::run::{proved, silent};
use lab::netns::{Namespace, available, veth};

/// Planted on the router where it must not be shown.
const HIDDEN: &str = "Pl4nted-Hidden-Sloe.66";
/// The HA password, which a site file names.
const HA_PASSWORD: &str = "Pl4nted-HA-Quince.77";

#[track_caller]
fn plan(router: &LineRouter, url: &str, words: &[&str]) -> String {
    let mut all = vec!["recover", url];
    all.extend(words);
    all.push("--plan-only");
    fingerprint(&router.jumplead(&all).expect(0))
}

#[test]
fn out_of_the_loader_over_each_kind_of_line() {
    let router = LineRouter::start();
    let [pty, rfc2217, tcp] = router.urls();
    router.jumplead(&["recover", &pty, "leave-loader", "--plan-only"]).refused(5, "recover.not-in-the-loader");
    router.into_the_loader();
    let seen = router.jumplead(&["recover", &pty]).expect(0);
    assert!(seen.out.starts_with("F8") && seen.out.contains("fits   leave-loader"), "{seen:?}");
    assert!(
        seen.out.contains(&format!("do  1  jumplead recover {pty} leave-loader:")),
        "what it says is what the card of 3 a.m. says, to be typed as it stands: {seen:?}"
    );
    let words = router.jumplead(&["recover", &pty, "leave-loader", "--plan-only"]).expect(0);
    let known = fingerprint(&words);
    assert!(words.out.contains("leave the menu") && words.out.contains("read-only"), "{words:?}");
    router.jumplead(&["recover", &pty, "leave-loader", "--non-interactive"]).refused(2, "recover.confirm");
    router.jumplead(&["recover", &pty, "leave-loader", "--confirm", "0000-0000"]).refused(12, "bootstrap.plan.moved");
    let ended = router.jumplead(&["recover", &pty, "leave-loader", "--confirm", &known]).expect(0);
    for words in ["Seen ", "Done   leave the menu", "Proved ", "Run "] {
        assert!(ended.err.contains(words), "{words} is not in {}", ended.err);
    }
    router.answers(&pty);
    let mut urls = vec![rfc2217, tcp];
    let server = ser2net("out_of_the_loader_over_each_kind_of_line", &router, "telnet(rfc2217=true),tcp");
    urls.extend(server.iter().map(|(_, port)| format!("rfc2217://127.0.0.1:{port}")));
    for url in urls {
        router.into_the_loader();
        let known = plan(&router, &url, &["leave-loader"]);
        router.jumplead(&["recover", &url, "leave-loader", "--confirm", &known]).expect(0);
    }
    router.answers(&pty);
}

/// A failed startup, as a router without its HA password has one, over each kind of line; the evidence is on disk, for its
/// owner alone, and holds no secret.
#[test]
fn a_failed_startup_is_left_with_its_evidence_and_bundled() {
    let setup = format!(
        "/user set [find name=admin] password=\"{PASSWORD}\"\n/system identity set name=edge-1_HA_B_STANDBY\n\
         /system script add name=ha_startup source=\":error x\"\n\
         /system script add name=ha_config_base source=\":global haPassword \\\"{HIDDEN}\\\"\"\n\
         /ppp secret add name=HA_PASSWORD password=\"{HIDDEN}\"\n\
         /log warning \"ha_startup: START\"\n/log error \"ha_startup: FAILED - DATA PORTS CLOSED\"\n"
    );
    let router = LineRouter::with("", &setup);
    let url = router.urls()[0].clone();
    // what was logged before the start is gone with it
    router
        .exec(&url, "/log warning \"ha_startup: START\"; /log error \"ha_startup: FAILED - DATA PORTS CLOSED\"")
        .expect(0);
    let mut urls: Vec<String> = router.urls().into();
    let server = ser2net("a_failed_startup_is_left_with_its_evidence_and_bundled", &router, "telnet(rfc2217=true),tcp");
    urls.extend(server.iter().map(|(_, port)| format!("rfc2217://127.0.0.1:{port}")));
    for (number, url) in urls.iter().enumerate() {
        let known = plan(&router, url, &["leave"]);
        let ended = router.jumplead(&["recover", url, "leave", "--confirm", &known]).expect(0);
        assert!(ended.err.contains("Done   nothing was changed on the router"), "{}", ended.err);
        let file = router.folder.path().join(format!("bundle-{number}.txt"));
        router.jumplead(&["bundle", url, "--output", &file.display().to_string()]).expect(0);
        owners_alone(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("FAILED - DATA PORTS CLOSED") && text.contains("==== /export"), "{text}");
        assert!(!text.contains("MISSING"), "{text}");
        assert_eq!(leak::found(text.as_bytes(), &[HIDDEN]), None);
        router.jumplead(&["bundle", url, "--output", &file.display().to_string()]).refused(2, "bundle.exists");
    }
    let runs = router.folder.path().join("state/jumplead/runs");
    let saved: Vec<_> = std::fs::read_dir(runs).unwrap().map(|run| run.unwrap().path().join("evidence.txt")).collect();
    assert_eq!(saved.len(), urls.len());
    saved.iter().for_each(|file| owners_alone(file));
    assert!(leak::none_below(&router.folder.path().join("state"), &[HIDDEN]) > urls.len());
}

/// An erased router whose bootstrap waits in vain, over each kind of line: the tool is killed at a step, another one each time,
/// and goes on to the end.
#[test]
fn a_stuck_bootstrap_is_finished_over_each_kind_of_line_with_the_tool_killed() {
    let router = LineRouter::start();
    let [pty, _, tcp] = router.urls();
    let config = router.folder.path().join("config/jumplead");
    std::fs::create_dir_all(&config).unwrap();
    let site = jumplead_tests::site::edge_1("mac://74:4D:28:0A:00:01%lo")
        .replace("reach = [\"via:a\"]", "reach = [\"via:a\"]\npassword = \"env:EDGE1_B\"");
    std::fs::write(config.join("edge-1.toml"), site).unwrap();
    let server = ser2net("a_stuck_bootstrap_is_finished_over_each_kind_of_line", &router, "telnet(rfc2217=true),tcp");
    let mut cases = vec![(pty.clone(), "router.evidence"), (tcp, "router.bootstrap")];
    cases.extend(server.iter().map(|(_, port)| (format!("rfc2217://127.0.0.1:{port}"), "router.end-job")));
    // F7: the active's configuration lies there since yesterday
    router.exec(&pty, "/system backup save name=HA_b2s dont-encrypt=yes").expect(0);
    router.exec(&pty, "/system clock set date=2027-01-01").expect(0);
    for (url, _) in &cases {
        let seen = router.jumplead(&["diagnose", url]).expect(0);
        assert!(seen.out.starts_with("F7  "), "{url}: {seen:?}");
    }
    // What is to be typed next names the router as it was named, with all that was typed beside it.
    for beside in
        [&["--as", "edge-1/b"][..], &["--user", "admin", "--password", "env:JUMPLEAD_PASSWORD", "--take-over"]]
    {
        let mut seen = with_secrets(&router, &[&["recover", &pty][..], beside].concat());
        let seen = Ended::from(seen.output().unwrap()).expect(0);
        let typed = beside.join(" ");
        let next = seen.err.lines().find(|line| line.contains("Next:")).unwrap_or_default();
        assert!(next.ends_with(&format!(" {typed} --plan-only")) && next.contains(&pty), "{}", seen.err);
    }
    router.exec(&pty, "/file remove [find name~\"HA_b2s\"]").expect(0);
    for (url, step) in &cases {
        router
            .exec(
                url,
                ":for i from=1 to=3 do={:log error \"ha_startup: 0.0 B bootstrap failed...waiting\"}; :execute \":while (true) do={:delay 1}\"",
            )
            .expect(0);
        killed_and_gone_on_with(&router, url, step);
        let asked = "[:len [/user find name=ha]] . [:len [/ip address find address=\"169.254.23.2/24\"]] . \
                     [:len [/file find name~\"HA_jumplead\"]] . [:len [/system script job find where type!=\"login\"]]";
        let seen = router.exec(url, &format!(":put ({asked})")).expect(0);
        // this very line may be a job
        assert!(seen.out.starts_with("110"), "{url}: {}", seen.out);
        router.exec(url, "/user remove ha; /ip address remove [find]").expect(0);
    }
    assert!(leak::none_below(&router.folder.path().join("state"), &[HA_PASSWORD]) > 2);
}

/// A command that finds what the site file refers to.
fn with_secrets(router: &LineRouter, words: &[&str]) -> Command {
    let mut command = router.command(words);
    command.env("EDGE1_A", "none").env("EDGE1_B", PASSWORD).env("EDGE1_HA", HA_PASSWORD);
    command
}

/// Runs it until `step` is begun, and kills it there.
#[track_caller]
fn killed_at(command: &mut std::process::Command, step: &str) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut seen, mut space) = (String::new(), [0; 4096]);
    let out = child.stdout.as_mut().unwrap();
    while !seen.contains(&format!("\"step_started\",\"step\":\"{step}\"")) {
        let count = out.read(&mut space).unwrap();
        assert!(count > 0, "{step} was not begun: {seen}");
        seen.push_str(&String::from_utf8_lossy(&space[..count]));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Runs the rescue until `step` is begun, kills it there, and goes on.
#[track_caller]
fn killed_and_gone_on_with(router: &LineRouter, url: &str, step: &str) {
    let run = |words: &[&str]| with_secrets(router, words);
    let words = ["recover", url, "finish-bootstrap", "--as", "edge-1/b"];
    let planned: Ended = run(&[&words[..], &["--plan-only"]].concat()).output().unwrap().into();
    let planned = planned.expect(0);
    // a console server may keep what is typed; a port of this host does not
    let overheard = format!("then stands in the logs of {url}");
    let by_a_server = !url.starts_with("serial://");
    assert_eq!(planned.out.contains(&overheard), by_a_server, "{url}: {}", planned.out);
    let known = fingerprint(&planned);
    killed_at(&mut run(&[&words[..], &["--json", "--confirm", &known]].concat()), step);
    let ended: Ended = run(&["resume"]).output().unwrap().into();
    let ended = ended.expect(0);
    assert!(ended.err.contains("Proved "), "{url}: {}", ended.err);
    assert_eq!(ended.err.contains(&overheard), by_a_server, "{url}: {}", ended.err);
}

/// From the menu, and from a formatted storage: RouterOS comes from the BOOT port, with the configuration that there is.
#[test]
fn a_board_is_installed_over_the_network_over_each_kind_of_line() {
    let setup = format!("/user set [find name=admin] password=\"{PASSWORD}\"\n/system identity set name=kept\n");
    let router = LineRouter::with("", &setup);
    let [pty, rfc2217, tcp] = router.urls();
    let tool = netinstall_stand_in(router.folder.path(), "", &router.boot_server);
    let package = router.folder.path().join("routeros-7.19.4-tile.npk");
    std::fs::write(&package, "x").unwrap();
    let package = package.display().to_string();
    let given = ["netinstall", "--netinstall", &tool, "--package", &package, "--boot-interface", "lo"];
    let install = |url: &str| {
        let known = plan(&router, url, &given);
        let ended = router.jumplead(&[&["recover", url][..], &given, &["--confirm", &known]].concat()).expect(0);
        for words in ["Proved ", "Sent reboot command", "when it is up:  jumplead bootstrap PAIR --plan-only"] {
            assert!(ended.err.contains(words), "{url}: {words} is not in {}", ended.err);
        }
    };
    let says = |url: &str| {
        let asked = ":put ([/system identity get name] . \" \" . [/system resource get version] . \" \" . [:len [/ip address find]])";
        router.exec(url, asked).expect(0).out.trim().to_owned()
    };
    router.into_the_loader();
    install(&tcp);
    assert_eq!(says(&pty), "kept 7.19.4 (stable) 0");
    // the next start is from its storage again
    router.exec(&pty, ":execute \":delay 1; /system reboot\"").expect(0);
    std::thread::sleep(std::time::Duration::from_secs(3));
    router.answers(&pty);
    // nobody answers on the port: it starts from its storage, and that is no installation
    router.into_the_loader();
    let nobody = router.folder.path().join("nobody");
    std::fs::copy(&tool, &nobody).unwrap();
    std::fs::write(&nobody, "#!/bin/sh\nexec sleep 60\n").unwrap();
    let nobody = nobody.display().to_string();
    let given_nobody = ["netinstall", "--netinstall", &nobody, "--package", &package, "--boot-interface", "lo"];
    let known = plan(&router, &pty, &given_nobody);
    let ended = router.jumplead(&[&["recover", &pty][..], &given_nobody, &["--confirm", &known]].concat());
    assert!(ended.err.contains("error[recover.not-installed]"), "{ended:?}");
    // by hand, the menu only
    router.into_the_loader();
    let mut by_hand =
        std::process::Command::new(&tool).args(["-i", "lo", &package]).stdout(Stdio::piped()).spawn().unwrap();
    let known = plan(&router, &pty, &["etherboot"]);
    let ended = router.jumplead(&["recover", &pty, "etherboot", "--confirm", &known]).expect(0);
    assert!(ended.err.contains("when it is up:  jumplead bootstrap PAIR --plan-only"), "{}", ended.err);
    assert!(by_hand.wait().unwrap().success());
    assert_eq!(says(&rfc2217), "kept 7.19.4 (stable) 0");
    router.format();
    let server =
        ser2net("a_board_is_installed_over_the_network_over_each_kind_of_line", &router, "telnet(rfc2217=true),tcp");
    install(&server.as_ref().map_or(rfc2217, |(_, port)| format!("rfc2217://127.0.0.1:{port}")));
    let fresh =
        router.command(&["exec", &pty, "--", ":put [/system identity get name]"]).env("JUMPLEAD_PASSWORD", "").output();
    assert_eq!(Ended::from(fresh.unwrap()).expect(0).out.trim(), "MikroTik");
}

/// What comes behind these words, to the end of their line.
#[track_caller]
fn said_behind<'a>(text: &'a str, words: &str) -> &'a str {
    let at = text.find(words).unwrap_or_else(|| panic!("no {words:?} in {text}")) + words.len();
    text[at..].lines().next().unwrap().trim()
}

/// Every line that is printed to be typed carries what was given, several packages and a name with a space among it.
#[test]
fn the_line_that_is_printed_does_the_plan_as_it_stands() {
    let router = LineRouter::start();
    let pty = router.urls()[0].clone();
    let folder = router.folder.path();
    let real = netinstall_stand_in(folder, "", &router.boot_server);
    let (tool, had) = (folder.join("my netinstall"), folder.join("argv"));
    std::fs::copy(&real, &tool).unwrap();
    std::fs::write(&tool, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\nexec '{real}' \"$@\"\n", had.display()))
        .unwrap();
    let files = ["routeros-7.19.4-tile.npk", "container-7.19.4-tile.npk"].map(|name| {
        let file = folder.join(name);
        std::fs::write(&file, "x").unwrap();
        file.display().to_string()
    });
    router.into_the_loader();
    let tool = tool.display().to_string();
    let given = [
        "recover",
        &pty,
        "netinstall",
        "--netinstall",
        &tool,
        "--package",
        &files[0],
        "--package",
        &files[1],
        "--boot-interface",
        "lo",
        "--architecture",
        "tile",
        "--user",
        "admin",
        "--password",
        "env:JUMPLEAD_PASSWORD",
        "--take-over",
    ];
    let asked = router.jumplead(&[&given[..], &["--non-interactive"]].concat()).refused(2, "recover.confirm");
    let hint = said_behind(&asked.err, "go ahead with exactly this plan:  ").to_owned();
    let dry = router.jumplead(&[&given[..], &["--dry-run"]].concat()).expect(0);
    let again = said_behind(&dry.err, "next:  ").to_owned();
    let planned = router.jumplead(&[&given[..], &["--plan-only"]].concat()).expect(0);
    assert!(planned.out.contains(&format!("'{tool}' -i lo {} {}", files[0], files[1])), "{}", planned.out);
    let next = said_behind(&planned.err, "Nothing was changed. Next:  ");
    assert_eq!(next, hint);
    assert_eq!(next, format!("{again} --confirm {}", fingerprint(&planned)));
    let ended = router.paste(next).expect(0);
    assert!(ended.err.contains("Proved ") && ended.err.contains("Sent reboot command"), "{}", ended.err);
    assert_eq!(std::fs::read_to_string(had).unwrap(), format!("-i\nlo\n{}\n{}\n", files[0], files[1]));
}

/// A run of another user goes on as that user, without being told again.
#[test]
fn a_run_goes_on_as_whom_it_was_begun() {
    let router = LineRouter::with(
        "",
        &format!(
            "/user set [find name=admin] password=\"{PASSWORD}\"\n/user add name=joe group=full password=\"{HIDDEN}\"\n"
        ),
    );
    let pty = router.urls()[0].clone();
    let words = ["recover", &pty, "leave", "--user", "joe", "--password", "env:JOE"];
    let run = |words: &[&str]| {
        let mut command = router.command(words);
        command.env("JOE", HIDDEN).env("JUMPLEAD_PASSWORD", "none of his");
        command
    };
    let planned = Ended::from(run(&[&words[..], &["--plan-only"]].concat()).output().unwrap()).expect(0);
    let known = fingerprint(&planned);
    // What a command says may be secret, and its words are in no journal: the line that is printed has them, once.
    let said = ["recover", &pty, "leave", "--user", "joe", "--password", "cmd:printenv JOE", "--plan-only"];
    let said = Ended::from(run(&said).output().unwrap()).expect(0);
    let next = said_behind(&said.err, "Nothing was changed. Next:  ");
    assert!(next.contains("--password 'cmd:printenv JOE'") && next.matches("--password").count() == 1, "{next}");
    let mut command = run(&[&words[..], &["--json", "--confirm", &known]].concat());
    killed_at(&mut command, "router.evidence");
    let ended = Ended::from(run(&["resume"]).output().unwrap()).expect(0);
    assert!(ended.err.contains("Done   nothing was changed on the router"), "{}", ended.err);
    assert!(leak::none_below(&router.folder.path().join("state"), &[HIDDEN]) > 1);
}

/// The host's end of the BOOT port's cable is looked at before anything is asked or touched.
#[test]
fn the_boot_ports_cable_is_looked_at_first() {
    if !available("the_boot_ports_cable_is_looked_at_first", &["ip"]) {
        return;
    }
    let router = LineRouter::start();
    let pty = router.urls()[0].clone();
    let tool = netinstall_stand_in(router.folder.path(), "", &router.boot_server);
    let package = router.folder.path().join("routeros-7.19.4-tile.npk");
    std::fs::write(&package, "x").unwrap();
    let package = package.display().to_string();
    router.into_the_loader();
    let (host, board) = (Namespace::new("boot-host").unwrap(), Namespace::new("boot-board").unwrap());
    veth((&host, "boot0", None), (&board, "ether1", None)).unwrap();
    let run = |interface: &str, procedure: &[&str]| -> Ended {
        let mut command = host.command(&jumplead().display().to_string());
        isolate(&mut command, router.folder.path());
        command.args(["recover", &pty]).args(procedure).args(["--boot-interface", interface, "--plan-only"]);
        command.env("JUMPLEAD_PASSWORD", PASSWORD).output().unwrap().into()
    };
    let install = ["netinstall", "--netinstall", &tool, "--package", &package];
    for procedure in [&install[..], &["etherboot"]] {
        for (interface, why) in [("nowhere0", "no interface nowhere0"), ("../lo", "no interface ../lo")] {
            let refused = run(interface, procedure).refused(2, "recover.netinstall");
            assert!(refused.err.contains(why), "{}", refused.err);
        }
        let well = run("boot0", procedure).expect(0);
        assert!(!well.err.contains("carrier"), "{}", well.err);
        assert!(board.run("ip", &["link", "set", "ether1", "down"]).unwrap().status.success());
        let doubted = run("boot0", procedure).expect(0);
        assert!(doubted.err.contains("boot0 has no carrier: is its cable in"), "{}", doubted.err);
        assert!(host.run("ip", &["link", "set", "boot0", "down"]).unwrap().status.success());
        let off = run("boot0", procedure).refused(2, "recover.netinstall");
        assert!(off.err.contains("ip link set boot0 up"), "{}", off.err);
        for (namespace, interface) in [(&host, "boot0"), (&board, "ether1")] {
            assert!(namespace.run("ip", &["link", "set", interface, "up"]).unwrap().status.success());
        }
    }
}

/// Its kernel loads and dies: named as that, the announced key typed into the next window of its boot loader, RouterOS installed.
#[test]
fn a_board_in_a_loop_is_installed_over_each_kind_of_line() {
    std::thread::scope(|scope| {
        for way in 0..3 {
            scope.spawn(move || a_board_in_a_loop_is_installed(way));
        }
    });
}

fn a_board_in_a_loop_is_installed(way: usize) {
    let setup = format!("/user set [find name=admin] password=\"{PASSWORD}\"\n/system identity set name=kept\n");
    let router = LineRouter::in_a_loop(&setup);
    let (mut url, mut _between) = (router.urls()[way].clone(), None);
    if way == 1 {
        let server =
            ser2net("a_board_in_a_loop_is_installed_over_each_kind_of_line", &router, "telnet(rfc2217=true),tcp");
        let Some((process, port)) = server else { return };
        (url, _between) = (format!("rfc2217://127.0.0.1:{port}"), Some(process));
    }
    let seen = router.jumplead(&["diagnose", &url]).expect(0);
    assert!(seen.out.contains("F8") && seen.out.contains("boot loop"), "{url}: {seen:?}");
    let tool = netinstall_stand_in(router.folder.path(), "", &router.boot_server);
    let package = router.folder.path().join("routeros-7.19.4-tile.npk");
    std::fs::write(&package, "x").unwrap();
    let package = package.display().to_string();
    let given = ["netinstall", "--netinstall", &tool, "--package", &package, "--boot-interface", "lo"];
    let planned = router.jumplead(&[&["recover", &url][..], &given, &["--plan-only"]].concat()).expect(0);
    let known = fingerprint(&planned);
    let typed = given.join(" ");
    assert!(planned.err.contains(&format!("jumplead recover {url} {typed} --confirm {known}")), "{}", planned.err);
    let ended = router.jumplead(&[&["recover", &url][..], &given, &["--confirm", &known]].concat()).expect(0);
    assert!(ended.err.contains("Proved ") && ended.err.contains("Sent reboot command"), "{url}: {}", ended.err);
    let asked = ":put ([/system identity get name] . \" \" . [/system resource get version])";
    assert_eq!(router.exec(&url, asked).expect(0).out.trim(), "kept 7.19.4 (stable)", "{url}");
}

/// The member of a pair whose storage is empty: installed over the network, and bootstrapped to the proved standby, with nothing
/// but its serial line and the BOOT port's cable.
#[test]
fn a_formatted_member_is_installed_over_the_network_and_bootstrapped() {
    if !available("a_formatted_member_is_installed_over_the_network_and_bootstrapped", &["ip", "bash"]) {
        return;
    }
    let pair = Pair::new(&Settings { b_boot: true, ..Settings::default() });
    pair.site_reaching(&[&pair.line_b()], "ether8", "74:4D:28:00:00:0B", "7F0002");
    pair.exec("edge-1/b", ":execute \":delay 5; /system reboot\"").expect(0);
    let line = pair.folder.path().join("b.line");
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap();
    let mut line = std::fs::OpenOptions::new().read(true).write(true).custom_flags(flags).open(line).unwrap();
    noise_until_the_menu(&mut line);
    format_and_leave(&mut line);
    drop(line);
    let connects = format!("ip netns exec {}", pair.b.name());
    let tool = netinstall_stand_in(pair.folder.path(), &connects, BOOT_SERVER);
    let package = pair.folder.path().join("routeros-7.18.2-tile.npk");
    std::fs::write(&package, "x").unwrap();
    let package = package.display().to_string();
    let words =
        ["recover", "edge-1/b", "netinstall", "--netinstall", &tool, "--package", &package, "--boot-interface", "lo"];
    let known = fingerprint(&pair.jumplead(&[&words[..], &["--plan-only"]].concat()).expect(0));
    let ended = silent(pair.jumplead(&[&words[..], &["--confirm", &known]].concat())).expect(0);
    // Nobody is there to be asked: the bootstrap is picked up as far as its plan.
    assert!(ended.err.contains("The bootstrap of edge-1 is next"), "{}", ended.err);
    let known = fingerprint(&ended);
    silent(pair.jumplead(&["bootstrap", "edge-1", "--confirm", &known])).expect(0);
    proved(&pair);
}

/// A wrong place for a password, a missing program, an architecture that is not the board's: said before a byte is typed.
#[test]
fn what_is_missing_is_said_before_anything_is_touched() {
    let router = LineRouter::start();
    let url = router.urls()[0].clone();
    for url in router.urls() {
        let says = router.jumplead(&["recover", &url, "password"]).expect(0);
        assert!(says.out.contains("Protected RouterBOOT") && says.out.contains("Device-mode"), "{}", says.out);
    }
    router
        .jumplead(&["recover", &url, "netinstall", "--netinstall", "/nowhere/netinstall-cli", "--package", "x"])
        .refused(2, "recover.netinstall");
    router.into_the_loader();
    let needs = router.jumplead(&["recover", &url, "netinstall", "--plan-only"]).refused(5, "recover.netinstall");
    assert!(needs.err.contains("-tile.npk") && needs.err.contains("BOOT"), "{}", needs.err);
    let package = router.folder.path().join("routeros-7.18.2-arm.npk");
    std::fs::write(&package, "x").unwrap();
    let tool = router.folder.path().join("tool");
    std::fs::write(&tool, "#!/bin/sh\nexit 0\n").unwrap();
    let (tool, package) = (tool.display().to_string(), package.display().to_string());
    let words = ["recover", &url, "netinstall", "--netinstall", &tool, "--package", &package, "--boot-interface", "lo"];
    router.jumplead(&words).refused(5, "recover.package");
    let known = plan(&router, &url, &["leave-loader"]);
    router.jumplead(&["recover", &url, "leave-loader", "--confirm", &known]).expect(0);
}
