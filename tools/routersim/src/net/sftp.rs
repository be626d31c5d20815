//! SFTP, version 3 (draft-ietf-secsh-filexfer-02), on a channel of an SSH connection: the router's files as FTP serves them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::FileError;
use super::host::{NetEvent, NetHost, SshSession};
use super::stack::Net;
use crate::raw;

/// The longest packet that is taken, OpenSSH's own limit.
const MAX_PACKET: usize = 256 * 1024;
/// The most that one answer carries.
const MAX_READ: usize = 32 * 1024;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// Files and directories that a client may hold open; OpenSSH's server has 100.
const MAX_HANDLES: usize = 100;
/// The largest upload: a router's storage.
pub(super) const MAX_UPLOAD: usize = 128 * 1024 * 1024;
/// Names in one answer to a READDIR.
const NAMES: usize = 64;

const VERSION: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;

const READ_FLAG: u32 = 0x01;
const WRITE_FLAG: u32 = 0x02;
const APPEND: u32 = 0x04;
const CREATE: u32 = 0x08;
const TRUNCATE: u32 = 0x10;
const EXCLUSIVE: u32 = 0x20;

/// Why something was not done (section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failed {
    Eof = 1,
    NoSuchFile = 2,
    Denied = 3,
    Failure = 4,
    BadMessage = 5,
    Unsupported = 8,
}

impl Failed {
    fn words(self) -> &'static str {
        match self {
            Self::Eof => "end of file",
            Self::NoSuchFile => "no such file",
            Self::Denied => "permission denied",
            Self::Failure => "failure",
            Self::BadMessage => "bad message",
            Self::Unsupported => "operation unsupported",
        }
    }
}

impl From<FileError> for Failed {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotFound => Self::NoSuchFile,
            FileError::Denied => Self::Denied,
            FileError::NotAFile | FileError::NoSpace => Self::Failure,
        }
    }
}

