//! Which login a router may ask for (docs/contract.md section 3): an MD5 answer can be guessed offline, and who stands on
//! the wire can ask for one in a router's place.

use std::time::Duration;

use bootstrap::target::LoginMode;
use mactelnet::client::{Error as ClientError, LoginPolicy};

use super::{MacRoad, MacTarget};

/// The first RouterOS that accepts no MD5 answer any more.
const NO_MD5_FROM: (u32, u32, u32) = (6, 45, 1);

/// How often the announcements are looked through for a router that asked for MD5.
const LOOK: Duration = Duration::from_millis(50);

impl MacRoad {
    /// The first try: MD5 only where the operator said so.
    pub(super) fn policy(&self, target: &MacTarget) -> LoginPolicy {
        match target.login {
            LoginMode::Md5 => LoginPolicy::Auto { md5_allowed: true, reason: "the operator allows it".into() },
            LoginMode::EcSrp5 => LoginPolicy::EcSrp5,
            LoginMode::Auto if self.known.borrow().get(target.mac).ec_srp5 => {
                LoginPolicy::Auto { md5_allowed: false, reason: "it has logged in by EC-SRP5 here before".into() }
            }
            LoginMode::Auto => {
                LoginPolicy::Auto { md5_allowed: false, reason: "what it announces is not known yet".into() }
            }
        }
    }

