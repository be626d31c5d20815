//! The table of oddities for people: `routersim quirks`.

use super::table::{QuirkOverrides, Quirks, TEXTS};
use crate::spec::Version;

/// Versions that the listing compares when none is named: the two that everything is tested with.
const VERSIONS: [Version; 2] = [Version::new(6, 44, 6), Version::new(7, 18, 2)];

/// One oddity as people read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Its switch: the key under `[quirks]` of a ROUTER.toml.
    pub name: &'static str,
    /// What it is.
    pub meaning: String,
    /// Where it is known from.
    pub source: &'static str,
    /// Its value in the version, as JSON (`null`: none).
    pub value: serde_json::Value,
}

/// All oddities with the values that hold for a version.
pub fn describe(version: Version) -> Vec<Described> {
    let values = serde_json::to_value(Quirks::resolve(version, &QuirkOverrides::default())).unwrap_or_default();
    let rows = TEXTS.iter().map(|(name, meaning, source)| Described {
        name,
        // Doc comments begin with the blank behind `///`.
        meaning: meaning.split_whitespace().collect::<Vec<_>>().join(" "),
        source,
        value: values.get(name).cloned().unwrap_or_default(),
    });
    rows.collect()
}

/// The text of `routersim quirks`: of one version, or of the two that are tested most.
pub fn listing(version: Option<Version>) -> String {
    let versions = version.map_or_else(|| VERSIONS.to_vec(), |version| vec![version]);
    let tables: Vec<Vec<Described>> = versions.iter().map(|version| describe(*version)).collect();
    let mut text = String::new();
    for (at, row) in tables.first().into_iter().flatten().enumerate() {
        let values: Vec<String> = versions
            .iter()
            .zip(&tables)
            .filter_map(|(version, table)| Some(format!("{version}: {}", table.get(at)?.value)))
            .collect();
        text.push_str(&format!(
            "{}  ({})\n    {}\n    Source: {}\n",
            row.name,
            values.join(", "),
            row.meaning,
            row.source
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_oddity_is_listed_with_what_it_is_and_where_from() {
        let rows = describe(Version::new(7, 18, 2));
        let fields = serde_json::to_value(Quirks::resolve(Version::new(7, 18, 2), &QuirkOverrides::default())).unwrap();
        assert_eq!(rows.len(), fields.as_object().unwrap().len());
        for row in &rows {
            assert!(row.meaning.len() > 20 && row.source.len() > 4, "{}", row.name);
        }
        let text = listing(None);
        assert!(text.contains("login  (6.44.6: \"md5\", 7.18.2: \"ec-srp5\")"), "{text}");
    }
}
