//! The table of rescues, state by road: each cell names the tests that show it, and a cell that no test shows says so.
//! `UPDATE_RESCUES=1` writes docs/rescues.md.

use std::collections::BTreeSet;

const SIM: &str = include_str!("recover_on_sim.rs");
const LIMITS: &str = include_str!("recover_limits_on_sim.rs");
const VIA: &str = include_str!("recover_via_serial.rs");
const PROCESSES: &str = include_str!("recover_processes.rs");
const LINES: &str = include_str!("recover_on_lines.rs");
const LOOPS: &str = include_str!("boot_loop_on_sim.rs");
const KILLED: &str = include_str!("board_killed_on_sim.rs");
/// What only names states.
const NAMES: &str = include_str!("diagnose_on_sim.rs");
/// What happens to pairs, and what does not.
const HAPPENS: &str = include_str!("ha_failures_on_routers.rs");
/// What those found.
const FOUND: &str = include_str!("../../docs/failures.md");

/// Roads, in the order of the columns.
const ROADS: [&str; 6] = [
    "HA cable, simulated",
    "serial line, simulated",
    "serial port of a, simulated",
    "pty",
    "ser2net, RFC 2217",
    "raw TCP",
];

use Cell::{Cannot, Hand, Named, Refused, Rescued};

/// What a state comes to over a road.
#[derive(Clone, Copy)]
enum Cell {
    /// Brought back, with the proof.
    Rescued(&'static [&'static str]),
    /// `diagnose` says what it is; no procedure is here for it.
    Named(&'static [&'static str]),
    /// A person beside the router: this road can't.
    Hand(&'static [&'static str]),
    /// It is refused over this road, which another one does.
    Refused(&'static [&'static str]),
    /// What makes it happen elsewhere does not make it happen here.
    Cannot,
}

impl Cell {
    fn word(self) -> &'static str {
        match self {
            Rescued(_) => "*rescued*",
            Named(_) => "*named*",
            Hand(_) => "*needs a hand*",
            Refused(_) => "*refused*",
            Cannot => "*cannot occur*",
        }
    }

    fn tests(self) -> &'static [&'static str] {
        match self {
            Rescued(tests) | Named(tests) | Hand(tests) | Refused(tests) => tests,
            Cannot => HAPPEN,
        }
    }
}

const OURS: &[&str] =
    &["rescues_of_our_scripts_over_each_kind_of_line", "a_failed_startup_is_left_with_its_evidence_and_bundled"];
const STAND_INS: &[&str] = &["rescues_of_stand_ins_over_each_kind_of_line"];
const STUCK: &[&str] = &["a_stuck_bootstrap_is_finished_over_each_kind_of_line_with_the_tool_killed"];
const LOADER: &[&str] = &["out_of_the_loader_over_each_kind_of_line"];
const INSTALLED: &[&str] = &["a_board_is_installed_over_the_network_over_each_kind_of_line"];
const INSTALLED_PTY: &[&str] = &[
    "a_board_is_installed_over_the_network_over_each_kind_of_line",
    "a_formatted_member_is_installed_over_the_network_and_bootstrapped",
];
const LOOPING: &[&str] = &["a_board_in_a_loop_is_installed_over_each_kind_of_line"];
const OUT_OF_REACH: &[&str] = &["over_the_ha_cable_a_boot_loader_is_out_of_reach"];
const SAID: &[&str] = &["what_is_missing_is_said_before_anything_is_touched"];

/// One road all along: from an erased router through what befalls a standby.
const STAND_INS_ON_A: &[&str] = &["on_a_serial_port_of_the_active_stand_ins_are_rescued"];
const TWICE: &[&str] = &["twice_the_same_failure_is_quarantined_and_never_restarted"];
const TWICE_ON_A: &[&str] = &["on_a_serial_port_of_the_active_twice_the_same_failure_is_quarantined"];
const HAPPEN: &[&str] = &["the_table_of_failures_is_what_happens"];
const ON_A: &[&str] = &["on_a_serial_port_of_the_active_each_state_is_named_and_rescued"];
const LOADER_ON_A: &[&str] = &["on_a_serial_port_of_the_active_a_boot_loader_is_named_and_left"];

