//! The old protocol of `scp`, which runs `scp -t FILE` or `scp -f FILE` at the far end: one plain file at a time.

use std::cell::Cell;
use std::rc::Rc;

use super::host::{NetEvent, NetHost, SshSession};
use super::sftp::{MAX_UPLOAD, resolve};
use super::stack::Net;
use crate::kernel::{PipeReader, PipeWriter};
use crate::raw;

/// The longest line of the protocol: a mode, a size, a name.
const MAX_LINE: usize = 1024;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// What a client's `scp` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// It sends (`-t`), or wants (`-f`).
    pub sends: bool,
    /// As given.
    pub path: String,
}

/// Reads a command line, if it is one of `scp`'s.
pub(super) fn request(line: &[u8]) -> Option<Request> {
    let line = std::str::from_utf8(line).ok()?;
    let mut rest = line.strip_prefix("scp ")?.trim_start();
    let mut sends = None;
    while let Some(option) = rest.strip_prefix('-') {
        let (word, after) = option.split_once(' ').unwrap_or((option, ""));
        rest = after.trim_start();
        match word {
            "-" => break,
            word if word.contains('t') => sends = Some(true),
            word if word.contains('f') => sends = Some(false),
            _ => {}
        }
    }
    Some(Request { sends: sends?, path: rest.trim().trim_matches(['\'', '"']).to_owned() })
}

/// The client's end of the channel.
struct Client {
    input: PipeReader,
    output: PipeWriter,
}

impl Client {
    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            match self.input.read_byte().await? {
                b'\n' => return Some(raw::text(&line)),
                byte if line.len() < MAX_LINE => line.push(byte),
                _ => return None,
            }
        }
    }

    async fn yes(&mut self) -> Option<()> {
        self.output.write_all(&[0]).await.then_some(())
    }

    /// An error that ends the transfer.
    async fn no(&mut self, path: &str, why: &str) -> Option<()> {
        let _ = self.output.write_all(&raw::bytes(&format!("\x01scp: {path}: {why}\n"))).await;
        None
    }

    /// Waits for the client's consent.
    async fn consent(&mut self) -> Option<()> {
        (self.input.read_byte().await? == 0).then_some(())
    }
}

/// Serves one channel; `status` is its exit status.
pub(super) async fn serve(
    net: Net,
    host: Rc<dyn NetHost>,
    session: SshSession,
    user: String,
    request: Request,
    status: Rc<Cell<u32>>,
) {
    let SshSession { input, output, .. } = session;
    let mut client = Client { input, output };
    let done = if request.sends {
        take(&net, &host, &mut client, &user, &request.path).await
    } else {
        give(&host, &mut client, &request.path).await
    };
    status.set(u32::from(done.is_none()));
}

async fn take(net: &Net, host: &Rc<dyn NetHost>, client: &mut Client, user: &str, path: &str) -> Option<()> {
    client.yes().await?;
    loop {
        let Some(kind) = client.input.read_byte().await else { return Some(()) };
        let line = client.line().await?;
        let size = match kind {
            // times, and the end of a directory
            b'T' | b'E' => {
                client.yes().await?;
                continue;
            }
            b'C' => line.split(' ').nth(1).and_then(|size| size.parse::<usize>().ok()),
            _ => return client.no(path, "not a regular file").await,
        };
        let name = line.splitn(3, ' ').nth(2).unwrap_or_default();
        let target = resolve(path);
        let target = if host.is_directory(&target) { resolve(&format!("{target}/{name}")) } else { target };
        let Some(size) = size.filter(|size| *size <= MAX_UPLOAD) else { return client.no(path, "no space left").await };
        client.yes().await?;
        let mut contents = Vec::new();
        while contents.len() < size {
            let bytes = client.input.read(CHUNK.min(size - contents.len())).await;
            if bytes.is_empty() {
                return None;
            }
            contents.extend(bytes);
        }
        client.consent().await?;
        match host.write_file(&target, contents, user) {
            Ok(()) => {
                net.event(NetEvent::FtpUploaded { user: user.to_owned(), path: target });
                client.yes().await?;
            }
            Err(error) => return client.no(path, &error.to_string()).await,
        }
    }
}

async fn give(host: &Rc<dyn NetHost>, client: &mut Client, path: &str) -> Option<()> {
    client.consent().await?;
    let name = resolve(path);
    let Some(contents) = host.read_file(&name) else { return client.no(path, "No such file or directory").await };
    let base = name.rsplit('/').next().unwrap_or_default();
    let head = format!("C0660 {} {base}\n", contents.len());
    client.output.write_all(&raw::bytes(&head)).await.then_some(())?;
    client.consent().await?;
    client.output.write_all(&contents).await.then_some(())?;
    client.yes().await?;
    client.consent().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_command_lines_are_known() {
        let ask = |line: &[u8]| request(line).map(|request| (request.sends, request.path));
        assert_eq!(ask(b"scp -t flash/a b.txt"), Some((true, "flash/a b.txt".to_owned())));
        assert_eq!(ask(b"scp -v -p -f -- x"), Some((false, "x".to_owned())));
        assert_eq!(ask(b"scp -pf 'x'"), Some((false, "x".to_owned())));
        assert_eq!((ask(b"scp x y"), ask(b":put scp")), (None, None));
    }
}
