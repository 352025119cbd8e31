//! Decides how a partitioned table gets an index while it is in use: PostgreSQL builds
//! none on such a table concurrently, but takes one for it that stands on every partition.

use crate::core::ident::{Ident, QName};
use crate::core::sql::{SqlError, index_on};
use crate::core::step::IndexBuild;

/// A relation of a partitioned table, itself among them; parents come before their children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The relation.
    pub table: QName,
    /// The place of its parent in the list; `None`: it is the table itself.
    pub parent: Option<usize>,
    /// Whether it is partitioned itself.
    pub partitioned: bool,
    /// Whether it is a foreign table, which can have no index.
    pub foreign: bool,
}

/// One part of the work, each done by itself and each probed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// An index on a partitioned relation alone: there at once, and invalid until each
    /// partition has one that is attached.
    Alone {
        /// The relation.
        table: QName,
        /// The index.
        index: QName,
        /// The statement.
        sql: String,
    },
    /// An index on a partition, built concurrently.
    Build(IndexBuild),
    /// One that is attached to that of the level above.
    Attach {
        /// The partition.
        partition: QName,
        /// The index of the partition.
        index: QName,
        /// The one above.
        to: QName,
    },
}

impl Part {
    /// The statement of this part.
    #[must_use]
    pub fn sql(&self) -> String {
        match self {
            Self::Alone { sql, .. } => sql.clone(),
            Self::Build(build) => build.create.clone(),
            Self::Attach { index, to, .. } => Self::attach_sql(index, to),
        }
    }

    /// The statement that attaches an index.
    #[must_use]
    pub fn attach_sql(index: &QName, to: &QName) -> String {
        format!("ALTER INDEX {to} ATTACH PARTITION {index}")
    }
}

/// The parts, in order: from the table down, then the partitions, then up again.
///
/// # Errors
/// When a partition is a foreign table, or the statement cannot be written for a partition.
pub fn parts(build: &IndexBuild, tree: &[Branch]) -> Result<Vec<Part>, SqlError> {
    if let Some(foreign) = tree.iter().find(|branch| branch.foreign) {
        return Err(SqlError::of(format!(
            "{} is a foreign table, which can have no index, so {} can have none that is whole: build one on each of the \
             other partitions",
            foreign.table.plain(),
            build.table.plain()
        )));
    }
    let (mut alone, mut builds, mut attach) = (Vec::new(), Vec::new(), Vec::new());
    for branch in tree {
        let index = index_of(build, branch);
        let sql = index_on(&build.create, &branch.table, &index.name, branch.partitioned)?;
        if branch.partitioned {
            alone.push(Part::Alone { table: branch.table.clone(), index: index.clone(), sql });
        } else {
            builds.push(Part::Build(IndexBuild {
                table: branch.table.clone(),
                name: index.name.clone(),
                create: sql,
                unique: build.unique,
            }));
        }
        if let Some(above) = branch.parent.and_then(|parent| tree.get(parent)) {
            attach.push(Part::Attach { partition: branch.table.clone(), index, to: index_of(build, above) });
        }
    }
    // A level above is whole only after the one below.
    attach.reverse();
    Ok(alone.into_iter().chain(builds).chain(attach).collect())
}

/// The indexes of the parts but that of the table itself, which takes along what is attached to it.
#[must_use]
pub fn below(build: &IndexBuild, tree: &[Branch]) -> Vec<QName> {
    tree.iter().filter(|branch| branch.parent.is_some()).map(|branch| index_of(build, branch)).collect()
}

fn index_of(build: &IndexBuild, branch: &Branch) -> QName {
    let name = match branch.parent {
        None => build.name.clone(),
        Some(_) => name_in(&branch.table, &build.name),
    };
    branch.table.sibling(name)
}

/// What an index of a partitioned table is called in one of its partitions, where it is built by them.
#[must_use]
pub fn name_in(partition: &QName, index: &Ident) -> Ident {
    Ident::shortened(&format!("{}_", partition.name.as_str()), index.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> QName {
        QName::parse(text).expect("a name")
    }

    #[test]
    fn from_the_table_down_and_up_again() {
        let build = IndexBuild {
            table: name("app.t"),
            name: Ident::parse("t_a").expect("a name"),
            create: "CREATE UNIQUE INDEX CONCURRENTLY t_a ON app.t (lower(a) DESC, b) INCLUDE (c) WITH (fillfactor = 70) WHERE b > 0".into(),
            unique: true,
        };
        let branch = |table: &str, parent, partitioned| Branch {
            table: name(table),
            parent,
            partitioned,
            foreign: false,
        };
        let tree = [
            branch("app.t", None, true),
            branch("app.t_1", Some(0), false),
            branch("old.t_2", Some(0), true),
            branch("old.t_2a", Some(2), false),
        ];
        let told: Vec<String> =
            parts(&build, &tree).expect("they can be built").iter().map(Part::sql).collect();
        let rest = "USING btree (lower(a) DESC, b) INCLUDE (c) WITH (fillfactor=70) WHERE b > 0";
        assert_eq!(
            told,
            [
                format!("CREATE UNIQUE INDEX t_a ON ONLY app.t {rest}"),
                format!("CREATE UNIQUE INDEX t_2_t_a ON ONLY old.t_2 {rest}"),
                format!("CREATE UNIQUE INDEX CONCURRENTLY t_1_t_a ON app.t_1 {rest}"),
                format!("CREATE UNIQUE INDEX CONCURRENTLY t_2a_t_a ON old.t_2a {rest}"),
                r#"ALTER INDEX "old"."t_2_t_a" ATTACH PARTITION "old"."t_2a_t_a""#.to_owned(),
                r#"ALTER INDEX "app"."t_a" ATTACH PARTITION "old"."t_2_t_a""#.to_owned(),
                r#"ALTER INDEX "app"."t_a" ATTACH PARTITION "app"."t_1_t_a""#.to_owned(),
            ]
        );
        let foreign = [Branch { foreign: true, ..branch("app.f", Some(0), false) }];
        assert!(parts(&build, &foreign).is_err());
    }
}
