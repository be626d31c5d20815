//! The road `mac://`: a MAC-Telnet session, its login and what Layer 2 says about who is there.

mod company;
mod policy;
mod trouble;
mod window;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bootstrap::mac::Mac;
use bootstrap::road::{Connection, Evidence, Purpose, RoadError, RoadTrouble};
use bootstrap::target::LoginMode;
use mactelnet::MacAddr;
use mactelnet::auth::{Method, Password};
use mactelnet::client::{Config, Error as ClientError, GapPolicy, LoginPolicy};
use mactelnet::io::interfaces::mtu;
use mactelnet::io::{BoxLink, Company, Session};
use mactelnet::wire::packet::data_within;
use routeros::{ByteLink, LoginOptions, Secret, Shell};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::known::KnownRouters;
use crate::links::HostLinks;
use crate::segment::{LazyWatch, OnSegment, Segment};
use trouble::{conflict, trouble, wrong};

pub use trouble::CONFLICT;

/// A refused login is tried once more after this: RouterOS refuses a correct EC-SRP5 login now and then under load, and
/// while it starts. It takes a second by itself before it tells so. \[R\]
const SECOND_CHANCE: std::time::Duration = std::time::Duration::from_millis(200);

/// For a router to let a console go.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(3);

/// Whom to reach, and how.
#[derive(Debug, Clone)]
pub struct MacTarget {
    pub mac: MacAddr,
    pub interface: Option<String>,
    pub login: LoginMode,
    /// Whether either of two routers with this address will do: the operator was asked.
    pub either: bool,
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
    mac: MacAddr,
    interface: String,
    /// The operator was asked already whether either of two will do.
    either: bool,
    links: HostLinks,
}

impl MacLink {
    /// With this host's links, by which a second router is listened for.
    pub fn beside(self, links: HostLinks) -> Self {
        Self { links, ..self }
    }

    /// Whether its login showed nobody what the password could be guessed from.
    pub fn is_strong(&self) -> bool {
        self.session.method() == Method::EcSrp5
    }

    /// How many routers have answered by now.
    pub fn company(&self) -> Company {
        self.session.company()
    }

    /// The interface that it was opened on.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Listens for a second router with this address beside the session; ends when one is heard. Begins to when it is
    /// first waited for.
    pub fn second_router(&self) -> impl Future<Output = String> + use<> {
        let to = OnSegment::new(self.mac, Some(self.interface.clone()), self.links.clone()).with(self.company());
        let either = self.either;
        async move { if either { std::future::pending().await } else { to.second_router().await } }
    }
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
        let road = link.describe();
        let (company, interface) = (link.company(), link.interface.clone());
        let seen = company.answerers();
        let shell = Shell::login(link, login.clone()).await;
        let shell = shell.map_err(|error| RoadError::from_console(road.clone(), &error))?;
        // A router that is slower may have answered only by now, and nothing was asked of this one yet.
        if company.answerers() != seen
            && let Err(error) = self.alone(target, &interface, &company).await
        {
            let _ = tokio::time::timeout(GOODBYE, shell.close()).await;
            return Err(error);
        }
        if !evidence.weak_login {
            self.logged_in_strongly(target.mac);
        }
        Ok(Connection { shell, road, evidence })
    }

    /// A console was had by EC-SRP5: MD5 is taken from this router no more. A login that ended in a refusal or in silence is no
    /// such thing.
    pub fn logged_in_strongly(&self, mac: MacAddr) {
        if let Err(error) = self.known.borrow_mut().update(mac, |router| router.ec_srp5 = true) {
            self.warn(format!("what was learnt about {mac} could not be kept: {error}"));
        }
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
        }
        // A single command does not wait; but what was heard counts, though the login was thought to be for reading.
        if (purpose == Purpose::Write || !self.listen)
            && !target.either
            && let Some(said) = self.watch.peek().and_then(|watch| watch.conflict(target.mac))
        {
            return Err(conflict(target.mac, Some(&interface), said));
        }
        let mut refused = None;
        for chance in 0..2 {
            if chance > 0 {
                tokio::time::sleep(SECOND_CHANCE).await;
            }
            for password in passwords {
                let link = self.segment.session(&interface).map_err(host)?;
                let mut attempted = self.attempt(target, link, login_name, password, size, self.policy(target)).await;
                if let Err(asked @ ClientError::Downgrade { .. }) = attempted {
                    attempted = match self.md5_policy(target, asked).await {
                        Ok(policy) => {
                            let link = self.segment.session(&interface).map_err(host)?;
                            self.attempt(target, link, login_name, password, size, policy).await
                        }
                        Err(refused) => Err(refused),
                    };
                }
                match attempted {
                    Ok(session) => {
                        self.alone(target, &interface, &session.company()).await?;
                        let evidence = Evidence {
                            weak_login: session.method() == Method::Md5,
                            frame_mac: Some(Mac(target.mac.octets())),
                            announced_mac: self
                                .watch
                                .peek()
                                .and_then(|watch| watch.sighting(target.mac))
                                .and_then(|(_, sighting, _)| sighting.announced_mac)
                                .map(|mac| Mac(mac.octets())),
                        };
                        let links = HostLinks::default();
                        let link = MacLink { session, mac: target.mac, interface, either: target.either, links };
                        return Ok((link, evidence));
                    }
                    Err(error @ ClientError::Rejected { .. }) => refused = Some(error),
                    Err(error @ ClientError::TwoRouters { .. }) => {
                        return Err(conflict(target.mac, Some(&interface), error.to_string()));
                    }
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
        self.first_that_answers(target, names).await
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
        config.opening = self.segment.opening();
        config.login = policy;
        config.either = target.either;
        let gap = self.gap(target.mac);
        config.gap = gap;
        // Longer packets than a router without a proof gets; the first prompt does not wait for a look at the interface.
        if gap != GapPolicy::OneOutstanding
            && let Some(mtu) = mtu(&link.info().name)
        {
            config.max_data = data_within(mtu);
        }
        config.terminal.columns = size.0;
        config.terminal.rows = size.1;
        let (begun, interface, asked) = (Instant::now(), link.info().name.clone(), config.login.clone());
        let connected = Session::connect(link, config).await;
        let (router, ms) = (target.mac, begun.elapsed().as_millis());
        let session = match connected {
            Ok(session) => {
                tracing::debug!(%router, interface, login_name, ?asked, method = ?session.method(), ms, "logged in");
                session
            }
            Err(error) => {
                tracing::debug!(%router, interface, login_name, ?asked, ms, %error, "not logged in");
                // The router was there, and the next session is the one that counts.
                if gap == GapPolicy::Prove
                    && matches!(error, ClientError::Downgrade { .. } | ClientError::Rejected { .. })
                {
                    self.known.borrow_mut().not_answered(target.mac);
                }
                return Err(error);
            }
        };
        let proof = self.proof(target.mac, gap, session.found());
        let learnt = self.known.borrow_mut().update(target.mac, |router| {
            if proof.is_some() {
                router.gap.clone_from(&proof);
            }
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
}

/// `mac://74:4D:28:00:00:0B%eth1`
pub fn describe(mac: MacAddr, interface: Option<&str>) -> String {
    interface.map_or_else(|| format!("mac://{mac}"), |interface| format!("mac://{mac}%{interface}"))
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
        describe(self.mac, Some(&self.interface))
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.session.resize(columns, rows);
    }
}
