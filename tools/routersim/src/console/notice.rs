//! Text that comes into sessions from elsewhere: critical log lines (the stock rule
//! `topics=critical action=echo`) and chat.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use crate::record::SessionId;

/// Notices kept for one session that does not read them (it is never idle); the oldest go first.
const MAX_WAITING: usize = 64;

/// One line of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogLine {
    /// Date and time as `/log print` of the version shows them, e.g. `2025-07-21 17:18:42`.
    pub stamp: String,
    /// The clock's time, `17:18:42`.
    pub clock: String,
    /// `system,error,critical`
    pub topics: String,
    /// `login failure for user admin via local`
    pub message: String,
}

/// Something for the screens of open sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A line that the logging action `echo` shows.
    Log(LogLine),
    /// A `#` line of a user.
    Chat {
        /// Who.
        user: String,
        /// What.
        text: Vec<u8>,
    },
    /// A session's safe mode was taken over by another user.
    SafeModeLost {
        /// The session that held it.
        session: SessionId,
    },
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    waker: Option<Waker>,
}

/// Where notices are published; clones are the same board.
#[derive(Clone, Default)]
pub struct Notices(Rc<RefCell<Vec<Weak<RefCell<Queue>>>>>);

impl Notices {
    /// No session listens yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a notice to every session that listens.
    pub fn publish(&self, notice: Notice) {
        self.0.borrow_mut().retain(|queue| {
            let Some(queue) = queue.upgrade() else { return false };
            let mut queue = queue.borrow_mut();
            if queue.waiting.len() == MAX_WAITING {
                queue.waiting.pop_front();
            }
            queue.waiting.push_back(notice.clone());
            if let Some(waker) = queue.waker.take() {
                waker.wake();
            }
            true
        });
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> Feed {
        let queue = Rc::new(RefCell::new(Queue::default()));
        self.0.borrow_mut().push(Rc::downgrade(&queue));
        Feed(queue)
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notices({} listen)", self.0.borrow().len())
    }
}

/// One session's ear.
pub struct Feed(Rc<RefCell<Queue>>);

impl Feed {
    /// Ready when a notice waits; it is not taken.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.0.borrow_mut();
        if queue.waiting.is_empty() {
            queue.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Takes the oldest.
    pub(super) fn take(&self) -> Option<Notice> {
        self.0.borrow_mut().waiting.pop_front()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feed({} wait)", self.0.borrow().waiting.len())
    }
}
