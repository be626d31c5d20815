//! A terminal on a router, for people.
//!
//! | module | what it does |
//! |---|---|
//! | `keys` | what is typed: for the router, or for the menu behind Ctrl-] |
//! | `map` | line ends and erase keys of other systems |
//! | `view` | what is shown: as it came, with times, or in hexadecimal |
//! | `record` | the lines that passed by: logs, and the search in them |
//! | `paste` | a file typed at the pace at which the router answers |
//! | `status` | the line at the bottom of the terminal |
//! | `asked` | answers the router's question for the kind of terminal |
//! | `outward` | what a held line has not taken yet |
//! | `ready` | signals, logs and who is there, made while the router makes up its mind |
//! | `pump` | moves bytes between the terminal and the link until one of them ends |

pub mod asked;
pub mod keys;
pub mod link;
pub mod map;
pub mod outward;
pub mod paste;
pub mod pump;
pub mod ready;
pub mod record;
pub mod status;
pub mod view;
