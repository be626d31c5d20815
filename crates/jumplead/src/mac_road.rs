//! The road `mac://`: a MAC-Telnet session, its login and what Layer 2 says about who is there.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bootstrap::mac::Mac;
use bootstrap::road::{Connection, Evidence, Purpose, RoadError, RoadTrouble};
use bootstrap::target::LoginMode;
use mactelnet::MacAddr;
use mactelnet::auth::{Method, Password};
use mactelnet::client::{Config, Error as ClientError, LoginPolicy};
use mactelnet::io::{BoxLink, Session};
use routeros::{ByteLink, LoginOptions, Secret, Shell};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::known::KnownRouters;
use crate::segment::{LazyWatch, Segment};

/// The first RouterOS that accepts no MD5 answer any more.
const NO_MD5_FROM: (u32, u32, u32) = (6, 45, 1);

/// A refused login is tried once more after this: RouterOS refuses a correct EC-SRP5 login now and then under load, and
/// while it starts. It takes a second by itself before it tells so. \[R\]
const SECOND_CHANCE: std::time::Duration = std::time::Duration::from_millis(200);

/// How often the announcements are looked through for a router that asked for MD5.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// Whom to reach, and how.
#[derive(Debug, Clone)]
pub struct MacTarget {
    pub mac: MacAddr,
    pub interface: Option<String>,
    pub login: LoginMode,
}

/// Opens `mac://` roads on a segment.
#[derive(Clone)]
pub struct MacRoad {
    pub segment: Rc<dyn Segment>,
    pub watch: LazyWatch,
    /// Whether to listen to announcements from the first connection on: what changes routers wants their evidence.
    pub listen: bool,
    pub known: Rc<RefCell<KnownRouters>>,
    /// What the operator should hear once: an MD5 login, for instance.
    pub warnings: Rc<RefCell<Vec<String>>>,
}

impl std::fmt::Debug for MacRoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacRoad")
    }
}

/// A logged-in session as a byte link, and how the login went.
#[derive(Debug)]
pub struct MacLink {
    session: Session,
    name: String,
}

impl MacRoad {
    /// A console of the router at this address.
    pub async fn connect(
        &self,
        target: &MacTarget,
        purpose: Purpose,
        login: &LoginOptions,
    ) -> Result<Connection, RoadError> {
        let size = login.suffix.size();
        let (link, evidence) =
            self.open(target, purpose, &login.login_name(), &login.passwords, (size.cols, size.rows)).await?;
        let road = describe(target.mac, target.interface.as_deref());
        let shell = Shell::login(link, login.clone()).await;
        let shell = shell.map_err(|error| RoadError::from_console(road.clone(), &error))?;
        Ok(Connection { shell, road, evidence })
    }

    /// Logs in, with the first of `passwords` that is taken.
    pub async fn open(
        &self,
        target: &MacTarget,
        purpose: Purpose,
        login_name: &str,
        passwords: &[Secret],
        size: (u16, u16),
    ) -> Result<(MacLink, Evidence), RoadError> {
        let road = describe(target.mac, target.interface.as_deref());
        let host = |failure: crate::failure::Failure| RoadError {
            trouble: RoadTrouble::Host,
            code: failure.code.clone(),
            road: road.clone(),
            message: failure.message.clone(),
            hints: failure.hints,
        };
        let interface = self.interface(target, purpose, &road).await.map_err(host)??;
        if self.listen {
            self.watch.get(&*self.segment).map_err(host)?;
        }
        if purpose == Purpose::Write {
            let watch = self.watch.get(&*self.segment).map_err(host)?;
            watch.window().await;
            if let Some(conflict) = watch.conflict(target.mac) {
                return Err(wrong(&road, "mactelnet.mac.conflict", conflict));
            }
        }
        let mut refused = None;
        for chance in 0..2 {
            if chance > 0 {
                tokio::time::sleep(SECOND_CHANCE).await;
            }
            for password in passwords {
                let link = self.segment.open(&interface).map_err(host)?;
                let mut attempted = self.attempt(target, link, login_name, password, size, self.policy(target)).await;
                if let Err(ClientError::Downgrade { .. }) = attempted
                    && let Some(policy) = self.md5_policy(target).await
                {
                    let link = self.segment.open(&interface).map_err(host)?;
                    attempted = self.attempt(target, link, login_name, password, size, policy).await;
                }
                match attempted {
                    Ok(session) => {
                        let evidence = Evidence {
                            frame_mac: Some(Mac(target.mac.octets())),
                            announced_mac: self
                                .watch
                                .peek()
                                .and_then(|watch| watch.sighting(target.mac))
                                .and_then(|(_, sighting, _)| sighting.announced_mac)
                                .map(|mac| Mac(mac.octets())),
                        };
                        let name = describe(target.mac, Some(&interface));
                        return Ok((MacLink { session, name }, evidence));
                    }
                    Err(error @ ClientError::Rejected { .. }) => refused = Some(error),
                    Err(error) => return Err(trouble(&road, &error)),
                }
            }
        }
        Err(refused.map_or_else(
            || wrong(&road, "mactelnet.auth.no-password", "no password was given".into()),
            |error| trouble(&road, &error),
        ))
    }

