//! Which port it is, whatever its number: an adapter that was unplugged comes back as another `ttyUSB`.

use std::path::{Path, PathBuf};

use super::list::{Sysfs, Usb};

/// A port, known by more than its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// As it was written.
    pub path: String,
    /// The adapter.
    pub usb: Option<Usb>,
    /// The link that lasts, where there was one.
    pub lasting: Option<String>,
}

impl Identity {
    /// Looks the port up while it is there.
    pub fn of(path: &str, sysfs: &Sysfs) -> Self {
        let device = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let usb = sysfs
            .ports()
            .into_iter()
            .find(|port| std::fs::canonicalize(&port.path).is_ok_and(|own| own == device))
            .and_then(|port| port.usb);
        Self { path: path.to_owned(), usb, lasting: sysfs.lasting(&device) }
    }

    /// Where the same port is now. `None`: not there.
    ///
    /// A number is no identity: an adapter is known by its serial number, without one by the socket that it is plugged into;
    /// anything else by its path.
    pub fn find(&self, sysfs: &Sysfs) -> Option<PathBuf> {
        if let Some(usb) = &self.usb {
            let same = |other: &Usb| {
                (&other.vendor, &other.product, &other.interface) == (&usb.vendor, &usb.product, &usb.interface)
                    && match &usb.serial {
                        Some(serial) => other.serial.as_ref() == Some(serial),
                        None => other.place == usb.place,
                    }
            };
            return sysfs
                .ports()
                .into_iter()
                .find(|port| port.usb.as_ref().is_some_and(same))
                .map(|port| port.path.into());
        }
        let path = Path::new(self.lasting.as_ref().unwrap_or(&self.path));
        path.exists().then(|| path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn plug(root: &Path, tty: &str, place: &str, serial: Option<&str>) {
        let device = root.join(format!("sys/devices/{place}/if0/{tty}"));
        fs::create_dir_all(&device).unwrap();
        fs::create_dir_all(root.join("sys/drivers/ftdi_sio")).unwrap();
        symlink(root.join("sys/drivers/ftdi_sio"), device.join("driver")).unwrap();
        let usb = root.join(format!("sys/devices/{place}"));
        fs::write(usb.join("idVendor"), "0403").unwrap();
        fs::write(usb.join("idProduct"), "6001").unwrap();
        if let Some(serial) = serial {
            fs::write(usb.join("serial"), serial).unwrap();
        }
        let class = root.join(format!("sys/class/tty/{tty}"));
        fs::create_dir_all(&class).unwrap();
        symlink(&device, class.join("device")).unwrap();
        fs::create_dir_all(root.join("dev")).unwrap();
        fs::write(root.join("dev").join(tty), "").unwrap();
    }

    fn unplug(root: &Path, tty: &str, place: &str) {
        fs::remove_dir_all(root.join(format!("sys/devices/{place}"))).unwrap();
        fs::remove_dir_all(root.join(format!("sys/class/tty/{tty}"))).unwrap();
        fs::remove_file(root.join("dev").join(tty)).unwrap();
    }

    #[test]
    fn the_same_adapter_is_found_under_another_number_and_another_one_is_not_taken() {
        for serial in [Some("A1"), None] {
            let root = tempfile::tempdir().unwrap();
            let at = |folder: &str| root.path().join(folder);
            let sysfs = Sysfs { sys: at("sys"), dev: at("dev"), proc: at("proc"), lock: at("lock") };
            plug(root.path(), "ttyUSB0", "1-1", serial);
            let path = root.path().join("dev/ttyUSB0");
            let identity = Identity::of(path.to_str().unwrap(), &sysfs);
            assert_eq!(identity.find(&sysfs).as_deref(), Some(path.as_path()));
            unplug(root.path(), "ttyUSB0", "1-1");
            assert_eq!(identity.find(&sysfs), None);
            // Another adapter takes the number; ours comes back with the next one.
            plug(root.path(), "ttyUSB0", "1-2", serial.map(|_| "B2"));
            assert_eq!(identity.find(&sysfs), None, "{serial:?}");
            plug(root.path(), "ttyUSB1", "1-1", serial);
            assert_eq!(identity.find(&sysfs), Some(root.path().join("dev/ttyUSB1")), "{serial:?}");
        }
    }

    #[test]
    fn what_is_no_adapter_is_known_by_its_path() {
        let root = tempfile::tempdir().unwrap();
        let at = || root.path().to_owned();
        let sysfs = Sysfs { sys: at(), dev: at(), proc: at(), lock: at() };
        let path = root.path().join("line");
        let identity = Identity::of(path.to_str().unwrap(), &sysfs);
        assert_eq!(identity.find(&sysfs), None);
        fs::write(&path, "").unwrap();
        assert_eq!(identity.find(&sysfs), Some(path));
    }
}
