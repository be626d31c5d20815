//! Wires, faults and pairs: worlds of simulated routers, in one process or in network namespaces.
//!
//! A [`World`] holds nodes ([`Node`]: a simulated router is one), switches and hosts on wires, and
//! plays them in order of time. Everything that happens follows from the nodes and one seed.

mod host;
mod hub;
pub mod netns;
mod node;
pub mod pair;
pub mod serial;
mod switch;
mod tap;
mod wire;
mod world;

pub use hub::Hub;
pub use mactelnet::faults::Faults;
pub use node::Node;
pub use switch::{Move, Speaker};
pub use tap::{Direction, Tap, Tapped};
pub use wire::{CutAfter, End, HostId, NodeId, SwitchId, WireId};
pub use world::{CABLE, NodeHandle, WireHandle, World};

#[cfg(test)]
mod tests;
