//! Owns the safe way that a finding prints: the names of the change in the text of its row.
//!
//! The text of a row is YAML: `{name}` stands for a name or a piece of SQL of the
//! change, `«…»` for a value that gets YAML's quotes where it needs them.

use super::table::{Case, Row, Safe};
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::sql::{Alter, Change, Demand, NewConstraint, Object, TypeRef};

/// What to write instead, in the names of the change; in words where a plan with
/// those names would not say the same.
pub(super) fn safe_way(row: &Row, case: &Case<'_>, statement: &[Change]) -> String {
    let Some(hazard) = row.hazard else { return String::new() };
    let text = match hazard.safe {
        Safe::Advice(text) => return fill(text, case, statement),
        Safe::Plan(text) => text,
    };
    if matches!(case.alter(), Some(Alter::Type { computed: true, .. })) {
        return "a column of the new type beside the old one, with the USING expression in the set of a sync and of a \
                backfill, and its reverse in back"
            .into();
    }
    let filled = fill(text, case, statement);
    let inline = case.added().is_some_and(|added| added.inline.is_some());
    if inline && !text.contains("ADD COLUMN") {
        let column = fill(
            "expand:\n  - sql: «ALTER TABLE {table} ADD COLUMN {column} {type}»\n    undo: «ALTER TABLE {table} DROP COLUMN {column}»\n",
            case,
            statement,
        );
        return merged(&[column, filled]);
    }
    filled
}

/// The safe ways of the changes of one statement as one: the steps of a phase under one key.
pub(super) fn merged(ways: &[String]) -> String {
    let header = |line: &str| line.ends_with(':') && !line.starts_with(' ');
    if !ways.iter().all(|way| way.lines().next().is_some_and(header)) {
        let mut distinct: Vec<&str> = Vec::new();
        ways.iter().filter(|way| !way.is_empty()).for_each(|way| {
            if !distinct.contains(&way.as_str()) {
                distinct.push(way);
            }
        });
        return distinct.join("; ");
    }
    let mut phases: Vec<(&str, String)> = Vec::new();
    for line in ways.iter().flat_map(|way| {
        way.lines().scan("", |phase, line| {
            if header(line) {
                *phase = line;
            }
            Some((*phase, line))
        })
    }) {
        let (phase, line) = line;
        let at = phases.iter().position(|(known, _)| *known == phase).unwrap_or_else(|| {
            phases.push((phase, String::new()));
            phases.len() - 1
        });
        if line != phase {
            phases[at].1 += &format!("{line}\n");
        }
    }
    let order = |phase: &str| {
        ["expand:", "backfill:", "validate:", "contract:"].iter().position(|known| *known == phase)
    };
    phases.sort_by_key(|(phase, _)| order(phase));
    phases.into_iter().map(|(phase, steps)| format!("{phase}\n{steps}")).collect()
}

/// The text with `{table}`, `{column}` and the like in the words of the change of a `statement`;
/// what the change does not tell stays in capitals.
pub(super) fn fill(text: &str, case: &Case<'_>, statement: &[Change]) -> String {
    let names = Names::of(case, statement);
    let filled = names.pairs().iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    let mut pieces = filled.split('«');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| match piece.split_once('»') {
        Some((value, rest)) => text + &scalar(value) + rest,
        None => text + piece,
    })
}

/// A value as YAML: as it is where that is sure to mean the same, else in quotes.
fn scalar(value: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '…');
    let taken = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let starts = value.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    // Between brackets a comma or a bracket would end it; `: ` and ` #` end it anywhere.
    let sentence = |c: char| {
        word(c) || matches!(c, ' ' | '(' | ')' | '=' | '>' | '<' | '+' | '\'' | '/' | '*' | '-' | ';')
    };
    if starts && value.chars().all(sentence) && !taken.contains(&value.to_lowercase().as_str()) {
        value.to_owned()
    } else if value.contains('"') || value.contains('\\') {
        format!("'{}'", value.replace('\'', "''"))
    } else {
        format!("\"{value}\"")
    }
}

struct Names {
    table: QName,
    column: Option<Ident>,
    columns: Vec<Ident>,
    kind: String,
    default: String,
    constraint: Ident,
    definition: String,
    key_shape: String,
    deferral: String,
    primary: bool,
    index: Option<QName>,
    concurrently: String,
    unique: &'static str,
    shape: String,
    partition: Option<QName>,
    partitions: Vec<QName>,
}