/// A path as clients give it, as `/file` names it: from the root, without `.` and `..`.
pub(super) fn resolve(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Fields of a packet, big-endian (RFC 4251 section 5).
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Failed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Failed::BadMessage)?;
        self.0 = rest;
        Ok(taken)
    }
    fn u32(&mut self) -> Result<u32, Failed> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| Failed::BadMessage)?))
    }
    fn offset(&mut self) -> Result<usize, Failed> {
        let bytes = self.take(8)?.try_into().map_err(|_| Failed::BadMessage)?;
        usize::try_from(u64::from_be_bytes(bytes)).map_err(|_| Failed::BadMessage)
    }
    fn string(&mut self) -> Result<&'a [u8], Failed> {
        let length = usize::try_from(self.u32()?).map_err(|_| Failed::BadMessage)?;
        self.take(length)
    }
    /// Names are text on a router.
    fn path(&mut self) -> Result<String, Failed> {
        Ok(resolve(&raw::text(self.string()?)))
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

/// Size and mode; the mode is the one that FTP's list shows.
fn attributes(size: u64, directory: bool) -> Vec<u8> {
    let mut out = 0x05_u32.to_be_bytes().to_vec();
    out.extend(size.to_be_bytes());
    out.extend(if directory { 0o040_770_u32 } else { 0o100_660 }.to_be_bytes());
    out
}

enum Open {
    Read { contents: Vec<u8> },
    Write { path: String, contents: Vec<u8>, append: bool },
    Directory { path: String, at: usize },
}

/// One client's files.
pub(super) struct Sftp {
    host: Rc<dyn NetHost>,
    user: String,
    open: BTreeMap<u32, Open>,
    next: u32,
    /// Files that came whole since this was last emptied.
    pub stored: Vec<String>,
}

impl Sftp {
    pub(super) fn new(host: Rc<dyn NetHost>, user: &str) -> Self {
        Self { host, user: user.to_owned(), open: BTreeMap::new(), next: 0, stored: Vec::new() }
    }

    /// The answer to a packet, without lengths.
    pub(super) fn handle(&mut self, packet: &[u8]) -> Vec<u8> {
        let Some((kind, rest)) = packet.split_first() else { return Vec::new() };
        if *kind == 1 {
            return vec![VERSION, 0, 0, 0, 3];
        }
        let mut fields = Fields(rest);
        let Ok(id) = fields.u32() else { return Vec::new() };
        let (kind, body) = match self.request(*kind, &mut fields) {
            Ok(answer) => answer,
            Err(failed) => (STATUS, status(failed as u32, failed.words())),
        };
        let mut answer = vec![kind];
        answer.extend(id.to_be_bytes());
        answer.extend(body);
        answer
    }

    fn request(&mut self, kind: u8, fields: &mut Fields<'_>) -> Result<(u8, Vec<u8>), Failed> {
        let done = Ok((STATUS, status(0, "")));
        match kind {
            3 => self.open_file(fields),
            4 => {
                let open = self.open.remove(&fields.handle()?).ok_or(Failed::BadMessage)?;
                if let Open::Write { path, contents, .. } = open {
                    self.host.write_file(&path, contents, &self.user)?;
                    self.stored.push(path);
                }
                done
            }
            5 => {
                let (handle, offset, length) = (fields.handle()?, fields.offset()?, fields.u32()?);
                let Some(Open::Read { contents }) = self.open.get(&handle) else { return Err(Failed::BadMessage) };
                let rest = contents.get(offset..).filter(|rest| !rest.is_empty()).ok_or(Failed::Eof)?;
                let length = usize::try_from(length).unwrap_or(MAX_READ).min(MAX_READ).min(rest.len());
                let mut body = Vec::new();
                put(&mut body, &rest[..length]);
                Ok((DATA, body))
            }
            6 => {
                let (handle, offset, data) = (fields.handle()?, fields.offset()?, fields.string()?);
                let Some(Open::Write { contents, append, .. }) = self.open.get_mut(&handle) else {
                    return Err(Failed::BadMessage);
                };
                let offset = if *append { contents.len() } else { offset };
                let end = offset.checked_add(data.len()).filter(|end| *end <= MAX_UPLOAD).ok_or(Failed::Failure)?;
                if contents.len() < end {
                    contents.resize(end, 0);
                }
                contents[offset..end].copy_from_slice(data);
                done
            }
            7 | 17 => Ok((ATTRS, self.look(&fields.path()?)?)),
            8 => match self.open.get(&fields.handle()?) {
                Some(Open::Read { contents } | Open::Write { contents, .. }) => {
                    Ok((ATTRS, attributes(contents.len() as u64, false)))
                }
                Some(Open::Directory { .. }) => Ok((ATTRS, attributes(0, true))),
                None => Err(Failed::BadMessage),
            },
            // a router's files have no modes and owners to set: taken, without effect (inferred)
            9 => self.look(&fields.path()?).and(done),
            10 => self.open.get(&fields.handle()?).ok_or(Failed::BadMessage).and(done),
            11 => {
                let path = fields.path()?;
                if !self.host.is_directory(&path) {
                    return Err(Failed::NoSuchFile);
                }
                self.hold(Open::Directory { path, at: 0 })
            }
            12 => self.read_directory(fields.handle()?),
            13 => {
                let path = fields.path()?;
                if self.host.is_directory(&path) {
                    return Err(Failed::Failure);
                }
                self.host.remove_file(&path)?;
                done
            }
            14 => {
                self.host.make_directory(&fields.path()?)?;
                done
            }
            15 => {
                let path = fields.path()?;
                if !self.host.is_directory(&path) {
                    return Err(Failed::NoSuchFile);
                }
                self.host.remove_file(&path)?;
                done
            }
            16 => {
                let path = format!("/{}", fields.path()?);
                let mut body = 1_u32.to_be_bytes().to_vec();
                put(&mut body, &raw::bytes(&path));
                put(&mut body, &raw::bytes(&path));
                body.extend(0_u32.to_be_bytes());
                Ok((NAME, body))
            }
            18 => {
                let (from, to) = (fields.path()?, fields.path()?);
                self.host.rename_file(&from, &to)?;
                done
            }
            _ => Err(Failed::Unsupported),
        }
    }

    fn look(&self, path: &str) -> Result<Vec<u8>, Failed> {
        if self.host.is_directory(path) {
            return Ok(attributes(0, true));
        }
        let contents = self.host.read_file(path).ok_or(Failed::NoSuchFile)?;
        Ok(attributes(contents.len() as u64, false))
    }

    fn hold(&mut self, open: Open) -> Result<(u8, Vec<u8>), Failed> {
        if self.open.len() >= MAX_HANDLES {
            return Err(Failed::Failure);
        }
        self.next = self.next.wrapping_add(1);
        self.open.insert(self.next, open);
        let mut body = Vec::new();
        put(&mut body, &self.next.to_be_bytes());
        Ok((HANDLE, body))
    }

    fn open_file(&mut self, fields: &mut Fields<'_>) -> Result<(u8, Vec<u8>), Failed> {
        let (path, flags) = (fields.path()?, fields.u32()?);
        if self.host.is_directory(&path) {
            return Err(Failed::Failure);
        }
        let old = self.host.read_file(&path);
        if flags & WRITE_FLAG == 0 {
            if flags & READ_FLAG == 0 {
                return Err(Failed::BadMessage);
            }
            return self.hold(Open::Read { contents: old.ok_or(Failed::NoSuchFile)? });
        }
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if !self.host.is_directory(parent) || (old.is_none() && flags & CREATE == 0) {
            return Err(Failed::NoSuchFile);
        }
        if old.is_some() && flags & EXCLUSIVE != 0 {
            return Err(Failed::Failure);
        }
        let contents = old.filter(|_| flags & TRUNCATE == 0).unwrap_or_default();
        self.hold(Open::Write { path, contents, append: flags & APPEND != 0 })
    }

    fn read_directory(&mut self, handle: u32) -> Result<(u8, Vec<u8>), Failed> {
        let Some(Open::Directory { path, at }) = self.open.get_mut(&handle) else { return Err(Failed::BadMessage) };
        let entries = self.host.list_directory(path);
        let next: Vec<_> = entries.into_iter().skip(*at).take(NAMES).collect();
        if next.is_empty() {
            return Err(Failed::Eof);
        }
        *at += next.len();
        let mut body = u32::try_from(next.len()).unwrap_or(0).to_be_bytes().to_vec();
        for entry in next {
            let kind = if entry.directory { "drwxrwx---" } else { "-rw-rw----" };
            put(&mut body, &raw::bytes(&entry.name));
            let long = format!("{kind}   1 root     root     {:>10} Jan 01 1970 {}", entry.size, entry.name);
            put(&mut body, &raw::bytes(&long));
            body.extend(attributes(entry.size, entry.directory));
        }
        Ok((NAME, body))
    }
}

impl Fields<'_> {
    fn handle(&mut self) -> Result<u32, Failed> {
        Ok(u32::from_be_bytes(self.string()?.try_into().map_err(|_| Failed::BadMessage)?))
    }
}

