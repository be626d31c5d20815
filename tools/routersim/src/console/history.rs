//! The inputs of one session, to be recalled.

/// Inputs kept.
const MAX_INPUTS: usize = 100;

/// Inputs longer than this are not kept: a pasted file would stay in memory a hundredfold.
const MAX_INPUT: usize = 16 * 1024;

/// Past inputs, oldest first, and where the arrow keys stand.
#[derive(Debug, Default)]
pub(super) struct History {
    inputs: Vec<Vec<u8>>,
    /// Index of the recalled input.
    at: Option<usize>,
    /// What was being typed when the arrows began.
    draft: Vec<u8>,
}

impl History {
    /// Keeps an input, unless it is the last one again.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.leave();
        if text.len() > MAX_INPUT || self.inputs.last().is_some_and(|last| last == text) {
            return;
        }
        if self.inputs.len() == MAX_INPUTS {
            self.inputs.remove(0);
        }
        self.inputs.push(text.to_vec());
    }

    /// The one before; `draft` is kept for the way back.
    pub(super) fn up(&mut self, draft: &[u8]) -> Option<Vec<u8>> {
        let to = match self.at {
            None => {
                self.draft = draft.to_vec();
                self.inputs.len().checked_sub(1)?
            }
            Some(at) => at.checked_sub(1)?,
        };
        self.at = Some(to);
        self.inputs.get(to).cloned()
    }

    /// The one after, at last the draft.
    pub(super) fn down(&mut self) -> Option<Vec<u8>> {
        let to = self.at? + 1;
        if let Some(input) = self.inputs.get(to) {
            self.at = Some(to);
            return Some(input.clone());
        }
        self.at = None;
        Some(std::mem::take(&mut self.draft))
    }

    /// The arrows are done with.
    pub(super) fn leave(&mut self) {
        self.at = None;
        self.draft.clear();
    }

    /// How many lines the recalled input has, if more than one.
    pub(super) fn recalled_lines(&self) -> Option<usize> {
        let input = self.inputs.get(self.at?)?;
        let lines = input.split(|byte| *byte == b'\n').count();
        (lines > 1).then_some(lines)
    }
}
