//! `/file`.

use super::interface::LIST_MENU;
use crate::menu::def::{Export, Menu, Prop, V6, V7, Verbs, prop};
use crate::menu::hooks::{Hooks, Named};
use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::menu::time::Calendar;
use crate::raw;
use crate::system::{System, Who};

pub(super) static MENUS: &[&Menu] = &[&FILE];

const CONTENTS: Prop = prop("contents", Kind::Str);

static FILE: Menu = Menu {
    path: "/file",
    props: &[
        prop("name", Kind::Str),
        prop("type", Kind::Str).ro(),
        prop("size", Kind::Bytes).ro(),
        prop("creation-time", Kind::Str).ro().when(V6),
        prop("last-modified", Kind::Str).ro().when(V7),
        CONTENTS,
    ],
    columns: &["name", "type", "size", "creation-time", "last-modified"],
    verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE),
    export: Export::No,
    hooks: &FileHooks,
    ..LIST_MENU
};

struct FileHooks;

/// The type that RouterOS gives to a name.
fn file_type(name: &str, directory: bool) -> &'static str {
    if directory {
        return if name == "flash" { "disk" } else { "directory" };
    }
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("backup") => "backup",
        Some("rsc") => "script",
        Some("npk") => "package",
        Some("txt") => ".txt file",
        Some("pem") => ".pem file",
        Some("log") => ".log file",
        _ => "file",
    }
}

impl Hooks for FileHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let v7 = sys.spec.version.is_v7();
        let limit = usize::try_from(sys.quirks.file_contents_limit).unwrap_or(usize::MAX);
        let storage = sys.storage.borrow();
        let rows = storage.files.list().map(|(name, file)| {
            let when = Calendar::from_unix(file.time);
            let mut row = Row::new(file.id)
                .with("name", name)
                .with("type", file_type(name, file.directory))
                .with(if v7 { "last-modified" } else { "creation-time" }, format!("{} {}", when.date(v7), when.time()));
            if !file.directory {
                row.put("size", file.contents.len().to_string());
                // Larger files have no contents for scripts.
                if file.contents.len() <= limit {
                    row.put("contents", raw::text(&file.contents));
                }
            }
            row
        });
        Some(rows.collect())
    }

    fn add_row(&self, sys: &System, named: &Named, who: &Who) -> Option<Result<u32, Refused>> {
        Some(add(sys, named, who))
    }

    fn set_row(&self, sys: &System, id: u32, named: &Named, who: &Who) -> Option<Result<(), Refused>> {
        Some(set(sys, id, named, who))
    }

    fn remove_row(&self, sys: &System, id: u32, _who: &Who) -> Option<Result<(), Refused>> {
        let name = sys.storage.borrow().files.by_id(id).map(|(name, _)| name.to_owned());
        Some(match name {
            Some(name) => sys.remove_file(&name).map_err(|_| Refused::failure("cannot remove, directory not empty")),
            None => Err(Refused::NoSuchItem),
        })
    }
}

fn contents_fit(sys: &System, contents: &[u8]) -> Result<(), Refused> {
    if contents.len() > usize::try_from(sys.quirks.file_contents_limit).unwrap_or(usize::MAX) {
        return Err(Refused::failure("new contents too long"));
    }
    Ok(())
}

fn add(sys: &System, named: &Named, _who: &Who) -> Result<u32, Refused> {
    if !sys.quirks.file_add {
        return Err(Refused::BadCommand("add".to_owned()));
    }
    let (mut name, mut contents, mut directory) = (None, Vec::new(), false);
    for (key, text) in named {
        match key.as_str() {
            "name" => name = Some(text.as_str()),
            "contents" => contents = raw::bytes(text),
            "type" if text == "directory" => directory = true,
            "type" if text == "file" => {}
            "type" => return Err(Refused::NoMatch(key.clone())),
            _ => return Err(Refused::BadParameter(key.clone())),
        }
    }
    let name = name.ok_or(Refused::Missing(vec!["name"]))?;
    if sys.storage.borrow().files.get(name).is_some() {
        return Err(Refused::failure("file already exists"));
    }
    contents_fit(sys, &contents)?;
    if directory {
        sys.make_directory(name).map_err(|_| Refused::failure("cannot create directory"))?;
    } else {
        sys.write_file(name, contents).map_err(|_| Refused::failure("cannot create file"))?;
    }
    sys.storage.borrow().files.get(name).map(|file| file.id).ok_or(Refused::NoSuchItem)
}

fn set(sys: &System, id: u32, named: &Named, _who: &Who) -> Result<(), Refused> {
    let found = sys.storage.borrow().files.by_id(id).map(|(name, file)| (name.to_owned(), file.directory));
    let (name, directory) = found.ok_or(Refused::NoSuchItem)?;
    for (key, text) in named {
        match key.as_str() {
            "contents" if directory => return Err(Refused::failure("can't set contents of directory")),
            "contents" => {
                let contents = raw::bytes(text);
                contents_fit(sys, &contents)?;
                sys.write_file(&name, contents).map_err(|_| Refused::failure("no space left"))?;
            }
            "name" if sys.spec.version.is_v7() => {
                sys.rename_file(&name, text).map_err(|_| Refused::failure("cannot rename"))?;
            }
            _ => return Err(Refused::BadParameter(key.clone())),
        }
    }
    Ok(())
}
