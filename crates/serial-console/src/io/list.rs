//! The serial ports of this host, read from sysfs, and who holds them.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Holder;

/// A USB adapter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Usb {
    /// Vendor, as four hexadecimal digits.
    pub vendor: String,
    /// Product, as four hexadecimal digits.
    pub product: String,
    /// Serial number: what an adapter is known by when it comes back under another name.
    pub serial: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
    /// Which of several ports of one adapter.
    pub interface: Option<String>,
    /// Where it is plugged in: `1-1.4`.
    pub place: String,
}

/// One port.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Port {
    /// `/dev/ttyUSB0`
    pub path: String,
    /// The lasting name: `/dev/serial/by-id/...`, or by-path where the adapter has no serial number.
    pub lasting: Option<String>,
    /// Kernel driver.
    pub driver: String,
    /// The adapter, where it is one.
    pub usb: Option<Usb>,
    /// Who has it open.
    pub holders: Vec<Holder>,
}

/// Where to look; tests have trees of their own.
#[derive(Debug, Clone)]
pub struct Sysfs {
    /// `/sys`
    pub sys: PathBuf,
    /// `/dev`
    pub dev: PathBuf,
    /// `/proc`
    pub proc: PathBuf,
    /// `/var/lock`: where programs of serial ports leave their lock files.
    pub lock: PathBuf,
}

impl Default for Sysfs {
    fn default() -> Self {
        Self { sys: "/sys".into(), dev: "/dev".into(), proc: "/proc".into(), lock: "/var/lock".into() }
    }
}

/// The ports of this host, in order of their names.
pub fn ports() -> Vec<Port> {
    Sysfs::default().ports()
}

/// The processes that have this device open, as far as this user may see, and those whose lock file says that it is theirs.
pub fn holders(path: &Path) -> Vec<Holder> {
    Sysfs::default().holders(path)
}

