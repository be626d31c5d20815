//! What the whole-system tests and benchmarks share: the real binaries, an environment of their own, a pair of simulated
//! routers on real interfaces, the search for secrets; foreign programs in network namespaces, and ours for them.

pub mod binary;
pub mod boot_port;
pub mod c_server;
pub mod conformance;
pub mod console_server;
pub mod disk;
pub mod first_prompt;
pub mod ha_pair;
pub mod inside;
pub mod leak;
pub mod line_process;
pub mod noisy_line;
pub mod our_server;
pub mod pair;
pub mod relay;
pub mod rescue;
pub mod router_process;
pub mod run;
pub mod site;
pub mod startup_race;
pub mod states;
pub mod terminal;
pub mod twins;
