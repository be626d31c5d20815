//! Files on a router: names, sizes, reading. Writing is [`crate::put`].

use crate::error::Error;
use crate::shell::{Command, Shell};
use crate::text::quote;
use crate::value::{Value, parse_spelled, spell_statement};
use routeros_script::Version;
use std::time::Duration;

/// What `contents` takes on RouterOS 6. A long-standing figure without a primary source \[inferred\].
pub const LIMIT_V6: usize = 4095;
/// What `contents` takes on RouterOS 7: 60 KB by the manual.
pub const LIMIT_V7: usize = 60 * 1024;
/// The first version with `/file add` \[manual\].
pub(crate) const FILE_ADD: Version = Version::new(7, 9, 0);
/// RouterOS 6 makes files in the background, "up to 2 s later" \[field\].
const APPEARS: Duration = Duration::from_secs(8);
const APPEARS_STEP: Duration = Duration::from_millis(250);
/// Attempts to read a file: a log line may have been pushed into the answer.
const READS: usize = 3;
/// For a file of the greatest size to be spelled out by a slow router.
const SPELL: Duration = Duration::from_secs(180);
/// Longest name.
const MAX_NAME: usize = 120;

/// A file that this project may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// One of ours: `HA_jumplead_...`, also below `flash/`. No other name leaves the pair's own synchronisation alone.
    ///
    /// # Errors
    /// [`Error::FileName`] for any other name.
    pub fn ours(name: &str) -> Result<Self, Error> {
        let base = name.strip_prefix("flash/").unwrap_or(name);
        if !base.starts_with("HA_jumplead_") {
            return Err(Error::FileName { name: name.into(), why: "is not HA_jumplead_*".into() });
        }
        Self::explicit(name)
    }

    /// Another name that the caller's plan names.
    ///
    /// # Errors
    /// [`Error::FileName`] for names that would need care in a search or a menu.
    pub fn explicit(name: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Err(Error::FileName { name: name.chars().take(MAX_NAME).collect(), why: why.into() });
        if name.is_empty() || name.len() > MAX_NAME {
            return wrong("is empty or too long");
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)) {
            return wrong("holds more than letters, digits, `.`, `_`, `-` and `/`");
        }
        if name.starts_with('/') || name.split('/').any(|part| part.is_empty() || part == "..") {
            return wrong("is no plain path");
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The most that one file may hold on this version.
pub fn size_limit(version: Version) -> usize {
    if version < FILE_ADD { LIMIT_V6 } else { LIMIT_V7 }
}

pub(crate) fn find(name: &str) -> String {
    format!("[/file find name={}]", quote(name))
}

impl Shell {
    /// Makes an empty file of this name, unless there is one.
    pub(crate) async fn make_file(&self, name: &FileName, version: Version) -> Result<(), Error> {
        if self.file_exists(name.as_str()).await? {
            return Ok(());
        }
        let quoted = |name: &str| quote(name);
        if version >= FILE_ADD {
            self.run(format!("/file add name={} contents=\"\"", quoted(&name.0))).await?;
        } else if let Some(stem) = name.0.strip_suffix(".txt") {
            // `print file=` appends `.txt` to the name.
            self.run(format!("/file print file={}", quoted(stem))).await?;
        } else if let Some(stem) = name.0.strip_suffix(".rsc") {
            // So does `export` with `.rsc`. The smallest menu is exported: no secret gets into the file.
            self.run(format!("/system identity export file={}", quoted(stem))).await?;
        } else {
            return Err(Error::FileName {
                name: name.0.clone(),
                why: format!("RouterOS {version} makes only *.txt and *.rsc files from a console"),
            });
        }
        let start = tokio::time::Instant::now();
        while !self.file_exists(name.as_str()).await? {
            if start.elapsed() > APPEARS {
                return Err(Error::NoFile { name: name.0.clone() });
            }
            tokio::time::sleep(APPEARS_STEP).await;
        }
        Ok(())
    }

    /// Whether there is a file of this name.
    ///
    /// # Errors
    /// As [`Shell::run`].
    pub async fn file_exists(&self, name: &str) -> Result<bool, Error> {
        let output = self.run(format!(":put [:len {}]", find(name))).await?;
        match output.text.trim() {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(Error::Garbled { what: format!("whether there is {name}"), seen: output.text }),
        }
    }

    /// Reads a file's exact content. RouterOS gives no content of files above [`size_limit`].
    ///
    /// # Errors
    /// [`Error::NoFile`] and those of [`Shell::value`].
    pub async fn read_file(&self, name: &str) -> Result<Vec<u8>, Error> {
        if !self.file_exists(name).await? {
            return Err(Error::NoFile { name: name.to_owned() });
        }
        let content = self.spell(&format!("[/file get {} contents]", find(name)), true).await?;
        let size = self.run(format!(":put [/file get {} size]", find(name))).await?;
        if size.text.trim() != content.bytes.len().to_string() {
            return Err(Error::Garbled {
                what: format!("the content of {name} ({} bytes by its size)", size.text.trim()),
                seen: format!("{} bytes", content.bytes.len()),
            });
        }
        Ok(content.bytes)
    }

    /// Removes a file; no error where there is none.
    ///
    /// # Errors
    /// As [`Shell::run`].
    pub async fn remove_file(&self, name: &FileName) -> Result<(), Error> {
        if self.file_exists(name.as_str()).await? {
            self.run(format!("/file remove {}", find(name.as_str()))).await?;
        }
        Ok(())
    }

    /// The value of an expression in numbers: slow, exact.
    pub(crate) async fn spell(&self, expression: &str, private: bool) -> Result<Value, Error> {
        let statement = spell_statement(expression);
        let mut length = 0;
        for _ in 0..READS {
            let command = Command { timeout: Some(SPELL), private, ..Command::new(statement.clone()) };
            let output = self.read(command).await?.done()?;
            if let Some(value) = parse_spelled(&output) {
                return Ok(value);
            }
            length = output.text.len();
        }
        // Not the text: a value may be a secret.
        Err(Error::Garbled { what: expression.to_owned(), seen: format!("{length} bytes") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["HA_jumplead_x.rsc", "flash/HA_jumplead_x.txt"] {
            assert_eq!(FileName::ours(name).unwrap().as_str(), name);
        }
        for name in ["HA_b2s.backup", "x/HA_jumplead_y", "HA_jumplead_\"x", "HA_jumplead_/../y", "HA_jumplead_a b"] {
            assert!(matches!(FileName::ours(name), Err(Error::FileName { .. })), "{name}");
        }
        assert!(FileName::explicit("HA_bootstrap.rsc").is_ok());
        assert!(FileName::explicit("").is_err());
        assert!(FileName::explicit("/x").is_err());
    }

    #[test]
    fn limits_by_version() {
        assert_eq!(size_limit(Version::new(6, 44, 6)), LIMIT_V6);
        assert_eq!(size_limit(Version::new(7, 18, 2)), LIMIT_V7);
    }
}
