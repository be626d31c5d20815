//! Users of a standby that was made by commands: an export carries none.

use super::job::{PairJob, closed};
use crate::pair::Users;
use crate::site::UserSite;
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use routeros::text::quote;
use routeros::{Command, FileName, Outcome, Secret, Shell};

/// A public key on its way; RouterOS takes the file away with the key.
const KEY_FILE: &str = "HA_jumplead_key.txt";

/// Makes a user, or gives one that is there a password and a group.
fn command_of(name: &str, group: &str, password: Option<&Secret>) -> String {
    let (name, group) = (quote(name), quote(group));
    match password.map(|password| quote(password.reveal())) {
        Some(password) => format!(
            ":if ([:len [/user find name={name}]] = 0) do={{/user add name={name} group={group} password={password}}} \
             else={{/user set [find name={name}] group={group} password={password}}}"
        ),
        None => format!("/user set [find name={name}] group={group}"),
    }
}

/// Gives a user a password and a group: his own without an echo, where the console asks for it.
async fn give_password(shell: &Shell, name: &str, group: &str, password: Option<&Secret>) -> Result<(), Trouble> {
    if let Some(new) = password
        && shell.user() == name
    {
        match shell.own_password(new.clone()).await {
            Ok(true) => return give(shell, command_of(name, group, None)).await,
            Ok(false) => {}
            // not by the command below: a line that hides it would write it down after all
            Err(error) => return Err(Trouble::from(error).acted()),
        }
    }
    give(shell, command_of(name, group, password)).await
}

/// `admin` gets the password where there is one: none is made, and its group stays what it is.
async fn close_admin(shell: &Shell, password: &Secret) -> Result<(), Trouble> {
    if shell.user() == "admin" && shell.own_password(password.clone()).await.map_err(|e| Trouble::from(e).acted())? {
        return Ok(());
    }
    give(shell, format!("/user set [find name=\"admin\"] password={}", quote(password.reveal()))).await
}

async fn give(shell: &Shell, line: String) -> Result<(), Trouble> {
    let mut command = Command::new(line);
    command.private = true;
    shell.exec(command).await?.done().map_err(|error| Trouble::from(error).acted())?;
    Ok(())
}

/// The keys of a user are those of the site file, in whatever number it had some before.
async fn give_keys(shell: &Shell, user: &UserSite, anew: &str) -> Result<(), Trouble> {
    if user.ssh_keys.is_empty() {
        return Ok(());
    }
    let name = quote(&user.name);
    shell
        .run(&format!("/user ssh-keys remove [find user={name}]"))
        .await
        .map_err(|error| Trouble::from(error).acted())?;
    for line in &user.ssh_keys {
        let put = shell.put_file(&FileName::ours(KEY_FILE)?, format!("{line}\n").as_bytes()).await;
        put.map_err(|error| Trouble::from(error).acted())?;
        let import = format!("/user ssh-keys import public-key-file={KEY_FILE} user={name}");
        match shell.exec(import.as_str()).await.map_err(|error| Trouble::from(error).acted())? {
            Outcome::Refused(_) => return Err(not_taken(user, anew)),
            outcome => drop(outcome.done().map_err(|error| Trouble::from(error).acted())?),
        }
    }
    let output = shell.run(&format!(":put (\"keys=\" . [:len [/user ssh-keys find user={name}]])")).await?;
    let wanted = format!("keys={}", user.ssh_keys.len());
    if output.text.lines().any(|line| line.trim_end() == wanted) {
        return Ok(());
    }
    Err(not_taken(user, anew))
}

fn not_taken(user: &UserSite, anew: &str) -> Trouble {
    let what = format!("b did not take the SSH keys of {}", user.name);
    Trouble::new(Kind::Operator, "bootstrap.handoff.ssh-keys", what)
        .hint(format!("RouterOS up to 7.9 takes RSA keys only: put others into the site file, or none, then:  {anew}"))
        .acted()
}

impl PairJob<'_> {
    /// A's user gets the same password on B, the site file's users theirs, and no `admin` stays open there.
    pub(super) async fn give_users(&mut self) -> Result<Option<String>, Trouble> {
        let site = self.pair.site;
        let own = self.pair.secrets.a.clone();
        self.look_b().await?;
        self.say(Member::B, "b is the standby, its users may be new");
        let mut names: Vec<&str> = Vec::new();
        // whichever of the two has come by then
        self.users = Users::OfA;
        let shell = &self.b.as_ref().ok_or_else(closed)?.connection.shell;
        if let Some(password) = &own {
            give_password(shell, &site.a.user, "full", Some(password)).await?;
            if site.a.user != "admin" {
                close_admin(shell, password).await?;
            }
            names.push(&site.a.user);
        }
        for (user, password) in site.users.iter().zip(&self.pair.secrets.users) {
            give_password(shell, &user.name, &user.group, password.as_ref()).await?;
            give_keys(shell, user, &self.anew).await?;
            if user.name != site.a.user {
                names.push(&user.name);
            }
        }
        if names.is_empty() {
            return Ok(Some("the site file has no password".into()));
        }
        // by the login that it is for
        self.leave_b().await;
        self.look_b().await?;
        Ok(Some(format!("{} can log in", names.join(", "))))
    }
}
