//! The table of rescues, state by road: each cell names the tests that show it, and a cell that no test shows says so.
//! `UPDATE_RESCUES=1` writes docs/rescues.md.

use std::collections::BTreeSet;

const SIM: &str = include_str!("recover_on_sim.rs");
const PROCESSES: &str = include_str!("recover_processes.rs");
const LINES: &str = include_str!("recover_on_lines.rs");
const LOOPS: &str = include_str!("boot_loop_on_sim.rs");
/// What only names states.
const NAMES: &str = include_str!("diagnose_on_sim.rs");

/// Roads, in the order of the columns.
const ROADS: [&str; 5] = ["HA cable, simulated", "serial line, simulated", "pty", "ser2net, RFC 2217", "raw TCP"];

use Cell::{Hand, Named, Rescued, Untried};

/// What a state comes to over a road.
#[derive(Clone, Copy)]
enum Cell {
    /// Brought back, with the proof.
    Rescued(&'static [&'static str]),
    /// `diagnose` says what it is; no procedure is here for it.
    Named(&'static [&'static str]),
    /// A person beside the router: this road can't.
    Hand(&'static [&'static str]),
    /// Nobody has tried.
    Untried,
}

impl Cell {
    fn word(self) -> &'static str {
        match self {
            Rescued(_) => "*rescued*",
            Named(_) => "*named*",
            Hand(_) => "*needs a hand*",
            Untried => "not tried",
        }
    }

    fn tests(self) -> &'static [&'static str] {
        match self {
            Rescued(tests) | Named(tests) | Hand(tests) => tests,
            Untried => &[],
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
const OUT_OF_REACH: &[&str] = &["over_the_ha_cable_a_boot_loader_is_out_of_reach"];
const SAID: &[&str] = &["what_is_missing_is_said_before_anything_is_touched"];

const FAILURES: &[&str] = &["failures_of_a_member"];
const ON_ITS_WAY: &[&str] = &["a_configuration_on_its_way_and_one_that_is_not_loaded"];

const STATES: [(&str, &str, [Cell; 5]); 14] = [
    (
        "F1, ours",
        "`repair`, `known-good`, `quarantine`, `leave`",
        [
            Rescued(&[
                "f1_is_repaired_in_place_and_the_active_says_so",
                "f1_loads_the_standbys_own_backup_and_no_other_unasked",
                "the_cable_is_pulled_at_every_step_before_it_is_in_service",
                "f1_is_left_as_it_is_with_its_evidence",
            ]),
            Rescued(&[
                "f1_is_repaired_in_place_and_the_active_says_so",
                "killed_at_every_step_and_gone_on_with",
                "left_as_it_is_with_the_tool_killed_and_the_line_pulled",
            ]),
            Rescued(OURS),
            Rescued(OURS),
            Rescued(OURS),
        ],
    ),
    (
        "F1, stand-in",
        "`repair`, by hand's lines",
        [
            Rescued(&["f1_of_another_build_is_repaired_by_hand"]),
            Rescued(&["f1_of_another_build_is_repaired_by_hand"]),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
        ],
    ),
    (
        "F1 twice, stand-in",
        "`quarantine`; no third start",
        [
            Rescued(&["twice_the_same_failure_is_quarantined_and_never_restarted"]),
            Rescued(&["twice_the_same_failure_is_quarantined_and_never_restarted"]),
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
            Rescued(STAND_INS),
            Rescued(STAND_INS),
            Rescued(STAND_INS),
        ],
    ),
    ("F3", "the console process died; no procedure yet", [Named(FAILURES), Untried, Untried, Untried, Untried]),
    ("F5", "seen on the active; no procedure yet", [Named(FAILURES), Untried, Untried, Untried, Untried]),
    (
        "F6, stand-in",
        "`finish-bootstrap`",
        [
            Rescued(&["f6_is_finished_for_the_job_that_waits_in_vain"]),
            Rescued(&["f6_is_finished_for_the_job_that_waits_in_vain"]),
            Rescued(STUCK),
            Rescued(STUCK),
            Rescued(STUCK),
        ],
    ),
    ("F7", "no procedure yet", [Named(ON_ITS_WAY), Untried, Untried, Untried, Untried]),
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
            Untried,
            Untried,
            Untried,
        ],
    ),
    (
        "F8, in the boot loader's menu",
        "`leave-loader`; a boot loader speaks on its serial line only",
        [
            Hand(OUT_OF_REACH),
            Rescued(&["out_of_the_loader_with_the_tool_killed_and_the_line_pulled"]),
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
            Untried,
            Hand(&["another_ha_password_is_not_said_where_it_is_heard"]),
            Hand(&["another_ha_password_is_not_said_where_it_is_heard"]),
        ],
    ),
    (
        "forgotten password",
        "`password` says what is possible and what it costs",
        [Hand(OUT_OF_REACH), Hand(&["what_an_earlier_run_saved_is_known"]), Hand(SAID), Hand(SAID), Hand(SAID)],
    ),
];

#[test]
fn the_table_of_rescues_is_what_tests_show() {
    let sources = [SIM, PROCESSES, LINES, LOOPS, NAMES].concat();
    let mut shown = BTreeSet::new();
    let mut table = format!("| state | how | {} |\n|---|---|{}\n", ROADS.join(" | "), "---|".repeat(ROADS.len()));
    for (state, how, cells) in STATES {
        // A cell that says what is so names the test that shows it.
        assert!(cells.iter().all(|cell| matches!(cell, Untried) || !cell.tests().is_empty()), "{state}");
        for test in cells.iter().flat_map(|cell| cell.tests()) {
            assert!(sources.contains(&format!("#[test]\nfn {test}()")), "{state}: there is no test {test}");
            shown.insert(*test);
        }
        let words: Vec<&str> = cells.iter().map(|cell| cell.word()).collect();
        table.push_str(&format!("| {state} | {how} | {} |\n", words.join(" | ")));
    }
    // what no cell stands on must be about something else than a state
    let rescues = [SIM, PROCESSES, LINES].concat();
    let all = rescues.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap_or_default());
    let other: Vec<&str> = all.filter(|test| !shown.contains(test)).collect();
    let nothing_rescued = [
        "a_silent_boot_is_in_the_plan_and_waited_out",
        "the_wrong_router_is_never_rescued",
        "hostile_words_are_only_words_in_the_evidence",
    ];
    assert_eq!(other, nothing_rescued);
    let head = "# Rescues of one router\n\n`tests/tests/recover_table.rs` writes this page with `UPDATE_RESCUES=1`. Each *rescued* is what a test of\n`recover_on_sim.rs` and `boot_loop_on_sim.rs` (simulated routers), `recover_processes.rs` or `recover_on_lines.rs` (the real binary; in the\nsecond killed in one step, and its line pulled in another) shows; *needs a hand*: over this road\nnothing can be done; *not tried*: no test shows it. *named*: `diagnose` says what it is.\nF3, F4, F5 and F7 concern the active or both routers: no procedure is here for them yet, and F4 shows on both only. The network installation was tried with a stand-in of netinstall-cli and the simulator's board: how the line looks\nbetween `Waiting for installation server...` and the next start is not known.\n\n";
    let page = format!("{head}{table}");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rescues.md");
    if std::env::var_os("UPDATE_RESCUES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page);
}
