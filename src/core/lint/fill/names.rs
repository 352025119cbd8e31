//! Owns what a change is called in the safe way: its names, its types, its pieces of SQL.

use super::heir::Heir;
use super::yaml::scalar;
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::lint::table::{CODE_GATE, Case, LOSS_GATE, VALUE_GATE};
use crate::core::sql::{Alter, Change, Demand, NewConstraint, Object, Renamed, TypeRef, is_keyword};

/// The words of one change.
pub(super) struct Names {
    pub(super) table: QName,
    pub(super) column: Option<Ident>,
    /// The column that takes the place of another.
    pub(super) new: Ident,
    /// The type that the values of the old one are cast to.
    pub(super) cast: Option<String>,
    heir: Heir,
    /// The columns that are known to hold no null.
    proven: Vec<Ident>,
    pub(super) columns: Vec<Ident>,
    pub(super) kind: String,
    pub(super) default: String,
    /// Whether the column that is added is NOT NULL.
    not_null: bool,
    /// Whether an index of the table begins with the columns.
    supported: bool,
    pub(super) constraint: Ident,
    pub(super) definition: String,
    pub(super) key_shape: String,
    pub(super) deferral: String,
    pub(super) primary: bool,
    pub(super) index: Option<QName>,
    pub(super) concurrently: String,
    pub(super) partition: Option<QName>,
    pub(super) partitions: Vec<QName>,
}

impl Names {
    pub(super) fn of(case: &Case<'_>, statement: &[Change]) -> Self {
        let table = case.subject().cloned().unwrap_or_else(|| QName { schema: None, name: word("TABLE") });
        let mut names = Self {
            partitions: case.table().map(|table| table.partitions.clone()).unwrap_or_default(),
            table,
            column: None,
            new: word("COLUMN_new"),
            cast: None,
            heir: Heir::default(),
            proven: Vec::new(),
            columns: Vec::new(),
            kind: "TYPE".into(),
            default: "DEFAULT".into(),
            not_null: false,
            supported: false,
            constraint: word("CONSTRAINT"),
            definition: "CONDITION".into(),
            key_shape: String::new(),
            deferral: String::new(),
            primary: false,
            index: None,
            concurrently: "CREATE INDEX CONCURRENTLY …".into(),
            partition: None,
        };
        match case.change {
            Change::Alter { what, .. } => {
                // A constraint inside ADD COLUMN belongs to the column before it.
                let inside = case.added().filter(|added| added.inline.is_some());
                let column = |change: &Change| match change {
                    Change::Alter { what: Alter::AddColumn(column), .. }
                        if inside.is_some_and(|added| added.columns.contains(&column.name)) =>
                    {
                        Some(type_text(&column.kind))
                    }
                    _ => None,
                };
                names.kind = statement.iter().find_map(column).unwrap_or(names.kind);
                names.alter(what);
                let proven =
                    |column: &&Ident| case.table().is_some_and(|table| table.proves_not_null(column));
                names.supported = case.supported(&names.columns);
                names.proven = names.columns.iter().filter(proven).cloned().collect();
                if let Alter::Type { column, to, .. } = what {
                    names.new = Ident::shortened("", &format!("{}_new", column.as_str()));
                    names.cast = Some(to.to_string());
                    names.heir = Heir::of(case, column, &names);
                }
            }
            Change::Rename { of: Renamed::Column, from, to, .. } => {
                names.column = Some(from.clone());
                let known = case.table().and_then(|table| table.column(from));
                if let Some(known) = known.filter(|known| !known.kind.is_empty()) {
                    let collate = known.collation.as_ref().map(|name| format!(" COLLATE {}", written(name)));
                    names.kind = format!("{}{}", known.kind, collate.unwrap_or_default());
                }
                names.new.clone_from(to);
                names.heir = Heir::of(case, from, &names);
            }
            Change::CreateIndex(index) => {
                names.index = Some(index.table.sibling(index.called.clone()));
                names.concurrently.clone_from(&index.concurrent);
            }
            Change::Drop { of: Object::Index, names: dropped, .. } => names.index = dropped.first().cloned(),
            Change::Reindex { name, .. } => names.index = Some(name.clone()),
            _ => {}
        }
        if let (Some(column), false) = (&names.column, matches!(case.change, Change::Rename { .. })) {
            names.new = Ident::shortened("", &format!("{}_new", column.as_str()));
        }
        names
    }

    /// The column whose place is taken.
    pub(super) fn old(&self) -> String {
        self.column.as_ref().map_or_else(|| "COLUMN".into(), named)
    }

    fn alter(&mut self, what: &Alter) {
        match what {
            Alter::AddColumn(column) => {
                self.column = Some(column.name.clone());
                self.kind = type_text(&column.kind);
                self.not_null = column.not_null;
                if let Some(default) = &column.default {
                    self.default.clone_from(&default.text);
                }
            }
            Alter::Type { column, to, .. } => {
                self.column = Some(column.clone());
                self.kind = to.to_string();
            }
            Alter::SetNotNull(column) | Alter::SetExpression(column) => self.column = Some(column.clone()),
            Alter::AddConstraint(added) => self.constraint(added),
            Alter::Attach { partition, .. } | Alter::Detach { partition, .. } => {
                self.partition = Some(partition.clone());
            }
            _ => {}
        }
    }

