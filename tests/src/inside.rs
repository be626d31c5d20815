//! Our own code inside a network namespace.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;

use lab::netns::Namespace;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Moves the calling thread into the namespace, for good: give it a thread of its own.
///
/// # Errors
/// The namespace is gone, or there is no right to enter it.
pub fn enter(name: &str) -> io::Result<()> {
    let namespace = File::open(format!("/run/netns/{name}"))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
    Ok(())
}

/// Runs `work` inside, on a thread and a tokio runtime of its own, to its end.
///
/// # Panics
/// The namespace cannot be entered, or `work` panics.
pub fn inside<T: Send, F: Future<Output = T>>(namespace: &Namespace, work: impl FnOnce() -> F + Send) -> T {
    let name = namespace.name();
    let run = move || {
        enter(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("{error}")).block_on(work())
    };
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