const FAILURES: &[&str] = &["failures_of_a_member"];
const ON_ITS_WAY: &[&str] = &["a_configuration_on_its_way_and_one_that_is_not_loaded"];

const STATES: [(&str, &str, [Cell; 6]); 21] = [
    (
        "F1, ours",
        "`repair`, `known-good`, `quarantine`, `leave`",
        [
            Rescued(&[
                "f1_is_repaired_in_place_and_the_active_says_so",
                "f1_loads_the_standbys_own_backup_and_no_other_unasked",
                "f1_loads_the_actives_backup_where_its_window_is_accepted",
                "the_cable_is_pulled_at_every_step_before_it_is_in_service",
                "f1_is_left_as_it_is_with_its_evidence",
            ]),
            Rescued(&[
                "f1_is_repaired_in_place_and_the_active_says_so",
                "killed_at_every_step_and_gone_on_with",
                "left_as_it_is_with_the_tool_killed_and_the_line_pulled",
            ]),
            Rescued(ON_A),
            Rescued(OURS),
            Rescued(OURS),
            Rescued(OURS),
        ],
    ),
    (
        "F1, stand-in",
        "`repair`, by hand's lines; over the cable `known-good` with the active's backup, too",
        [
            Rescued(&[
                "f1_of_another_build_is_repaired_by_hand",
                "f1_loads_the_actives_backup_where_its_window_is_accepted",
            ]),
            Rescued(&["f1_of_another_build_is_repaired_by_hand"]),
            Rescued(STAND_INS_ON_A),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
        ],
    ),
    (
        "F1 twice, ours",
        "`quarantine`; no third start",
        [Rescued(TWICE), Rescued(TWICE), Rescued(TWICE_ON_A), Rescued(OURS), Rescued(OURS), Rescued(OURS)],
    ),
    (
        "F1 twice, stand-in",
        "`quarantine`; no third start",
        [
            Rescued(TWICE),
            Rescued(TWICE),
            Rescued(TWICE_ON_A),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
        ],
    ),
    (
        "F2, ours",
        "`right-mac`",
        [
            Rescued(&["f2_gets_the_address_that_the_site_file_proves"]),
            Rescued(&["f2_gets_the_address_that_the_site_file_proves"]),
            Rescued(ON_A),
            Rescued(OURS),
            Rescued(OURS),
            Rescued(OURS),
        ],
    ),
    (
        "F2, stand-in's loop",
        "held in its window; `right-mac`; on the simulated serial line `quarantine`, too",
        [
            Rescued(&["f2_of_another_build_is_held_in_its_window"]),
            Rescued(&["f2_of_another_build_is_held_in_its_window"]),
            Rescued(STAND_INS_ON_A),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
        ],
    ),
    ("F2's loop, ours", "it stays up with closed ports", [Cannot; 6]),
    (
        "F3",
        "the console process died (on real lines: the startup was run again, which is what it does then); no procedure yet",
        [Named(FAILURES), Named(FAILURES), Named(ON_A), Named(OURS), Named(OURS), Named(OURS)],
    ),
    ("F3, ours: the active closes", "a console that was started anew is told from a start", [Cannot; 6]),
    (
        "F4",
        "two actives, the HA cable dead: one that is looked at says that only a look at both shows it; no procedure yet",
        [Named(FAILURES), Named(FAILURES), Named(ON_A), Named(OURS), Named(OURS), Named(OURS)],
    ),
    (
        "F5",
        "shows on the active, whose own roads are meant (its MAC, its line); no procedure yet",
        [Named(FAILURES), Named(FAILURES), Named(ON_A), Named(OURS), Named(OURS), Named(OURS)],
    ),
    ("F5, ours: pushed for ever", "two pushes at most, then `PAUSED`", [Cannot; 6]),
    (
        "F6, stand-in",
        "`finish-bootstrap`",
        [
            Rescued(&["f6_is_finished_for_the_job_that_waits_in_vain"]),
            Rescued(&["f6_is_finished_for_the_job_that_waits_in_vain"]),
            Rescued(ON_A),
            Rescued(STUCK),
            Rescued(STUCK),
            Rescued(STUCK),
        ],
    ),
    ("F6, ours", "the bootstrap ends and says why", [Cannot; 6]),
    (
        "F7",
        "no procedure yet",
        [Named(ON_ITS_WAY), Named(ON_ITS_WAY), Named(ON_A), Named(STUCK), Named(STUCK), Named(STUCK)],
    ),
    ("F7, ours: refused unseen", "version and model are compared before anything is sent", [Cannot; 6]),
    (
        "F8, it starts again and again",
        "`etherboot` catches the boot loader's window; `netinstall` behind it",
        [
            Hand(OUT_OF_REACH),
            Rescued(&[
                "etherboot_is_reached_from_the_loop",
                "etherboot_with_the_line_pulled",
                "killed_around_the_window_and_gone_on_with",
                "a_window_that_is_missed_is_waited_for_again",
                "a_boot_loader_that_wants_delete_or_hears_nothing",
                "a_board_in_a_loop_is_installed",
            ]),
            Rescued(LOADER_ON_A),
            Rescued(LOOPING),
            Rescued(LOOPING),
            Rescued(LOOPING),
        ],
    ),
    (
        "F8, in the boot loader's menu",
        "`leave-loader`; a boot loader speaks on its serial line only",
        [
            Hand(OUT_OF_REACH),
            Rescued(&["out_of_the_loader_with_the_tool_killed_and_the_line_pulled"]),
            Rescued(LOADER_ON_A),
            Rescued(LOADER),
            Rescued(LOADER),
            Rescued(LOADER),
        ],
    ),
    (
        "F8, the same, or nothing to boot from",
        "`netinstall` with a stand-in of netinstall-cli; on the pty `etherboot` and the `bootstrap` behind it, too",
        [
            Hand(OUT_OF_REACH),
            Rescued(&["installed_from_the_menu_with_the_tool_killed_and_the_line_pulled"]),
            Rescued(&["on_a_serial_port_of_the_active_a_board_is_installed"]),
            Rescued(INSTALLED_PTY),
            Rescued(INSTALLED),
            Rescued(INSTALLED),
        ],
    ),
    (
        "standby whose HA password stands in a log",
        "`ha-password`; where a console server would hear the new one it is refused",
        [
            Rescued(&["another_ha_password_over_the_ha_cable"]),
            Rescued(&["another_ha_password_over_the_ha_cable"]),
            Rescued(&["on_a_serial_port_of_the_active_another_ha_password"]),
            Rescued(&["another_ha_password_over_a_port"]),
            Refused(&["another_ha_password_is_not_said_where_it_is_heard"]),
            Refused(&["another_ha_password_is_not_said_where_it_is_heard"]),
        ],
    ),
    (
        "forgotten password",
        "`password` says what is possible and what it costs",
        [
            Hand(OUT_OF_REACH),
            Hand(&["what_an_earlier_run_saved_is_known"]),
            Hand(LOADER_ON_A),
            Hand(SAID),
            Hand(SAID),
            Hand(SAID),
        ],
    ),
];

