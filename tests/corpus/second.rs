//! The second parser over the same SQL: it must never abort the program, and where it
//! reads a statement it must see it begin where PostgreSQL's grammar does.

use phase::core::compile::{self, Server};
use phase::core::footprint::SearchPath;
use phase::core::lint::second::{OpinionError, Wanted, opinions};
use phase::core::migration::SqlMigration;
use phase::core::plan::model::Gates;
use phase::core::record::Kind;
use phase::core::sql::{self, split};
use phase::core::step::Limits;
use phase::core::timeline::Item;
use phase::core::version::Version;

use crate::sent::Sent;

/// Statements that are handed on at once: one that it cannot read silences all of them.
const AT_ONCE: usize = 10;

/// What the second parser made of a file.
#[derive(Debug, Default)]
pub(crate) struct Second {
    /// Groups of statements that it was asked about.
    pub(crate) asked: usize,
    /// Groups that were refused because the two disagree.
    pub(crate) disagree: Vec<String>,
    /// What it said in all.
    pub(crate) opinions: usize,
}

/// Asks about what psql sent of one file.
pub(crate) fn ask(file: &str, sent: &[Sent]) -> Second {
    let plain = |text: &&str| {
        split(text)
            .is_ok_and(|found| matches!(found.as_slice(), [only] if only.kind == sql::Kind::Transactional))
    };
    let texts: Vec<&str> = sent.iter().map(|sent| sent.text.as_str()).filter(plain).collect();
    let mut second = Second::default();
    for group in texts.chunks(AT_ONCE) {
        let up: String = group.iter().map(|text| format!("{text}\n;\n")).collect();
        let Some(item) = item(&up) else { continue };
        second.asked += 1;
        match opinions(&item, Server::NEWEST, &[], Wanted::All) {
            Ok(found) => second.opinions += found.len(),
            Err(error @ OpinionError::Disagree { .. }) => second.disagree.push(format!("{file}: {error}")),
            Err(OpinionError::Sql(error)) => second.disagree.push(format!("{file}: {error}")),
        }
    }
    second
}

fn item(up: &str) -> Option<Item> {
    let version = Version::parse("1")?;
    let migration = SqlMigration::parse("1_x.sql", version.clone(), "x", up).ok()?;
    let (steps, down) = compile::migration(&migration).ok()?;
    Some(Item {
        version,
        name: "x".into(),
        title: "x".into(),
        kind: Kind::Sql,
        file: "1_x.sql".into(),
        source: up.into(),
        checksum: String::new(),
        steps,
        down,
        gates: Gates::default(),
        keep: None,
        depends_on: Vec::new(),
        tables: Vec::new(),
        path: SearchPath::default(),
        limits: Limits::default(),
        kill_blockers: None,
        unsupported: Vec::new(),
        cautions: Vec::new(),
        requires: Vec::new(),
    })
}
