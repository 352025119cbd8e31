//! `add_foreign_key`: a foreign key in force from validate on, when every row is proven to keep to it.
//!
//! It binds every writer of both tables from the moment on at which it is there, NOT VALID or not,
//! so it is not there in expand, where only old code runs: a gate on validate is for the version
//! that keeps to it. A partitioned table gets it by its partitions, because no server before 18
//! takes it NOT VALID for the whole.

use schemars::JsonSchema;
use serde::Deserialize;

use super::constraint::{self, Deferrable, Kind};
use super::draft::{Draft, Sql};
use super::known::Table;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, list, plain};
use crate::core::plan::model::{IndexSpec, StepSpec};

/// `add_foreign_key: {table, columns, references: {table, columns}, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table whose rows refer to others.
    table: String,
    /// Its columns.
    columns: Vec<String>,
    /// What they refer to.
    references: RawReferences,
    /// Its name; without, the one that PostgreSQL would choose.
    name: Option<String>,
    /// What happens to a row when the one that it refers to is deleted.
    on_delete: Option<Deed>,
    /// What happens to a row when the key that it refers to changes.
    on_update: Option<Deed>,
    /// What a key of several columns is of which some are null.
    #[serde(rename = "match")]
    matches: Option<Match>,
    /// When it is checked, if that may wait until COMMIT.
    deferrable: Option<Deferrable>,
    /// Whether to build an index on its columns first.
    #[serde(default)]
    index: bool,
}

/// What a foreign key refers to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawReferences {
    /// The table.
    table: String,
    /// Its columns; without, those of its primary key.
    #[serde(default)]
    columns: Vec<String>,
}

/// What happens to a row that refers to one that goes or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Deed {
    /// The statement fails, when it is checked.
    NoAction,
    /// The statement fails at once.
    Restrict,
    /// The same.
    Cascade,
    /// It gets nothing.
    SetNull,
    /// It gets its default.
    SetDefault,
}

impl Deed {
    const fn words(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

/// What a key of several columns is of which some are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Match {
    /// None.
    Simple,
    /// A fault.
    Full,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddForeignKey {
    table: QName,
    columns: Vec<Ident>,
    to: QName,
    to_columns: Vec<Ident>,
    name: Option<Ident>,
    /// What stands behind the columns that it refers to.
    rest: String,
    index: bool,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddForeignKey> {
    let table = reader.table("table", &raw.table);
    let columns = constraint::columns(reader, "columns", &raw.columns);
    let to = reader.table("references: table", &raw.references.table);
    let to_columns = match raw.references.columns.as_slice() {
        [] => Some(Vec::new()),
        columns => constraint::columns(reader, "references: columns", columns),
    };
    let name = constraint::given_name(reader, raw.name.as_deref());
    let mut rest = String::new();
    if raw.matches == Some(Match::Full) {
        rest += " MATCH FULL";
    }
    for (when, deed) in [("UPDATE", raw.on_update), ("DELETE", raw.on_delete)] {
        rest += &deed.map_or_else(String::new, |deed| format!(" ON {when} {}", deed.words()));
    }
    rest += Deferrable::words(raw.deferrable);
    let (columns, to_columns) = (columns?, to_columns?);
    if !to_columns.is_empty() && columns.len() != to_columns.len() {
        reader.fault("columns and references: columns are not equally many");
    }
    Some(AddForeignKey { table: table?, columns, to: to?, to_columns, name: name?, rest, index: raw.index })
}

/// The columns of a table's primary key, as they are called until contract; `None`: they are not known.
fn primary_of(draft: &Draft<'_>, table: &QName) -> Option<Vec<Ident>> {
    let known = draft.known().table(table)?;
    let key = known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p"))?;
    key.keys.iter().map(|name| Ident::exact(name.clone()).ok()).collect()
}

impl AddForeignKey {
    /// Whether it refers to one of these columns, or may: where it names none, to the primary key.
    pub(super) fn refers_to(&self, table: &QName, columns: &[Ident]) -> bool {
        self.to == *table
            && (self.to_columns.is_empty() || self.to_columns.iter().any(|name| columns.contains(name)))
    }

    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table, &self.to]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, columns, to, .. } = self;
        let known = draft.required(table);
        for column in columns {
            draft.column(table, column);
        }
        self.refuse_unfit(draft);
        let name = constraint::name(draft, table, self.name.as_ref(), columns, Kind::Foreign);
        draft.binds(&format!("foreign key {} of {} to {}", plain(&name), table.plain(), to.plain()));
        let built = self.index(draft, known.as_ref());
        let definition = self.definition(draft);
        for part in constraint::parts(draft, table, &known.unwrap_or_default(), "foreign key") {
            let alter = format!("ALTER TABLE {}", part.table);
            let there = if part.below { "IF EXISTS " } else { "" };
            let add = format!("{alter} ADD CONSTRAINT {name} {definition}");
            let drop = format!("{alter} DROP CONSTRAINT {there}{name}");
            let accepted = |sql: Sql| match built && part.below {
                true => sql.allow("foreign-key-index", "the index of the whole table has one here"),
                false => sql,
            };
            if part.whole {
                // It takes those of its partitions for its own, and reads no row.
                draft.validate_sql(accepted(Sql::new(add, drop)));
                continue;
            }
            draft.validate_sql(accepted(Sql::new(format!("{add} NOT VALID"), drop)));
            draft.validate_sql(Sql::proof(format!("{alter} VALIDATE CONSTRAINT {name}")));
        }
        let mut constraint = constraint::known(&name, "f", definition, columns);
        constraint.references = Some(to.plain());
        draft.now(table, |table| table.constraints.push(constraint));
    }

