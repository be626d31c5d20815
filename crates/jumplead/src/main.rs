//! The program, see the library.
//!
//! With the GNU C library on Linux it begins at C's `main`. Rust's own start reads `/proc/self/maps`, to be able to say
//! that a stack overflowed, and that is what a quick command would notice (docs/benchmarks.md); the rest of it is done
//! here. The only unsafe code of the workspace.

#![cfg_attr(all(target_os = "linux", target_env = "gnu", not(test)), no_main)]

// A test's harness is begun by Rust.
#[cfg(not(all(target_os = "linux", target_env = "gnu", not(test))))]
fn main() -> std::process::ExitCode {
    jumplead::main().into()
}

#[cfg(all(target_os = "linux", target_env = "gnu", not(test)))]
mod start {
    #![allow(unsafe_code)]

    use std::os::fd::IntoRawFd;

    use rustix::fs::{Mode, OFlags};

    /// What a process that panicked ends with.
    const PANICKED: i32 = 101;
    /// What the C library makes of the heap at its first use. A command up to its first prompt needs about as much.
    const HEAP: usize = 132 << 10;

    // SAFETY: C's start calls the symbol with this signature, once, and nothing else of the program has its name. The
    // words are read by the standard library itself, before.
    #[unsafe(no_mangle)]
    extern "C" fn main(_count: libc::c_int, _words: *const *const libc::c_char) -> libc::c_int {
        standard_descriptors();
        // A reader who went away is an error of the write, not the end of the process.
        // SAFETY: no other thread exists yet, and to ignore a signal runs no code.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        heap();
        let code = std::panic::catch_unwind(jumplead::main).map_or(PANICKED, i32::from);
        // Writes what is buffered, as Rust's own end does.
        std::process::exit(code)
    }

    /// A descriptor that our parent closed would be the number of the next socket, and messages would go to it.
    fn standard_descriptors() {
        for descriptor in [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()] {
            if rustix::io::fcntl_getfd(descriptor).is_err() {
                // Open for as long as the process is, and for what it starts.
                match rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()) {
                    Ok(null) => _ = null.into_raw_fd(),
                    Err(_) => std::process::abort(),
                }
            }
        }
    }

    /// Has the kernel give the heap's first pages in one go, instead of at thirty faults.
    fn heap() {
        let first = std::hint::black_box(Box::new(0_u8));
        let page = (&raw const *first).addr() & !0xfff;
        // SAFETY: 0 asks where the heap ends and moves nothing.
        let end = unsafe { libc::sbrk(0) };
        // A heap that is elsewhere, or bigger, is left alone. It is not asked for a bigger one: with any such wish of its
        // user the library stops to learn which blocks are better mapped.
        if let Some(length @ 1..=HEAP) = end.addr().checked_sub(page) {
            // SAFETY: all of it is the heap's, mapped just now. The advice changes no contents; kernels before 5.14 do
            // not know it, and refuse.
            unsafe { libc::madvise(end.wrapping_byte_sub(length), length, libc::MADV_POPULATE_WRITE) };
        }
    }
}
