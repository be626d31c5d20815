//! What the whole-system tests share: the real binaries, an environment of their own, a pair of simulated routers on
//! real interfaces, and the search for secrets.

pub mod binary;
pub mod leak;
pub mod pair;
