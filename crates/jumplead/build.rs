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
        // heap and stack still lie at random addresses, and unsafe code is in `main` alone.
        println!("cargo::rustc-link-arg-bins=-no-pie");
        link_unwinder();
        order_functions();
    }
}

/// Puts the functions of a quick command side by side: they lie all over nine megabytes otherwise, and each piece of 64 KB
/// that is touched for the first time costs a page fault. Only lld, the linker that Rust brings, takes such a list.
fn order_functions() {
    println!("cargo::rerun-if-changed=start.order");
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let argument = format!("-Wl,--symbol-ordering-file={here}/start.order,--no-warn-symbol-ordering");
    if links(&argument) {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

/// Whether the linker that will link us takes an argument: it links an empty program.
fn links(argument: &str) -> bool {
    let var = |name| std::env::var(name).ok();
    let (Some(rustc), Some(target), Some(out)) = (var("RUSTC"), var("TARGET"), var("OUT_DIR")) else { return false };
    let source = format!("{out}/empty.rs");
    let mut command = std::process::Command::new(rustc);
    command.args([&source, "--target", &target, "-o", &format!("{out}/empty"), &format!("-Clink-arg={argument}")]);
    if let Some(linker) = var("RUSTC_LINKER") {
        command.arg(format!("-Clinker={linker}"));
    }
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    command.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    std::fs::write(&source, "fn main() {}").is_ok() && command.output().is_ok_and(|ended| ended.status.success())
}

/// Puts the compiler's unwinder into the binary, as a static binary has it, where the compiler has it as an archive: the
/// shared one asks the processor for its features when it is loaded, which costs a virtual machine a tenth of a
/// millisecond.
fn link_unwinder() {
    println!("cargo::rerun-if-env-changed=CC");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let Ok(asked) = std::process::Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output() else { return };
    let path = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    // A compiler that does not have it says the name alone.
    if let Some(folder) = std::path::Path::new(&path).parent().filter(|folder| folder.is_absolute()) {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static=gcc_eh");
    }
}
