//! The router as its network sees it.

use std::net::Ipv4Addr;

use super::core::System;
use super::files::Refusal;
use crate::console::{Login, Transport};
use crate::net::{Credential, FileEntry, FileError, MacTelnetSession, NetHost, SshExec, SshSession};
use crate::raw;
use crate::record::{Phase, Via};
use crate::script::to_base64;

impl From<Refusal> for FileError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::WrongKind => Self::NotAFile,
            Refusal::NoSpace => Self::NoSpace,
        }
    }
}

impl NetHost for System {
    fn credential(&self, user: &str) -> Option<Credential> {
        if !self.policy_of(user).allows("telnet") {
            return None;
        }
        let user = self.user(user)?;
        Some(Credential { password: user.get("password").unwrap_or_default().to_owned() })
    }

    fn ftp_login(&self, user: &str, password: &str, from: Ipv4Addr) -> bool {
        self.policy_of(user).allows("ftp") && self.password_right(user, &raw::bytes(password), Some(from))
    }

    fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        System::read_file(self, path)
    }

    fn write_file(&self, path: &str, contents: Vec<u8>, _user: &str) -> Result<(), FileError> {
        Ok(System::write_file(self, path, contents)?)
    }

    fn remove_file(&self, path: &str) -> Result<(), FileError> {
        Ok(System::remove_file(self, path)?)
    }

    fn rename_file(&self, from: &str, to: &str) -> Result<(), FileError> {
        Ok(System::rename_file(self, from, to)?)
    }

    fn make_directory(&self, path: &str) -> Result<(), FileError> {
        Ok(System::make_directory(self, path)?)
    }

    fn is_directory(&self, path: &str) -> bool {
        self.storage.borrow().files.is_directory(path)
    }

    fn list_directory(&self, path: &str) -> Vec<FileEntry> {
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let storage = self.storage.borrow();
        let inside = storage.files.list().filter_map(|(name, file)| {
            let name = name.strip_prefix(&below)?;
            (!name.is_empty() && !name.contains('/')).then(|| FileEntry {
                name: name.to_owned(),
                size: file.contents.len() as u64,
                directory: file.directory,
            })
        });
        inside.collect()
    }

    fn mac_telnet_session(&self, session: MacTelnetSession) {
        // Before the console process runs nobody takes the session: its pipes close.
        let (Some(sys), Phase::Up) = (self.rc(), self.phase()) else { return };
        let login = Login::Done { name: raw::bytes(&session.login) };
        let from = session.mac.to_string();
        sys.open_console(Transport::MacTelnet, login, &from, session.input, session.output);
    }

    fn ssh_host_key(&self) -> (String, usize) {
        let bits = self.config(|config| {
            let item = config.items("/ip/ssh").first()?;
            item.get("host-key-size").and_then(|bits| bits.parse().ok())
        });
        (self.host_key(), bits.unwrap_or(2048))
    }

    fn ssh_login(&self, user: &str, password: &[u8], from: Ipv4Addr) -> bool {
        // Before the console process runs nobody gets in.
        self.phase() == Phase::Up
            && self.policy_of(user).allows("ssh")
            && !self.keys_alone(user)
            && self.password_right(user, password, Some(from))
    }

    fn ssh_key(&self, user: &str, key: &[u8], from: Ipv4Addr) -> bool {
        let text = raw::text(&to_base64(key));
        self.phase() == Phase::Up
            && self.policy_of(user).allows("ssh")
            && self.welcome(user, Some(from))
            && self.ssh_keys(user).contains(&text)
    }

    fn may_transfer(&self, user: &str) -> bool {
        // The policy of FTP is that of all file transfers [doc].
        self.policy_of(user).allows("ftp")
    }

    fn ssh_session(&self, session: SshSession) {
        let (Some(sys), Phase::Up) = (self.rc(), self.phase()) else { return };
        let login = Login::Done { name: session.login.into_bytes() };
        sys.open_console(Transport::Ssh, login, &session.from.to_string(), session.input, session.output);
    }

    fn ssh_exec(&self, exec: SshExec) {
        if let (Some(sys), Phase::Up) = (self.rc(), self.phase()) {
            sys.run_ssh_line(exec);
        }
    }

    fn logged_in(&self, user: &str, from: &str, via: &str) {
        self.login_taken(user, from, via, Via::Ftp);
    }

    fn logged_out(&self, user: &str, from: &str, via: &str) {
        self.login_over(user, from, via);
    }

    fn login_failed(&self, user: &str, from: &str, via: &str) {
        let road = match via {
            "ftp" => Via::Ftp,
            "ssh" => Via::Ssh,
            _ => Via::MacTelnet,
        };
        self.login_refused(user, from, via, road);
    }
}
