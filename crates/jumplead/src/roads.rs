//! The roads to the members of a pair, in the order of the site file.

use std::rc::Rc;

use bootstrap::facts::hop_interface;
use bootstrap::road::{Connection, Evidence, LocalFuture, Request, RoadError, RoadTrouble, Roads};
use bootstrap::site::Site;
use bootstrap::target::{Member, TargetUrl};
use mactelnet::MacAddr;
use routeros::{HopOptions, LoginOptions, Shell};

use crate::mac_road::{MacRoad, MacTarget};

/// Roads of one pair.
#[derive(Debug, Clone)]
pub struct PairRoads {
    pub site: Rc<Site>,
    pub mac: MacRoad,
}

impl PairRoads {
    async fn take(&self, member: Member, road: &TargetUrl, request: &Request) -> Result<Connection, RoadError> {
        let entry = self.site.member(member);
        match road {
            TargetUrl::Mac { mac, interface, login } => {
                let target = MacTarget {
                    mac: MacAddr(mac.unwrap_or(entry.ha_mac).0),
                    interface: interface.clone(),
                    login: login.unwrap_or(entry.login),
                };
                let options = &request.login;
                let size = options.suffix.size();
                let (link, evidence) = self
                    .mac
                    .open(&target, request.purpose, &options.login_name(), &options.passwords, (size.cols, size.rows))
                    .await?;
                let road = crate::mac_road::describe(target.mac, target.interface.as_deref());
                let shell = Shell::login(link, options.clone())
                    .await
                    .map_err(|error| RoadError::from_console(road.clone(), &error))?;
                Ok(Connection { shell, road, evidence })
            }
            TargetUrl::Via { pair: None, member: near } if *near != member => self.hop(*near, member, request).await,
            other => Err(RoadError {
                trouble: RoadTrouble::Fatal,
                code: "road.unsupported".into(),
                road: other.to_string(),
                message: "this version can't take this road yet".into(),
                hints: vec!["roads are mac://%INTERFACE and via:a".into()],
            }),
        }
    }

    /// Through `near`'s own MAC-Telnet client.
    async fn hop(&self, near: Member, far: Member, request: &Request) -> Result<Connection, RoadError> {
        let road = format!("via:{near}");
        let near_request =
            Request { member: near, purpose: request.purpose, login: request.via.clone(), via: LoginOptions::new("") };
        let connection = self.direct(near, &near_request).await?;
        let console = |error: &routeros::Error| RoadError::from_console(road.clone(), error);
        let interface =
            hop_interface(&connection.shell, &self.site.ha_interface).await.map_err(|error| console(&error))?;
        let options =
            HopOptions { host: self.site.member(far).ha_mac.to_string(), interface, login: request.login.clone() };
        match connection.shell.hop(options).await {
            Ok(shell) => Ok(Connection { shell, road, evidence: Evidence::default() }),
            Err(failed) => {
                if let Some(near) = failed.near {
                    let _ = near.close().await;
                }
                Err(console(&failed.error))
            }
        }
    }

    /// Roads that lead to `member` without the other one.
    async fn direct(&self, member: Member, request: &Request) -> Result<Connection, RoadError> {
        self.first(member, request, |road| !matches!(road, TargetUrl::Via { .. })).await
    }

    /// The first road that works. A refused login or a wrong router ends the search: the next road leads to the same router.
    async fn first(
        &self,
        member: Member,
        request: &Request,
        fits: impl Fn(&TargetUrl) -> bool,
    ) -> Result<Connection, RoadError> {
        let mut last: Option<RoadError> = None;
        for road in self.site.member(member).reach.iter().filter(|road| fits(road)) {
            match Box::pin(self.take(member, road, request)).await {
                Ok(connection) => return Ok(connection),
                Err(error) if matches!(error.trouble, RoadTrouble::LoginRefused | RoadTrouble::WrongRouter) => {
                    return Err(error);
                }
                // What could be cured by waiting says more than a road that can't be taken at all.
                Err(error) if last.is_some() && error.trouble == RoadTrouble::Fatal => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| RoadError {
            trouble: RoadTrouble::Fatal,
            code: "road.none".into(),
            road: format!("pair.{member}.reach"),
            message: "the site file names no road that can be taken".into(),
            hints: vec!["roads are mac://%INTERFACE and via:a".into()],
        }))
    }
}

impl Roads for PairRoads {
    fn connect<'a>(&'a self, request: &'a Request) -> LocalFuture<'a, Result<Connection, RoadError>> {
        Box::pin(self.first(request.member, request, |_| true))
    }
}