    fn definition(&self, draft: &Draft<'_>) -> String {
        let now = |table: &QName, columns: &[Ident]| {
            let now: Vec<Ident> = columns.iter().map(|column| draft.name_now(table, column)).collect();
            list(&now)
        };
        let Self { table, columns, to, to_columns, rest, .. } = self;
        let over = match to_columns.as_slice() {
            // By name, so that what changes the key is seen to change what this refers to.
            [] => primary_of(draft, to).map_or_else(String::new, |key| format!(" ({})", list(&key))),
            named => format!(" ({})", now(to, named)),
        };
        format!("FOREIGN KEY ({}) REFERENCES {to}{over}{rest}", now(table, columns))
    }

    /// Each DELETE in the other table looks the rows up that refer to it; whether an index for that is built.
    fn index(&self, draft: &mut Draft<'_>, known: Option<&Table>) -> bool {
        let Self { table, columns, to, .. } = self;
        let now: Vec<Ident> = columns.iter().map(|column| draft.name_now(table, column)).collect();
        if known.is_some_and(|known| known.finds_by(&now)) {
            return false;
        }
        if self.index {
            let known = known.cloned().unwrap_or_default();
            let name = constraint::derived(&known, table, columns, Kind::Index);
            draft.validate(StepSpec::Index(IndexSpec {
                table: table.clone(),
                columns: now.iter().map(ToString::to_string).collect(),
                name: name.clone(),
                unique: false,
                method: None,
                predicate: None,
                include: Vec::new(),
                with: Vec::new(),
            }));
            constraint::name_indexes(draft, table, &known, &name, columns);
        } else if known.is_some() {
            draft.caution(format!(
                "no index of {0} begins with ({1}), so each DELETE and each change of a key in {2} reads all of {0}: \
                 index: true builds one first",
                table.plain(),
                columns.iter().map(plain).collect::<Vec<_>>().join(", "),
                to.plain()
            ));
        }
        self.index
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>) {
        let Self { columns, to, to_columns, .. } = self;
        for column in to_columns {
            draft.column(to, column);
        }
        let Some(known) = draft.required(to) else { return };
        let primary = || known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p"));
        if to_columns.is_empty() {
            match primary() {
                None => draft
                    .refuse(format!("{} has no primary key: name the columns of another key", to.plain())),
                Some(key) if key.keys.len() != columns.len() => {
                    draft.refuse(format!("the primary key of {} has {} columns", to.plain(), key.keys.len()));
                }
                Some(_) => {}
            }
        } else if !known
            .key_of(&to_columns.iter().map(|column| draft.name_now(to, column)).collect::<Vec<_>>())
        {
            draft.refuse(format!(
                "{} has no primary key and no unique constraint over ({}) that is checked at once, which a foreign key needs: \
                 add_unique before it makes one",
                to.plain(),
                to_columns.iter().map(plain).collect::<Vec<_>>().join(", ")
            ));
        }
    }
}