fn status(code: u32, words: &str) -> Vec<u8> {
    let mut body = code.to_be_bytes().to_vec();
    put(&mut body, words.as_bytes());
    put(&mut body, b"");
    body
}

/// Serves one channel until the client ends it or breaks the protocol.
pub(super) async fn serve(net: Net, host: Rc<dyn NetHost>, session: SshSession, user: String) {
    let SshSession { mut input, output, .. } = session;
    let mut sftp = Sftp::new(host, &user);
    let mut buffer = Vec::new();
    loop {
        while let Some(length) = buffer.first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX_PACKET {
                return;
            }
            if buffer.len() < 4 + length {
                break;
            }
            let rest = buffer.split_off(4 + length);
            let packet = std::mem::replace(&mut buffer, rest);
            let answer = sftp.handle(&packet[4..]);
            for path in sftp.stored.drain(..) {
                net.event(NetEvent::FtpUploaded { user: user.clone(), path });
            }
            let mut framed = Vec::new();
            put(&mut framed, &answer);
            if !output.write_all(&framed).await {
                return;
            }
        }
        let bytes = input.read(CHUNK).await;
        if bytes.is_empty() {
            return;
        }
        buffer.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_routers() {
        for (given, name) in
            [("/", ""), (".", ""), ("/a/./b", "a/b"), ("../a//b/..", "a"), ("flash/x.rsc", "flash/x.rsc")]
        {
            assert_eq!(resolve(given), name);
        }
    }
}