impl Names {
    fn of(case: &Case<'_>, statement: &[Change]) -> Self {
        let table = case.subject().cloned().unwrap_or_else(|| QName { schema: None, name: word("TABLE") });
        let mut names = Self {
            partitions: case.table().map(|table| table.partitions.clone()).unwrap_or_default(),
            table,
            column: None,
            columns: Vec::new(),
            kind: "TYPE".into(),
            default: "DEFAULT".into(),
            constraint: word("CONSTRAINT"),
            definition: "CONDITION".into(),
            key_shape: String::new(),
            deferral: String::new(),
            primary: false,
            index: None,
            concurrently: "CREATE INDEX CONCURRENTLY …".into(),
            unique: "",
            shape: String::new(),
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
            }
            Change::CreateIndex(index) => {
                names.index = Some(index.table.sibling(index.called.clone()));
                names.concurrently.clone_from(&index.concurrent);
                names.unique = if index.unique { "UNIQUE " } else { "" };
                names.shape.clone_from(&index.shape);
            }
            Change::Drop { of: Object::Index, names: dropped, .. } => names.index = dropped.first().cloned(),
            Change::Reindex { name, .. } => names.index = Some(name.clone()),
            _ => {}
        }
        names
    }

    fn alter(&mut self, what: &Alter) {
        match what {
            Alter::AddColumn(column) => {
                self.column = Some(column.name.clone());
                self.kind = type_text(&column.kind);
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

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let (table, constraint) = (self.table.plain(), plain(&self.constraint));
        let column = self.column.clone().unwrap_or_else(|| word("COLUMN"));
        let named = |name: &Option<QName>, or: &str| name.as_ref().map_or_else(|| or.into(), QName::plain);
        let sequence = self.table.sibling(self.derived(&[column.as_str(), "seq"]));
        let key = self.table.sibling(self.constraint.clone());
        let kind = if self.primary { "PRIMARY KEY" } else { "UNIQUE" };
        let bounds = self.partition.as_ref().map_or_else(
            || word("BOUNDS"),
            |name| Ident::shortened("", &format!("{}_bounds", name.name.as_str())),
        );
        let not_null = |column: &Ident| {
            format!("  - not_null: {{table: {}, column: {}}}\n", scalar(&table), scalar(&plain(column)))
        };
        let list: Vec<String> = self.columns.iter().map(|column| scalar(&plain(column))).collect();
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
            ("{key}", key.plain()),
            ("{parts}", self.parts()),
            (
                "{only}",
                format!("CREATE {}INDEX {} ON ONLY {table} {}", self.unique, self.index_name(), self.shape),
            ),
            ("{new}", plain(&Ident::shortened("", &format!("{}_new", column.as_str())))),
            ("{sequence}", sequence.plain()),
            ("{sequence_text}", literal(&sequence.plain())),
            ("{table}", table.clone()),
            ("{column}", plain(&column)),
            ("{columns}", if list.is_empty() { "COLUMNS".into() } else { list.join(", ") }),
            ("{type}", self.kind.clone()),
            ("{default}", self.default.clone()),
            ("{constraint}", constraint),
            ("{index}", named(&self.index, "INDEX")),
            ("{concurrently}", self.concurrently.clone()),
            ("{partition}", named(&self.partition, "PARTITION")),
            ("{bounds}", plain(&bounds)),
        ]
    }

    fn index_name(&self) -> String {
        self.index.as_ref().map_or_else(|| "INDEX".into(), |index| plain(&index.name))
    }

    /// The partitions of the table, or a word for them.
    fn partitions(&self) -> Vec<QName> {
        let unknown = || vec![QName { schema: None, name: word("PARTITION") }];
        if self.partitions.is_empty() { unknown() } else { self.partitions.clone() }
    }

    /// The steps that give each partition the constraint, so that that of the table finds it there.
    fn key_parts(&self, kind: &str) -> String {
        let part = |partition: &QName| {
            let own =
                Ident::shortened("", &format!("{}_{}", partition.name.as_str(), self.constraint.as_str()));
            let (table, name) = (partition.plain(), plain(&own));
            let undo = scalar(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
            let (first, first_undo, then) = if self.key_shape.is_empty() {
                (
                    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {} NOT VALID", self.definition),
                    undo,
                    format!(
                        "  - sql: {}\n",
                        scalar(&format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
                    ),
                )
            } else {
                let add = format!(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}{}",
                    self.deferral
                );
                (
                    format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {}", self.key_shape),
                    scalar(&format!("DROP INDEX CONCURRENTLY {}", partition.sibling(own).plain())),
                    format!("  - sql: {}\n    undo: {undo}\n", scalar(&add)),
                )
            };
            format!("  - sql: {}\n    undo: {first_undo}\n{then}", scalar(&first))
        };
        self.partitions().iter().map(part).collect()
    }

    /// The steps that build an index on each partition, and attach it.
    fn parts(&self) -> String {
        let index = self.index.as_ref().map_or_else(|| word("INDEX"), |index| index.name.clone());
        let part = |partition: &QName| {
            let name = Ident::shortened("", &format!("{}_{}", partition.name.as_str(), index.as_str()));
            let build = format!(
                "CREATE {}INDEX CONCURRENTLY {} ON {} {}",
                self.unique,
                plain(&name),
                partition.plain(),
                self.shape
            );
            let own = partition.sibling(name).plain();
            let attach = format!(
                "ALTER INDEX {} ATTACH PARTITION {own}",
                self.index.as_ref().map_or_else(|| "INDEX".into(), QName::plain)
            );
            format!(
                "  - sql: {}\n    undo: {}\n  - sql: {}\n    undo: \"irreversible: it goes with the index\"\n",
                scalar(&build),
                scalar(&format!("DROP INDEX CONCURRENTLY {own}")),
                scalar(&attach)
            )
        };
        self.partitions().iter().map(part).collect()
    }
}

/// A word in the place of a name that the change does not tell.
fn word(text: &str) -> Ident {
    Ident::shortened("", text)
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
