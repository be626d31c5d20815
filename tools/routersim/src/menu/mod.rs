//! Menus: tables of properties, the generic engine that works on them, and the commands that are no table.

pub mod catalog;
pub mod commands;
mod config;
pub mod def;
mod dispatch;
mod export;
mod generic;
mod hooks;
mod items;
pub mod kind;
pub mod print;
mod quote;
mod refused;
mod row;
mod screen;
mod six;
pub mod tables;
pub mod time;
mod told;
mod unmodelled;
mod values;

pub use config::{Config, Item, MAX_ITEMS};
pub use def::Menu;
pub use export::ExportForm;
pub use hooks::{Hooks, Named};
pub use items::Args;
pub use quote::quote_word;
pub use refused::Refused;
pub use row::Row;
pub use screen::Screen;