fn text(path: PathBuf) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn names(path: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

impl Sysfs {
    /// See [`ports`].
    pub fn ports(&self) -> Vec<Port> {
        names(self.sys.join("class/tty")).into_iter().filter_map(|name| self.port(&name)).collect()
    }

    fn port(&self, name: &str) -> Option<Port> {
        let class = self.sys.join("class/tty").join(name);
        // Virtual terminals have no device; the 8250 driver makes 32 names, of which those without hardware have type 0.
        let device = fs::canonicalize(class.join("device")).ok()?;
        let driver = fs::canonicalize(device.join("driver")).ok()?.file_name()?.to_string_lossy().into_owned();
        if text(class.join("type")).as_deref() == Some("0") {
            return None;
        }
        let path = self.dev.join(name);
        let usb = self.usb(&device);
        let lasting = self.lasting(&path);
        Some(Port { lasting, driver, usb, holders: self.holders(&path), path: path.to_string_lossy().into_owned() })
    }

    /// The USB device that a port belongs to: the first one above it that has a vendor.
    fn usb(&self, device: &Path) -> Option<Usb> {
        let above = |name: &str| device.ancestors().take(5).find_map(|folder| text(folder.join(name)));
        let place = device.ancestors().take(5).find(|folder| folder.join("idVendor").exists())?;
        Some(Usb {
            vendor: text(place.join("idVendor"))?,
            product: text(place.join("idProduct"))?,
            serial: text(place.join("serial")),
            name: text(place.join("product")),
            interface: above("bInterfaceNumber"),
            place: place.file_name()?.to_string_lossy().into_owned(),
        })
    }

    /// The link that leads to this device whatever number it gets.
    pub fn lasting(&self, device: &Path) -> Option<String> {
        let device = fs::canonicalize(device).unwrap_or_else(|_| device.to_owned());
        ["by-id", "by-path"].iter().find_map(|kind| {
            let folder = self.dev.join("serial").join(kind);
            names(folder.clone())
                .into_iter()
                .map(|name| folder.join(name))
                .find(|link| fs::canonicalize(link).is_ok_and(|to| to == device))
                .map(|link| link.to_string_lossy().into_owned())
        })
    }

    /// See [`holders`].
    pub fn holders(&self, path: &Path) -> Vec<Holder> {
        let mut found = self.openers(path);
        let lockers = self.lockers(path).into_iter();
        found.extend(lockers.filter(|one| !found.iter().any(|other| other.pid == one.pid)).collect::<Vec<_>>());
        found.sort_by_key(|holder| holder.pid);
        found
    }

    fn program(&self, pid: u32) -> String {
        text(self.proc.join(pid.to_string()).join("comm")).unwrap_or_else(|| "?".into())
    }

    /// Whether there is such a process. Where /proc hides those of others the kernel still tells.
    pub(super) fn alive(&self, pid: u32) -> bool {
        let seen = self.proc.join(pid.to_string()).exists();
        let asked = || {
            let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)?;
            Some(rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
        };
        seen || self.proc == Path::new("/proc") && asked().unwrap_or_default()
    }

    /// Whose lock file there is, of those that live.
    pub(super) fn lockers(&self, path: &Path) -> Vec<Holder> {
        let device = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if self.is_pseudo(&device) {
            return Vec::new();
        }
        let owners = super::lock::owners(&self.lock, &device).into_iter();
        owners
            .filter(|(_, pid)| self.alive(*pid))
            .map(|(file, pid)| Holder { pid, program: self.program(pid), lock: Some(file.display().to_string()) })
            .collect()
    }

    /// A pseudo terminal: its number goes to another one at once, and no file can say whose it is.
    pub(super) fn is_pseudo(&self, device: &Path) -> bool {
        device.starts_with(self.dev.join("pts"))
    }

    /// Who has it open. Whoever made a pseudo terminal (socat) has both of its ends.
    fn openers(&self, path: &Path) -> Vec<Holder> {
        let device = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let pseudo = self.is_pseudo(&device);
        let far_end = [self.dev.join("ptmx"), self.dev.join("pts/ptmx")];
        let mut found = Vec::new();
        for pid in names(self.proc.clone()).into_iter().filter_map(|name| name.parse::<u32>().ok()) {
            let process = self.proc.join(pid.to_string());
            let has = |wanted: &[PathBuf]| {
                let mut fds = names(process.join("fd")).into_iter();
                fds.any(|fd| fs::read_link(process.join("fd").join(fd)).is_ok_and(|to| wanted.contains(&to)))
            };
            if has(std::slice::from_ref(&device)) && !(pseudo && has(&far_end)) {
                found.push(Holder { pid, program: self.program(pid), lock: None });
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn put(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn a_usb_adapter_a_board_port_and_a_name_without_hardware() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let usb = "sys/devices/usb1/1-1.4";
        put(root.path(), &format!("{usb}/idVendor"), "0403\n");
        put(root.path(), &format!("{usb}/idProduct"), "6001\n");
        put(root.path(), &format!("{usb}/serial"), "A50285BI\n");
        put(root.path(), &format!("{usb}/product"), "FT232R USB UART\n");
        put(root.path(), &format!("{usb}/1-1.4:1.0/bInterfaceNumber"), "00\n");
        put(root.path(), &format!("{usb}/1-1.4:1.0/ttyUSB0/x"), "");
        put(root.path(), "sys/bus/usb-serial/drivers/ftdi_sio/x", "");
        put(root.path(), "sys/bus/platform/drivers/serial8250/x", "");
        symlink(at("sys/bus/usb-serial/drivers/ftdi_sio"), at(&format!("{usb}/1-1.4:1.0/ttyUSB0/driver"))).unwrap();
        put(root.path(), "sys/devices/platform/serial8250/x", "");
        symlink(at("sys/bus/platform/drivers/serial8250"), at("sys/devices/platform/serial8250/driver")).unwrap();
        for (name, device, kind) in [
            ("ttyUSB0", format!("{usb}/1-1.4:1.0/ttyUSB0"), None),
            ("ttyS0", "sys/devices/platform/serial8250".into(), Some("4")),
            ("ttyS1", "sys/devices/platform/serial8250".into(), Some("0")),
        ] {
            put(root.path(), &format!("sys/class/tty/{name}/x"), "");
            symlink(at(&device), at(&format!("sys/class/tty/{name}/device"))).unwrap();
            if let Some(kind) = kind {
                put(root.path(), &format!("sys/class/tty/{name}/type"), kind);
            }
            put(root.path(), &format!("dev/{name}"), "");
        }
        put(root.path(), "sys/class/tty/tty1/x", "");
        fs::create_dir_all(at("dev/serial/by-id")).unwrap();
        symlink(at("dev/ttyUSB0"), at("dev/serial/by-id/usb-FTDI_A50285BI-if00")).unwrap();
        put(root.path(), "proc/4711/comm", "minicom\n");
        fs::create_dir_all(at("proc/4711/fd")).unwrap();
        symlink(fs::canonicalize(at("dev/ttyUSB0")).unwrap(), at("proc/4711/fd/3")).unwrap();

        // Whoever has it open has a lock file, too; another one has only that, and a third is gone.
        put(root.path(), "lock/LCK..ttyUSB0", "      4711\n");
        put(root.path(), "proc/77/comm", "ser2net\n");
        put(root.path(), "lock/LCK..ttyS0", "        77 ser2net\n");
        let sysfs = Sysfs { sys: at("sys"), dev: at("dev"), proc: at("proc"), lock: at("lock") };
        let ports = sysfs.ports();
        let [board, adapter] = ports.as_slice() else { panic!("{ports:#?}") };
        assert!(board.path.ends_with("/ttyS0") && board.usb.is_none() && board.driver == "serial8250");
        let usb = adapter.usb.as_ref().unwrap();
        assert_eq!(
            (usb.serial.as_deref(), usb.place.as_str(), usb.interface.as_deref()),
            (Some("A50285BI"), "1-1.4", Some("00"))
        );
        assert!(adapter.lasting.as_ref().unwrap().ends_with("usb-FTDI_A50285BI-if00"));
        assert_eq!(adapter.holders, [Holder { pid: 4711, program: "minicom".into(), lock: None }]);
        let lock = Some(at("lock/LCK..ttyS0").display().to_string());
        assert_eq!(board.holders, [Holder { pid: 77, program: "ser2net".into(), lock }]);
        fs::remove_dir_all(at("proc/77")).unwrap();
        assert_eq!(sysfs.holders(Path::new(&board.path)), [], "it is gone");
    }
}
