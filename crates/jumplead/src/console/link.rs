//! A link as a terminal sees it: a line has more than bytes, and may come back.

use std::pin::Pin;
use std::time::Duration;

use routeros::ByteLink as _;

/// How long an adapter that was unplugged, or a server that closed, is waited for.
const REOPEN: Duration = Duration::from_secs(24 * 3600);
/// Longer than a character at 300 bits a second.
const BREAK: Duration = Duration::from_millis(300);

/// Something that an operator must know before the next key: it ends when it is learnt that somebody else may answer here,
/// too, and says who.
pub type Alarm = Pin<Box<dyn Future<Output = String>>>;

/// Of a link at whose end there is one router, whoever announces what.
pub fn no_alarm() -> Alarm {
    Box::pin(std::future::pending())
}

/// What the menu does to a link. Whoever has no such thing says so, and nothing is wrong.
pub trait Attached: routeros::ByteLink {
    /// Sends a break. False: this link has none.
    async fn send_break(&mut self) -> std::io::Result<bool> {
        Ok(false)
    }

    /// Another speed. False: this link has none, or not from here.
    async fn set_baud(&mut self, _baud: u32) -> std::io::Result<bool> {
        Ok(false)
    }

    /// Sets DTR, RTS. False: this link has none.
    async fn set_wires(&mut self, _dtr: Option<bool>, _rts: Option<bool>) -> std::io::Result<bool> {
        Ok(false)
    }

    /// DTR and RTS as they were opened: the kernel raises both.
    fn wires(&self) -> (bool, bool) {
        (true, true)
    }

    /// Waits until the link is there again. False: it is over.
    async fn reopen(&mut self) -> bool {
        false
    }

    /// Where it is and how it stands.
    fn state(&mut self) -> String {
        self.describe()
    }

    /// Whether a console server hears what is typed.
    fn overheard(&self) -> bool {
        false
    }

    /// Whether a session on it outlives this program: a line has no hang-up.
    fn stays(&self) -> bool {
        false
    }

    /// What is told of it beside its bytes, since the last call.
    fn news(&mut self) -> Vec<String> {
        Vec::new()
    }
}

impl Attached for crate::mac_road::MacLink {}

impl Attached for routeros::Attached {
    fn overheard(&self) -> bool {
        crate::line_road::overheard(&self.describe())
    }
}

impl Attached for routeros::SerialTerminal {
    fn stays(&self) -> bool {
        true
    }

    async fn send_break(&mut self) -> std::io::Result<bool> {
        self.send_break().map(|()| true)
    }
}

impl Attached for crate::line_road::LineLink {
    async fn send_break(&mut self) -> std::io::Result<bool> {
        self.send_break(BREAK).await
    }

    async fn set_baud(&mut self, baud: u32) -> std::io::Result<bool> {
        self.set_baud(baud).await
    }

    async fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> std::io::Result<bool> {
        self.set_wires(dtr, rts).await
    }

    fn wires(&self) -> (bool, bool) {
        let asked = self.asked_wires();
        (asked.dtr.unwrap_or(true), asked.rts.unwrap_or(true))
    }

    async fn reopen(&mut self) -> bool {
        self.reopen(REOPEN).await.is_ok()
    }

    fn state(&mut self) -> String {
        self.state()
    }

    fn overheard(&self) -> bool {
        self.overheard()
    }

    fn stays(&self) -> bool {
        true
    }

    fn news(&mut self) -> Vec<String> {
        self.news()
    }
}