    /// Whether more than one router with this address has been heard.
    pub fn doubled(&self, mac: MacAddr) -> bool {
        self.watch.peek().is_some_and(|watch| watch.conflict(mac).is_some())
    }

    /// The interface to take: the named one, or, for reading only, the one that the router was heard on.
    async fn interface(
        &self,
        target: &MacTarget,
        purpose: Purpose,
        road: &str,
    ) -> crate::failure::Result<Result<String, RoadError>> {
        if let Some(name) = &target.interface {
            return Ok(Ok(name.clone()));
        }
        let names = self.segment.interfaces(None)?;
        if let [only] = names.as_slice() {
            return Ok(Ok(only.clone()));
        }
        if purpose == Purpose::Write {
            return Ok(Err(RoadError {
                trouble: RoadTrouble::Fatal,
                code: "mactelnet.interface.unnamed".into(),
                road: road.to_owned(),
                message: "where something is written, the interface must be named".into(),
                hints: vec![format!("write it as  mac://{}%INTERFACE", target.mac)],
            }));
        }
        let watch = self.watch.get(&*self.segment)?;
        watch.window().await;
        Ok(watch.sighting(target.mac).map(|(_, _, name)| name).ok_or_else(|| RoadError {
            trouble: RoadTrouble::Silent,
            code: "mactelnet.connect.unheard".into(),
            road: road.to_owned(),
            message: format!("{} was not heard on {}", target.mac, names.join(", ")),
            hints: vec!["a hardened router announces nothing: name the interface, as in mac://MAC%eth1".into()],
        }))
    }

    async fn attempt(
        &self,
        target: &MacTarget,
        link: BoxLink,
        login_name: &str,
        password: &Secret,
        size: (u16, u16),
        policy: LoginPolicy,
    ) -> Result<Session, ClientError> {
        let mut config = Config::new(
            link.info().mac,
            target.mac,
            login_name,
            Password::new(password.reveal().as_bytes().to_vec()),
            self.segment.seed(),
        );
        config.login = policy;
        config.terminal.columns = size.0;
        config.terminal.rows = size.1;
        let session = Session::connect(link, config).await?;
        let learnt = self.known.borrow_mut().update(target.mac, |router| match session.method() {
            Method::EcSrp5 => router.ec_srp5 = true,
            Method::Md5 => {}
        });
        if let Err(error) = learnt {
            self.warn(format!("what was learnt about {} could not be kept: {error}", target.mac));
        }
        if session.method() == Method::Md5 && target.login == LoginMode::Auto {
            self.warn(format!("{} logged us in by MD5: who heard it can guess the password offline", target.mac));
        }
        Ok(session)
    }

    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The first try: MD5 only where the operator said so.
    fn policy(&self, target: &MacTarget) -> LoginPolicy {
        match target.login {
            LoginMode::Md5 => LoginPolicy::Auto { md5_allowed: true, reason: "the operator allows it".into() },
            LoginMode::EcSrp5 => LoginPolicy::EcSrp5,
            LoginMode::Auto if self.known.borrow().get(target.mac).ec_srp5 => {
                LoginPolicy::Auto { md5_allowed: false, reason: "it has logged in by EC-SRP5 here before".into() }
            }
            LoginMode::Auto => LoginPolicy::Auto {
                md5_allowed: false,
                reason: "it announces a RouterOS that accepts no MD5 (6.45.1 or newer)".into(),
            },
        }
    }

