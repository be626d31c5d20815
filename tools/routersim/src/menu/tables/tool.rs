//! `/tool` and below.

use super::interface::SINGLE_MENU;
use super::ip::LIST_NAME;
use crate::menu::def::{Menu, prop};
use crate::menu::kind::Kind;

pub(super) static MENUS: &[&Menu] = &[&MAC_SERVER, &MAC_WINBOX, &MAC_PING];

static MAC_SERVER: Menu =
    Menu { path: "/tool/mac-server", props: &[prop("allowed-interface-list", LIST_NAME).or("all")], ..SINGLE_MENU };

static MAC_WINBOX: Menu = Menu {
    path: "/tool/mac-server/mac-winbox",
    props: &[prop("allowed-interface-list", LIST_NAME).or("all")],
    ..SINGLE_MENU
};

static MAC_PING: Menu =
    Menu { path: "/tool/mac-server/ping", props: &[prop("enabled", Kind::Bool).or("yes")], ..SINGLE_MENU };
