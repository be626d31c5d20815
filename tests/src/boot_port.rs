//! A stand-in of netinstall-cli on the cable of a simulated router's BOOT port.

use std::time::Duration;

use bootstrap::recover::{ToolEnd, Tools};
use bootstrap::road::LocalFuture;
use bootstrap::trouble::Trouble;
use lab::NodeHandle;
use routersim::router::{Installation, Keep, Router};

/// Waits there, and installs whoever asks.
#[derive(Debug)]
pub struct Netinstall(pub NodeHandle<Router>);

impl Tools for Netinstall {
    fn run<'a>(&'a self, argv: &'a [String]) -> LocalFuture<'a, Result<ToolEnd, Trouble>> {
        Box::pin(async move {
            let package = argv.last().cloned().unwrap_or_default();
            self.0.with(|router, now| {
                let offer = Installation::of(router, &package, Keep::Old);
                router.offer_installation(now, offer);
            });
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let told = self.0.with(|router, _| router.take_told());
                if told.iter().any(|told| format!("{told:?}") == "Done") {
                    self.0.with(|router, now| router.offer_installation(now, None));
                    return Ok(ToolEnd { ok: true, said: "Sent reboot command".into() });
                }
            }
        })
    }
}