    /// What to do about a router that asked for MD5 (docs/contract.md section 3): it is taken only if the router has
    /// never logged anybody in by EC-SRP5 here, and its announcement, waited for, does not say 6.45.1 or newer.
    async fn md5_policy(&self, target: &MacTarget) -> Option<LoginPolicy> {
        if target.login != LoginMode::Auto || self.known.borrow().get(target.mac).ec_srp5 {
            return None;
        }
        let watch = self.watch.get(&*self.segment).ok()?;
        let window = watch.window();
        tokio::pin!(window);
        loop {
            if let Some((router, ..)) = watch.sighting(target.mac) {
                let announced = router.version.as_ref().and_then(|text| version(text.as_str()?));
                if announced.is_some_and(|version| version >= NO_MD5_FROM) {
                    return None;
                }
                break;
            }
            // A router that announces nothing is waited for until the whole window is over.
            tokio::select! {
                biased;
                () = &mut window => break,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Some(LoginPolicy::Auto { md5_allowed: true, reason: "nothing speaks against it".into() })
    }
}

/// `6.44.6 (long-term) ...` as numbers.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split(' ').next()?.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    Some((parts.next()??, parts.next().flatten()?, parts.next().flatten().unwrap_or(0)))
}

/// `mac://74:4D:28:00:00:0B%eth1`
pub fn describe(mac: MacAddr, interface: Option<&str>) -> String {
    interface.map_or_else(|| format!("mac://{mac}"), |interface| format!("mac://{mac}%{interface}"))
}

fn wrong(road: &str, code: &str, message: String) -> RoadError {
    RoadError { trouble: RoadTrouble::WrongRouter, code: code.into(), road: road.into(), message, hints: Vec::new() }
}

/// A session's failure as trouble of the road.
pub fn trouble(road: &str, error: &ClientError) -> RoadError {
    let (trouble, hint) = match error {
        ClientError::NoAnswer { .. } => (RoadTrouble::Silent, Some(format!("see whether it is there:  jumplead ping {road}"))),
        ClientError::Rejected { method: Method::EcSrp5, .. } => {
            (RoadTrouble::LoginRefused, Some("boards made since about 2022 ship with the password printed on the label".into()))
        }
        ClientError::Rejected { .. } => {
            (RoadTrouble::LoginRefused, Some("this router asked for the old MD5 login; user and password are compared with case".into()))
        }
        ClientError::UnknownUser => (RoadTrouble::LoginRefused, Some("name the user:  --user NAME".into())),
        ClientError::Downgrade { .. } => (
            RoadTrouble::LoginRefused,
            Some("if you are sure that this is the right router:  ?login=md5 behind its URL, or login = \"md5\" in the site file".into()),
        ),
        ClientError::WantsEcSrp5 => (RoadTrouble::LoginRefused, Some("this router asked for the newer login (EC-SRP5); use login = \"auto\"".into())),
        error if error.is_transient() => (RoadTrouble::Transient, None),
        _ => (RoadTrouble::Fatal, None),
    };
    RoadError {
        trouble,
        code: error.code().into(),
        road: road.into(),
        message: error.to_string(),
        hints: hint.into_iter().collect(),
    }
}

impl AsyncRead for MacLink {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.session).poll_read(cx, buf)
    }
}

impl AsyncWrite for MacLink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.session).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.session).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.session).poll_shutdown(cx)
    }
}

impl ByteLink for MacLink {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.session.resize(columns, rows);
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_as_announced() {
        assert_eq!(version("6.44.6 (long-term)"), Some((6, 44, 6)));
        assert_eq!(version("7.18.2 (stable) 2025-03-11 11:59:04"), Some((7, 18, 2)));
        assert_eq!(version("7.15rc3"), Some((7, 15, 0)));
        assert_eq!(version("Linux"), None);
        assert!(version("6.45.1").unwrap() >= super::NO_MD5_FROM);
        assert!(version("6.45").unwrap() < super::NO_MD5_FROM);
    }
}