    /// What to do about a router that asked for MD5 (docs/contract.md section 3), which is `asked`: it is taken only if the
    /// router has never logged anybody in by EC-SRP5 here, and its announcement, waited for, does not say 6.45.1 or newer.
    /// The error says why not.
    pub(super) async fn md5_policy(&self, target: &MacTarget, asked: ClientError) -> Result<LoginPolicy, ClientError> {
        if target.login != LoginMode::Auto || self.known.borrow().get(target.mac).ec_srp5 {
            return Err(asked);
        }
        let watch = self.watch.get(&*self.segment).map_err(|failure| ClientError::Downgrade {
            reason: format!("its announcements, which say whether it may, can't be listened to: {}", failure.message),
        })?;
        let window = watch.window();
        tokio::pin!(window);
        loop {
            if let Some((router, ..)) = watch.sighting(target.mac) {
                let announced = router.version.as_ref().and_then(|text| version(text.as_str()?));
                if let Some((major, minor, patch)) = announced.filter(|version| *version >= NO_MD5_FROM) {
                    let reason = format!("it announces RouterOS {major}.{minor}.{patch}, which accepts no MD5 answer");
                    return Err(ClientError::Downgrade { reason });
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
        Ok(LoginPolicy::Auto { md5_allowed: true, reason: "nothing speaks against it".into() })
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use bootstrap::road::{Purpose, RoadError, RoadTrouble};
    use lab::Hub;
    use mactelnet::auth::Password;
    use mactelnet::io::link::recv;
    use mactelnet::io::memory::{MemoryLink, wire};
    use mactelnet::io::{BoxLink, Clock, Link as _};
    use mactelnet::server::{AuthScheme, Config, EventKind, Server};
    use mactelnet::wire::{frame, mndp};
    use mactelnet::{MacAddr, Meta};
    use routeros::Secret;

    use super::*;
    use crate::known::KnownRouters;
    use crate::segment::{LazyWatch, Segment};

    const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
    const ROUTER: MacAddr = MacAddr([0x74, 0x4d, 0x28, 0, 0, 0x0b]);
    const PASSWORD: &str = "lab-pw-1";

    struct OneCable {
        hub: Hub,
        seeds: Cell<u8>,
        /// Whether announcements can be listened to.
        heard: bool,
    }

    impl Segment for OneCable {
        fn interfaces(&self, _: Option<&str>) -> crate::failure::Result<Vec<String>> {
            use crate::failure::{Exit, Failure};
            if !self.heard {
                return Err(Failure::new(Exit::LacksRight, "test.deaf", "no right to listen"));
            }
            Ok(vec!["eth1".into()])
        }

        fn open(&self, _: &str) -> crate::failure::Result<BoxLink> {
            Ok(self.hub.open())
        }

        fn seed(&self) -> [u8; 32] {
            self.seeds.set(self.seeds.get() + 1);
            [self.seeds.get(); 32]
        }
    }

    /// A router that asks for MD5 or EC-SRP5, and says of itself what it runs, if anything.
    async fn router(mut link: MemoryLink, auth: AuthScheme, version: Option<&'static str>) {
        let clock = Clock::new();
        let config = Config { macs: vec![ROUTER], seed: [9; 32], auth, ..Config::default() };
        let mut server = Server::new(config, BTreeMap::from([("admin".to_owned(), Password::from(PASSWORD))]));
        let mut frame = Vec::new();
        loop {
            let now = clock.now();
            server.handle_timeout(now);
            while let Some(event) = server.poll_event() {
                if let EventKind::Login { .. } = event.kind {
                    server.write(now, event.session, b"[admin@MikroTik] > ");
                }
            }
            while let Some(sent) = server.poll_transmit(now) {
                let meta = sent.meta;
                let repr = frame::Repr::new(meta.src_mac, meta.dst_mac, meta.src_port, meta.dst_port, 1);
                link.send(&repr.to_vec(&sent.payload).unwrap()).unwrap();
            }
            let wake =
                server.poll_timeout().map_or(tokio::time::Instant::now() + Duration::from_secs(60), |at| clock.at(at));
            tokio::select! {
                biased;
                received = recv(&mut link, &mut frame) => {
                    if received.is_err() {
                        return;
                    }
                    let view = frame::Frame::new_checked(&frame).unwrap();
                    if view.dst_port() == mndp::PORT {
                        if let Some(version) = version {
                            let said = mndp::Announcement { mac: Some(ROUTER), version: Some(version.into()), ..Default::default() };
                            let repr = frame::Repr::new(ROUTER, MacAddr::BROADCAST, mndp::PORT, mndp::PORT, 1);
                            link.send(&repr.to_vec(&said.to_vec([0; 4]).unwrap()).unwrap()).unwrap();
                        }
                        continue;
                    }
                    let meta = Meta {
                        link: 0,
                        src_mac: view.src_mac(),
                        dst_mac: view.dst_mac(),
                        src_port: view.src_port(),
                        dst_port: view.dst_port(),
                    };
                    server.handle_datagram(clock.now(), &meta, view.payload());
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// A road to a router that asks so and announces that. What was learnt is kept in `folder`.
    fn road(auth: AuthScheme, announced: Option<&'static str>, folder: &tempfile::TempDir) -> MacRoad {
        let (ours, theirs) = wire(("eth1", HOST), ("ether8", ROUTER));
        tokio::spawn(router(theirs, auth, announced));
        MacRoad {
            segment: Rc::new(OneCable { hub: Hub::new(ours), seeds: Cell::new(0), heard: true }),
            watch: LazyWatch::default(),
            listen: false,
            known: Rc::new(RefCell::new(KnownRouters::open(folder.path()).unwrap())),
            warnings: Rc::default(),
        }
    }

    async fn login(road: &MacRoad, login: LoginMode) -> Result<bool, RoadError> {
        let target = MacTarget { mac: ROUTER, interface: Some("eth1".into()), login, either: false };
        let opened = road.open(&target, Purpose::Read, "admin", &[Secret::new(PASSWORD)], (80, 24)).await;
        opened.map(|(_, evidence)| evidence.weak_login)
    }

    #[tokio::test(start_paused = true)]
    async fn auto_takes_md5_of_an_old_router_with_a_warning_and_a_note() {
        for announced in [Some("6.44.6 (long-term)"), Some("Linux"), None] {
            let folder = tempfile::tempdir().unwrap();
            let road = road(AuthScheme::Md5, announced, &folder);
            assert_eq!(login(&road, LoginMode::Auto).await, Ok(true), "{announced:?}");
            let warnings = road.warnings.borrow();
            assert!(matches!(warnings.as_slice(), [warning] if warning.contains("MD5")), "{warnings:?}");
        }
    }

    /// Refused, for the reason that is known.
    fn downgrade(ended: &Result<bool, RoadError>, why: &str) {
        let Err(error) = ended else { panic!("it was taken: {ended:?}") };
        assert!(error.message.ends_with(why), "{error:?}");
        assert_eq!((error.trouble, error.code.as_str()), (RoadTrouble::LoginRefused, "mactelnet.auth.downgrade"));
        assert!(error.hints.iter().any(|hint| hint.contains("login=md5")), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn auto_refuses_md5_of_a_router_that_announces_a_version_without_it() {
        for (announced, why) in [
            ("6.45.1 (stable)", "it announces RouterOS 6.45.1, which accepts no MD5 answer"),
            ("7.18.2 (stable) 2025-03-11 11:59:04", "it announces RouterOS 7.18.2, which accepts no MD5 answer"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let road = road(AuthScheme::Md5, Some(announced), &folder);
            downgrade(&login(&road, LoginMode::Auto).await, why);
            // The operator may know better.
            assert_eq!(login(&road, LoginMode::Md5).await, Ok(true));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn auto_refuses_md5_of_a_router_that_had_the_better_login_here_also_in_a_later_run() {
        let folder = tempfile::tempdir().unwrap();
        let first = road(AuthScheme::Either, None, &folder);
        assert_eq!(login(&first, LoginMode::Auto).await, Ok(false));
        // A session is no console yet: whoever refuses or says nothing behind it has proved nothing.
        let other = road(AuthScheme::Md5, Some("6.44.6 (long-term)"), &folder);
        assert_eq!(login(&other, LoginMode::Auto).await, Ok(true));
        first.logged_in_strongly(ROUTER);
        let later = road(AuthScheme::Md5, Some("6.44.6 (long-term)"), &folder);
        downgrade(&login(&later, LoginMode::Auto).await, "it has logged in by EC-SRP5 here before");
    }

    #[tokio::test(start_paused = true)]
    async fn ec_srp5_never_takes_md5() {
        let folder = tempfile::tempdir().unwrap();
        let old = road(AuthScheme::Md5, Some("6.44.6 (long-term)"), &folder);
        downgrade(&login(&old, LoginMode::EcSrp5).await, "only EC-SRP5 is allowed");
        assert!(old.warnings.borrow().is_empty());
    }

    /// Nothing is claimed of announcements that nobody heard.
    #[tokio::test(start_paused = true)]
    async fn auto_refuses_md5_where_announcements_can_not_be_heard_and_says_that() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = wire(("eth1", HOST), ("ether8", ROUTER));
        tokio::spawn(router(theirs, AuthScheme::Md5, Some("6.44.6 (long-term)")));
        let mut road = road(AuthScheme::Md5, None, &folder);
        road.segment = Rc::new(OneCable { hub: Hub::new(ours), seeds: Cell::new(0), heard: false });
        downgrade(&login(&road, LoginMode::Auto).await, "can't be listened to: no right to listen");
    }

    /// Two routers announce one address, the second after a while: nobody is sent a login for what changes a router.
    #[tokio::test(start_paused = true)]
    async fn no_login_for_writing_before_the_whole_window_was_listened_to() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, mut theirs) = wire(("eth1", HOST), ("ether8", ROUTER));
        let spoken_to = Rc::new(Cell::new(false));
        let spoken = Rc::clone(&spoken_to);
        let both = async move {
            let (mut frame, began) = (Vec::new(), tokio::time::Instant::now());
            while recv(&mut theirs, &mut frame).await.is_ok() {
                let view = frame::Frame::new_checked(&frame).unwrap();
                spoken.set(spoken.get() || view.dst_port() != mndp::PORT);
                let late = (began.elapsed() > Duration::from_millis(1500)).then_some("two");
                for name in ["one"].into_iter().chain(late) {
                    let said = mndp::Announcement {
                        mac: Some(ROUTER),
                        identity: Some(name.into()),
                        software_id: Some(name.into()),
                        ..Default::default()
                    };
                    let repr = frame::Repr::new(ROUTER, MacAddr::BROADCAST, mndp::PORT, mndp::PORT, 1);
                    theirs.send(&repr.to_vec(&said.to_vec([0; 4]).unwrap()).unwrap()).unwrap();
                }
            }
        };
        let mut road = road(AuthScheme::Either, None, &folder);
        road.segment = Rc::new(OneCable { hub: Hub::new(ours), seeds: Cell::new(0), heard: true });
        let target = MacTarget { mac: ROUTER, interface: Some("eth1".into()), login: LoginMode::Auto, either: false };
        let secrets = [Secret::new(PASSWORD)];
        let opened = road.open(&target, Purpose::Write, "admin", &secrets, (80, 24));
        let error = tokio::select! {
            opened = opened => opened.map(|_| ()).unwrap_err(),
            () = both => unreachable!("the cable stays in"),
        };
        assert_eq!((error.code.as_str(), spoken_to.get()), (crate::mac_road::CONFLICT, false), "{error:?}");
    }

    /// A peer that answers START and then nothing.
    #[tokio::test(start_paused = true)]
    async fn a_router_that_answers_once_is_told_with_what_to_type_next() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, mut theirs) = wire(("eth1", HOST), ("ether8", ROUTER));
        let once = tokio::spawn(async move {
            use mactelnet::wire::packet::{Direction, Packet, PacketType, Repr};
            let mut frame = Vec::new();
            recv(&mut theirs, &mut frame).await.unwrap();
            let view = frame::Frame::new_checked(&frame).unwrap();
            let start = Packet::new_checked(view.payload()).unwrap();
            let ack = Repr {
                kind: PacketType::Ack,
                direction: Direction::ToClient,
                src: ROUTER,
                dst: HOST,
                session_key: start.session_key(Direction::ToServer),
                client_type: mactelnet::wire::packet::CLIENT_TYPE_MAC_TELNET,
                counter: 0,
            };
            let to = frame::Repr::new(ROUTER, HOST, view.dst_port(), view.src_port(), 1);
            theirs.send(&to.to_vec(&ack.to_vec(&[])).unwrap()).unwrap();
            // The cable stays in.
            tokio::time::sleep(Duration::from_secs(600)).await;
        });
        let mut road = road(AuthScheme::Either, None, &folder);
        road.segment = Rc::new(OneCable { hub: Hub::new(ours), seeds: Cell::new(0), heard: true });
        let error = login(&road, LoginMode::Auto).await.unwrap_err();
        once.abort();
        assert_eq!(error.trouble, RoadTrouble::Transient, "{error:?}");
        let next = format!("jumplead ping mac://{ROUTER}%eth1");
        assert!(error.hints.iter().any(|hint| hint.contains(&next)), "{error:?}");
        assert_eq!(crate::reach::failure(error).exit, crate::failure::Exit::TimedOut);
    }

    /// What transfers files asks for the proof, once; what came of it is used by every later session that hears the router
    /// announce the same software. A refused login before it, for its method or its password, takes nothing away.
    #[tokio::test(start_paused = true)]
    async fn a_window_is_proved_once_and_remembered_with_the_software() {
        const OLD: &str = "6.44.6 (long-term)";
        const NEW: &str = "7.18.2 (stable)";
        let folder = tempfile::tempdir().unwrap();
        let found = async |road: &MacRoad| {
            let target =
                MacTarget { mac: ROUTER, interface: Some("eth1".into()), login: LoginMode::Auto, either: false };
            let secrets = [Secret::new("not this one"), Secret::new(PASSWORD)];
            let opened = road.open(&target, Purpose::Read, "admin", &secrets, (80, 24)).await;
            opened.unwrap().0.session.found().holds_ack_at_gap
        };
        let kept = |road: &MacRoad| road.known.borrow().get(ROUTER).gap;
        let listening = async |auth, announced, listen| {
            let mut road = road(auth, announced, &folder);
            road.listen = listen;
            road.watch.get(&*road.segment).unwrap().window().await;
            road
        };
        let single = road(AuthScheme::Md5, Some(OLD), &folder);
        assert_eq!((found(&single).await, kept(&single)), (None, None), "a single command asks for no proof");

        let run = listening(AuthScheme::Md5, Some(OLD), true).await;
        assert_eq!(found(&run).await, Some(true));
        assert_eq!(kept(&run), Some(crate::known::Proof { holds: true, version: OLD.into() }));
        assert_eq!(found(&run).await, Some(true), "in the same run");
        assert_eq!(found(&listening(AuthScheme::Md5, Some(OLD), false).await).await, Some(true), "and in a later one");

        let unheard = road(AuthScheme::Either, Some(NEW), &folder);
        assert_eq!(found(&unheard).await, None, "it may be another software");
        let heard = listening(AuthScheme::Either, Some(NEW), false).await;
        assert_eq!(found(&heard).await, None, "it is");
        let proved = listening(AuthScheme::Either, Some(NEW), true).await;
        assert_eq!(found(&proved).await, Some(true));
        assert_eq!(kept(&proved).map(|proof| proof.version).as_deref(), Some(NEW));
    }

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
