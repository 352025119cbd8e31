//! Makes items and databases out of texts, for tests.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::core::compile::{self, Server};
use crate::core::footprint::SearchPath;
use crate::core::lint::{World, apply};
use crate::core::migration::SqlMigration;
use crate::core::plan::model::Gates;
use crate::core::plan::{Source, parse};
use crate::core::preflight;
use crate::core::recipe::{Known, written};
use crate::core::record::Kind;
use crate::core::sql::split;
use crate::core::step::Limits;
use crate::core::timeline::{Item, Rollback};
use crate::core::version::Version;

/// The item of a plan or, where the text is no YAML mapping, of a SQL migration.
pub(crate) fn item(stem: &str, text: &str) -> Item {
    item_knowing(stem, text, &Known::default(), Server::NEWEST)
}

/// As [`item`], for a server, with recipes that know this of their tables.
pub(crate) fn item_knowing(stem: &str, text: &str, known: &Known, server: Server) -> Item {
    let (version, name) = Version::split_stem(stem).unwrap();
    let keys =
        ["expand:", "backfill:", "validate:", "contract:", "depends_on:", "title:", "settings:", "change:"];
    let plan = keys.iter().any(|key| text.starts_with(key));
    let mut item = Item {
        version: version.clone(),
        name: name.into(),
        title: name.into(),
        kind: if plan { Kind::Plan } else { Kind::Sql },
        file: if plan { format!("plans/{stem}.yaml") } else { format!("migrations/{stem}.sql") },
        source: text.into(),
        checksum: String::new(),
        steps: Vec::new(),
        down: Rollback::Refused(String::new()),
        gates: Gates::default(),
        keep: None,
        depends_on: Vec::new(),
        tables: Vec::new(),
        path: SearchPath::default(),
        limits: Limits::default(),
        kill_blockers: None,
        needed_by: Vec::new(),
        by_whom: crate::core::gate::ByWhom::default(),
        unsupported: Vec::new(),
        refused: Vec::new(),
        known: None,
        cautions: Vec::new(),
        requires: Vec::new(),
    };
    if plan {
        let source = Source { file: &item.file, version: &version, name, text };
        let plan = parse(&source, &|_| Err("no files here".into()))
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        let written = written(&plan, known);
        let words = |found: Vec<(_, String)>| found.into_iter().map(|(_, what)| what).collect();
        item.cautions = words(plan.cautions().into_iter().chain(written.cautions).collect());
        item.refused = words(written.refused);
        item.known = Some(known).filter(|_| !plan.change.is_empty()).cloned();
        let plan = written.plan;
        item.steps = compile::plan(&plan, server).unwrap_or_else(|error| panic!("{error}\n{text}"));
        item.tables = compile::of_plan(&plan);
        item.depends_on = plan.depends_on.iter().map(|on| on.value.clone()).collect();
        item.requires = preflight::requirements(&plan);
        (item.gates, item.keep, item.needed_by) = (plan.gates, plan.keep, plan.requires);
    } else {
        let migration = SqlMigration::parse(&item.file, version, name, text)
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        (item.steps, item.down) =
            compile::migration(&migration).unwrap_or_else(|error| panic!("{error}\n{text}"));
        item.tables = compile::of_migration(&migration);
        item.depends_on = migration.depends_on;
    }
    item
}

/// The database that some SQL makes, as a catalog would tell of it, with tables of unknown size.
pub(crate) fn world(sql: &str, version: u32) -> World {
    let mut world = World { complete: true, utc: Some(true), ..World::offline(version) };
    for statement in split(sql).unwrap() {
        statement.changes.iter().for_each(|change| apply(&mut world, change));
    }
    for table in world.tables.values_mut() {
        (table.made, table.rows, table.bytes) = (false, None, None);
        table.columns.iter_mut().for_each(|column| column.made = false);
    }
    world.made.clear();
    world
}