/// What a test is made of.
fn body(sources: &str, test: &str) -> String {
    let (_, rest) = sources.split_once(&format!("#[test]\nfn {test}()")).unwrap();
    rest.split_once("\n}\n").unwrap().0.to_owned()
}

/// The words by which a test takes the road of this column. Whole files have one: a board without a pair has its serial line
/// alone, and what goes by way of a's port says so once.
fn takes(column: usize, test: &str, sources: &str) -> bool {
    let has = |source: &str| source.contains(&format!("#[test]\nfn {test}()"));
    let body = body(sources, test);
    let any = |words: &[&str]| words.iter().any(|word| body.contains(word));
    match column {
        0 => any(&["ROADS", "None)", "on_each_road", "Topology::BehindA"]),
        1 => has(LOOPS) || has(KILLED) || any(&["ROADS", "serial:///dev/b", "on_each_road"]),
        2 => has(VIA),
        3 => any(&["over_each(", ".urls()", "for way in 0..3", "Way::Port", "serial://"]),
        4 => any(&["over_each(", ".urls()", "for way in 0..3", "Way::ALL", "rfc2217://"]),
        _ => any(&["over_each(", ".urls()", "for way in 0..3", "Way::ALL", "tcp://"]),
    }
}

#[test]
fn the_table_of_rescues_is_what_tests_show() {
    let sources = [SIM, LIMITS, VIA, PROCESSES, LINES, LOOPS, KILLED, NAMES, HAPPENS].concat();
    let mut shown = BTreeSet::new();
    let mut table = format!("| state | how | {} |\n|---|---|{}\n", ROADS.join(" | "), "---|".repeat(ROADS.len()));
    for (state, how, cells) in STATES {
        // A cell that says what is so names the test that shows it.
        assert!(cells.iter().all(|cell| !cell.tests().is_empty()), "{state}");
        if cells.iter().any(|cell| matches!(cell, Cannot)) {
            let found = FOUND.lines().find(|line| line.starts_with(&format!("| {} ", &state[..2]))).unwrap();
            assert_eq!(found.split('|').nth(3).map(str::trim), Some("*cannot*"), "{state}: {found}");
        }
        for test in cells.iter().flat_map(|cell| cell.tests()) {
            assert!(sources.contains(&format!("#[test]\nfn {test}()")), "{state}: there is no test {test}");
            shown.insert(*test);
        }
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !matches!(cell, Cannot)) {
            let taken = cell.tests().iter().any(|test| takes(column, test, &sources));
            assert!(taken, "{state}, {}: none of {:?} takes this road", ROADS[column], cell.tests());
        }
        let words: Vec<&str> = cells.iter().map(|cell| cell.word()).collect();
        table.push_str(&format!("| {state} | {how} | {} |\n", words.join(" | ")));
    }
    // what no cell stands on must be about something else than a state
    let rescues = [SIM, LIMITS, VIA, PROCESSES, LINES].concat();
    let all = rescues.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap_or_default());
    let other: Vec<&str> = all.filter(|test| !shown.contains(test)).collect();
    let nothing_rescued = [
        "a_quarantine_is_known_and_left_by_the_ways_that_it_names",
        "a_silent_boot_is_in_the_plan_and_waited_out",
        "the_wrong_router_is_never_rescued",
        "an_active_is_not_rescued_by_a_run_that_goes_on",
        "hostile_words_are_only_words_in_the_evidence",
        "a_port_of_the_active_that_somebody_has_is_waited_for",
        "the_line_that_is_printed_does_the_plan_as_it_stands",
        "a_run_goes_on_as_whom_it_was_begun",
        "the_boot_ports_cable_is_looked_at_first",
    ];
    assert_eq!(other, nothing_rescued);
    let head = "# Rescues of one router\n\n`tests/tests/recover_table.rs` writes this page with `UPDATE_RESCUES=1`. Each *rescued* is what a test shows: of\n`recover_on_sim.rs`, `recover_limits_on_sim.rs`, `recover_via_serial.rs`, `boot_loop_on_sim.rs` and `board_killed_on_sim.rs` with simulated\nrouters, of `recover_processes.rs` and `recover_on_lines.rs` with the real binary (in the second killed in one step, and its line pulled in\nanother); `rescue_killed_on_sim.rs` and `board_killed_on_sim.rs` kill the tool and pull the line in each step. *named*: `diagnose` says what it is; *needs a hand*: over this road nothing can be done; *refused*: the tool\ndoes not do it over this road, and names one over which it does; *cannot occur*: what makes it happen elsewhere does not with our scripts, see\n[failures.md](failures.md).\nThe serial port of a has b's console at the other end of a null-modem cable: `via:a?port=usb1`.\nF3, F4, F5 and F7 concern the active or both routers: no procedure is here for them yet, and F4 shows on both only. The network installation was tried with a stand-in of netinstall-cli and the simulator's board: how the line looks\nbetween `Waiting for installation server...` and the next start is not known.\n\n";
    let page = format!("{head}{table}");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rescues.md");
    if std::env::var_os("UPDATE_RESCUES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page);
}
