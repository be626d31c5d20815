//! Files as the rest of the router uses them: with events, clock and the storage's rules.

use super::core::System;
use super::files::{Refusal, clean};
use crate::record::EventKind;

impl System {
    /// Makes or replaces a file.
    pub fn write_file(&self, name: &str, contents: Vec<u8>) -> Result<(), Refusal> {
        let name = clean(name).ok_or(Refusal::NotFound)?;
        let size = contents.len();
        let unix = self.unix_time();
        self.storage.borrow_mut().files.write(self.kernel.now(), unix, name, contents)?;
        self.note(EventKind::FileWritten { name: name.to_owned(), size });
        Ok(())
    }

    /// Contents of a file.
    pub fn read_file(&self, name: &str) -> Option<Vec<u8>> {
        let storage = self.storage.borrow();
        let file = storage.files.get(clean(name)?)?;
        (!file.directory).then(|| file.contents.clone())
    }

    /// Removes a file or an empty directory.
    pub fn remove_file(&self, name: &str) -> Result<(), Refusal> {
        let name = clean(name).ok_or(Refusal::NotFound)?;
        self.storage.borrow_mut().files.remove(self.kernel.now(), name)?;
        self.note(EventKind::FileRemoved { name: name.to_owned() });
        Ok(())
    }

    /// Gives a file another name.
    pub fn rename_file(&self, from: &str, to: &str) -> Result<(), Refusal> {
        self.storage.borrow_mut().files.rename(self.kernel.now(), from, to)
    }

    /// Makes a directory and those on the way to it.
    pub fn make_directory(&self, name: &str) -> Result<(), Refusal> {
        let unix = self.unix_time();
        self.storage.borrow_mut().files.make_directory(self.kernel.now(), unix, name)
    }

    /// Writes a file after the delay that background writers have.
    pub fn write_file_later(self: &std::rc::Rc<Self>, name: String, contents: impl FnOnce(&Self) -> Vec<u8> + 'static) {
        let sys = std::rc::Rc::clone(self);
        let delay = std::time::Duration::from_millis(u64::from(self.quirks.background_file_ms));
        self.kernel.spawn(format!("write {name}"), async move {
            sys.kernel.sleep(delay).await;
            let contents = contents(&sys);
            let step = std::time::Duration::from_millis(u64::from(sys.quirks.export_grows_ms));
            if !step.is_zero() && name.ends_with(".rsc") {
                for part in [0, contents.len() / 2] {
                    // what there is no room for shows at the end
                    let _ = sys.write_file(&name, contents.get(..part).unwrap_or_default().to_vec());
                    sys.kernel.sleep(step).await;
                }
            }
            if sys.write_file(&name, contents).is_err() {
                sys.log("system,error", &format!("could not write {name}"));
            }
        });
    }
}