    fn constraint(&mut self, added: &NewConstraint) {
        self.columns.clone_from(&added.columns);
        self.column = added.columns.first().cloned();
        self.definition.clone_from(&added.definition);
        self.primary = added.demand == Demand::Primary;
        if let Some(index) = &added.index {
            (self.key_shape, self.deferral) = (index.shape.clone(), index.deferral.clone());
        }
        let ending = match &added.demand {
            Demand::Foreign { .. } => "fkey",
            Demand::Check { .. } => "check",
            Demand::Primary => "pkey",
            _ => "key",
        };
        // As the server would name it.
        self.constraint = added.name.clone().unwrap_or_else(|| {
            let columns = if self.primary { &[][..] } else { added.columns.as_slice() };
            let columns: Vec<&str> = columns.iter().map(Ident::as_str).collect();
            self.derived(&[&columns[..], &[ending]].concat())
        });
    }

    /// A name of the table's and some more words, as long as the server allows.
    fn derived(&self, words: &[&str]) -> Ident {
        Ident::shortened("", &[&[self.table.name.as_str()], words].concat().join("_"))
    }

    /// The index that a foreign key wants, where there is none yet.
    fn key_support(&self, columns: &[String]) -> String {
        if self.supported {
            return String::new();
        }
        let columns = if columns.is_empty() { "COLUMNS".into() } else { columns.join(", ") };
        format!("expand:\n  - index: {{table: {}, columns: [{columns}]}}\n", scalar(&written(&self.table)))
    }

    /// What each placeholder stands for.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let (table, constraint) = (written(&self.table), named(&self.constraint));
        let column = self.column.clone().unwrap_or_else(|| word("COLUMN"));
        let called = |name: &Option<QName>, or: &str| name.as_ref().map_or_else(|| or.into(), written);
        let sequence = self.table.sibling(self.derived(&[column.as_str(), "seq"]));
        let key = self.table.sibling(self.constraint.clone());
        let kind = if self.primary { "PRIMARY KEY" } else { "UNIQUE" };
        let bounds = self.partition.as_ref().map_or_else(
            || word("BOUNDS"),
            |name| Ident::shortened("", &format!("{}_bounds", name.name.as_str())),
        );
        let not_null = |column: &Ident| {
            if self.proven.contains(column) {
                return String::new();
            }
            format!("  - not_null: {{table: {}, column: {}}}\n", scalar(&table), scalar(&named(column)))
        };
        let list: Vec<String> = self.columns.iter().map(|column| scalar(&named(column))).collect();
        vec![
            (
                "{key_nulls}",
                if self.primary { self.columns.iter().map(not_null).collect() } else { String::new() },
            ),
            ("{key_parts}", self.key_parts(kind)),
            ("{whole}", format!("ALTER TABLE {table} ADD CONSTRAINT {constraint} {}", self.definition)),
            ("{not_nulls}", self.columns.iter().map(not_null).collect()),
            (
                "{not_valid}",
                format!("ALTER TABLE {table} ADD CONSTRAINT {constraint} {} NOT VALID", self.definition),
            ),
            (
                "{key_index}",
                format!("CREATE UNIQUE INDEX CONCURRENTLY {constraint} ON {table} {}", self.key_shape),
            ),
            (
                "{using_index}",
                format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {constraint} {kind} USING INDEX {constraint}{}",
                    self.deferral
                ),
            ),
            ("{key}", written(&key)),
            ("{new}", named(&self.new)),
            ("{back}", self.heir.back(self)),
            ("{heir_validate}", self.heir.validate(self)),
            ("{heir_limit}", self.heir.limit(self)),
            ("{heir_contract}", self.heir.contract(self)),
            (
                "{added_not_null}",
                if self.not_null { format!("validate:\n{}", not_null(&column)) } else { String::new() },
            ),
            ("{key_support}", self.key_support(&list)),
            ("{code_gate}", CODE_GATE.into()),
            ("{loss_gate}", LOSS_GATE.into()),
            ("{value_gate}", VALUE_GATE.into()),
            ("{sequence}", written(&sequence)),
            ("{sequence_text}", literal(&written(&sequence))),
            ("{table}", table.clone()),
            ("{column}", named(&column)),
            ("{columns}", if list.is_empty() { "COLUMNS".into() } else { list.join(", ") }),
            ("{type}", self.kind.clone()),
            ("{default}", self.default.clone()),
            ("{constraint}", constraint),
            ("{index}", called(&self.index, "INDEX")),
            ("{concurrently}", self.concurrently.clone()),
            ("{partition}", called(&self.partition, "PARTITION")),
            ("{bounds}", named(&bounds)),
            ("{not_null}", named(&self.derived(&[column.as_str(), "not_null"]))),
        ]
    }
}

/// A word in the place of a name that the change does not tell.
pub(super) fn word(text: &str) -> Ident {
    Ident::shortened("", text)
}

/// A name as SQL takes it: in quotes where it needs them, also where it is a word of the grammar.
pub(in crate::core::lint) fn named(name: &Ident) -> String {
    let text = plain(name);
    if is_keyword(&text) { format!("\"{text}\"") } else { text }
}

/// The name of a relation as SQL takes it.
pub(in crate::core::lint) fn written(name: &QName) -> String {
    let schema = name.schema.as_ref().map(|schema| named(schema) + ".");
    schema.unwrap_or_default() + &named(&name.name)
}

/// A type as a column has it: `serial` is an integer and a sequence.
fn type_text(kind: &TypeRef) -> String {
    match kind.name.as_str() {
        "serial" | "serial4" if kind.is_serial() => "integer".into(),
        "bigserial" | "serial8" if kind.is_serial() => "bigint".into(),
        "smallserial" | "serial2" if kind.is_serial() => "smallint".into(),
        _ => kind.to_string(),
    }
}
