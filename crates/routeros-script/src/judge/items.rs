//! The statements of a block on their way into the form.

/// Statements of a block, in their order.
///
/// A statement that is `[...]` takes all that stands before it in its block into itself. So what was taken is one text
/// that only grows at its end, and what has to stand in front of it is kept apart until the block is whole: a block of
/// such statements would else be copied once for each of them.
#[derive(Default)]
pub(super) struct Items {
    /// What opens before `taken`, the innermost first.
    opened: Vec<&'static str>,
    /// The last call, with everything that it took.
    taken: Option<String>,
    behind: Vec<String>,
}

impl Items {
    pub(super) fn push(&mut self, item: String) {
        self.behind.push(item);
    }

    /// Appends the statements of brackets.
    pub(super) fn append(&mut self, inner: Self) {
        if self.taken.is_none() && self.behind.is_empty() {
            *self = inner;
        } else {
            let Self { opened, taken, behind } = inner;
            self.behind.extend(taken.map(|taken| front(&opened) + &taken));
            self.behind.extend(behind);
        }
    }

    /// Makes everything so far the callee of a call; `args` is what stands behind it, to the closing bracket.
    pub(super) fn call(&mut self, args: &str) {
        let alone = self.behind.len() + usize::from(self.taken.is_some()) == 1;
        if !alone {
            self.opened.push("(evl ");
        }
        self.opened.push("(<%% ");
        let mut pieces = std::mem::take(&mut self.behind).into_iter();
        let mut text = self.taken.take().or_else(|| pieces.next()).unwrap_or_default();
        for piece in pieces {
            text.push(';');
            text.push_str(&piece);
        }
        if !alone {
            text.push(')');
        }
        text.push_str(args);
        self.taken = Some(text);
    }

    pub(super) fn join(self, between: &str) -> String {
        let mut text = front(&self.opened);
        let mut first = true;
        for piece in self.taken.into_iter().chain(self.behind) {
            if !std::mem::take(&mut first) {
                text.push_str(between);
            }
            text.push_str(&piece);
        }
        text
    }
}

/// Openings, the outermost first.
fn front(opened: &[&str]) -> String {
    opened.iter().rev().copied().collect()
}
