//! How the released binary is linked.

#![allow(clippy::print_stdout)] // it is how a build script speaks to cargo

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if release && linux && gnu {
        // Loaded where it was linked: some ten thousand relocations, and a hundred pages that each of them would
        // touch, are a fifth of what a quick command takes from its start to the router's first prompt. Libraries,
        // heap and stack still lie at random addresses, and nothing here is unsafe.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
