//! Short forms for plain tables.

use crate::menu::def::{Prop, prop};
use crate::menu::kind::Kind;

/// `yes` unless set.
pub(super) const fn yes(name: &'static str) -> Prop {
    prop(name, Kind::Bool).or("yes")
}

/// `no` unless set.
pub(super) const fn no(name: &'static str) -> Prop {
    prop(name, Kind::Bool).or("no")
}

/// A text that details show without quotes.
pub(super) const fn word(name: &'static str) -> Prop {
    prop(name, Kind::Word)
}

/// A text that details show in quotes.
pub(super) const fn text(name: &'static str) -> Prop {
    prop(name, Kind::Str)
}

/// A duration.
pub(super) const fn time(name: &'static str) -> Prop {
    prop(name, Kind::Time)
}

/// A number that is not negative.
pub(super) const fn count(name: &'static str) -> Prop {
    prop(name, Kind::Num(0, i64::MAX))
}

/// A stored list; what is not said is as in [`super::interface::LIST_MENU`].
macro_rules! list {
    ($vis:vis $name:ident, $path:literal, [$($prop:expr),* $(,)?], columns [$($column:literal),*] $(, $field:ident: $value:expr)*) => {
        $vis static $name: Menu = Menu {
            $($field: $value,)*
            ..Menu {
                path: $path,
                props: &[$($prop),*],
                columns: &[$($column),*],
                id_space: $path,
                ..LIST_MENU
            }
        };
    };
}

/// A menu of one.
macro_rules! single {
    ($name:ident, $path:literal, [$($prop:expr),* $(,)?] $(, $field:ident: $value:expr)*) => {
        static $name: Menu = Menu { path: $path, props: &[$($prop),*], $($field: $value,)* ..SINGLE_MENU };
    };
}

pub(super) use {list, single};
