//! Owns the safe way that a finding prints: the names of the change in the text of its row.

use super::table::{Case, Row, Safe};
use crate::core::ident::{Ident, plain};
use crate::core::sql::{Alter, Change, Demand, NewConstraint, Object};

/// What to write instead, in the names of the change; in words where a plan with
/// those names would not say the same.
pub(super) fn safe_way(row: &Row, case: &Case<'_>, statement: &[Change]) -> String {
    let Some(hazard) = row.hazard else { return String::new() };
    let text = match hazard.safe {
        Safe::Advice(text) => return fill(text, case, statement),
        Safe::Plan(text) => text,
    };
    if matches!(case.alter(), Some(Alter::Type { using: true, .. })) {
        return "a column of the new type beside the old one, with the USING expression in the set of a sync and of a \
                backfill, and its reverse in back"
            .into();
    }
    let filled = fill(text, case, statement);
    // The quotes of SQL's names are not those of YAML.
    if filled.matches('"').count() > text.matches('"').count() {
        return format!(
            "see docs/lint/{}.md; names and texts with quotes stand in YAML's own quotes as well",
            row.id
        );
    }
    let inline = case.added().is_some_and(|added| added.inline.is_some());
    if inline && !text.contains("ADD COLUMN") {
        let column = fill(
            "expand:\n  - sql: ALTER TABLE {table} ADD COLUMN {column} {type}\n    undo: ALTER TABLE {table} DROP COLUMN {column}\n",
            case,
            statement,
        );
        return column + &filled;
    }
    filled
}

/// The text with `{table}`, `{column}` and the like in the words of the change of a `statement`;
/// what the change does not tell stays in capitals.
pub(super) fn fill(text: &str, case: &Case<'_>, statement: &[Change]) -> String {
    let names = Names::of(case, statement);
    let pairs = [
        ("{table_column}", format!("{}_{}", names.table_name, names.column)),
        ("{table}", names.table),
        ("{column}", names.column),
        ("{columns}", names.columns),
        ("{type}", names.kind),
        ("{default}", names.default),
        ("{constraint}", names.constraint),
        ("{check}", names.check),
        ("{referenced}", names.referenced),
        ("{index}", names.index),
        ("{concurrently}", names.concurrently),
        ("{partition}", names.partition),
    ];
    pairs.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

struct Names {
    table: String,
    table_name: String,
    column: String,
    columns: String,
    kind: String,
    default: String,
    constraint: String,
    check: String,
    referenced: String,
    index: String,
    concurrently: String,
    partition: String,
}

impl Names {
    fn of(case: &Case<'_>, statement: &[Change]) -> Self {
        let table = case.subject();
        let mut names = Self {
            table: table.map_or_else(|| "TABLE".into(), |name| name.plain()),
            table_name: table.map_or_else(|| "TABLE".into(), |name| plain(&name.name)),
            column: "COLUMN".into(),
            columns: "COLUMNS".into(),
            kind: "TYPE".into(),
            default: "DEFAULT".into(),
            constraint: "CONSTRAINT".into(),
            check: "CONDITION".into(),
            referenced: "OTHER".into(),
            index: "INDEX".into(),
            concurrently: "CREATE INDEX CONCURRENTLY …".into(),
            partition: "PARTITION".into(),
        };
        match case.change {
            Change::Alter { what, .. } => {
                // A constraint inside ADD COLUMN belongs to the column before it.
                if case.added().is_some_and(|added| added.inline.is_some()) {
                    let column = |change: &Change| match change {
                        Change::Alter { what: Alter::AddColumn(column), .. } => Some(column.kind.to_string()),
                        _ => None,
                    };
                    names.kind = statement.iter().find_map(column).unwrap_or(names.kind);
                }
                names.alter(what);
            }
            Change::CreateIndex(index) => {
                let columns: Vec<&str> = index
                    .columns
                    .iter()
                    .map(|column| column.as_ref().map_or("EXPRESSION", Ident::as_str))
                    .collect();
                names.columns = columns.join(", ");
                names.index = index.name.as_ref().map_or_else(|| "INDEX".into(), plain);
                names.concurrently.clone_from(&index.concurrent);
            }
            Change::Drop { of: Object::Index, names: dropped, .. } => {
                if let Some(index) = dropped.first() {
                    names.index = index.plain();
                }
            }
            Change::Reindex { name, .. } => names.index = name.plain(),
            _ => {}
        }
        names
    }

    fn alter(&mut self, what: &Alter) {
        match what {
            Alter::AddColumn(column) => {
                self.column = plain(&column.name);
                self.kind = column.kind.to_string();
                if let Some(default) = &column.default {
                    self.default.clone_from(&default.text);
                }
            }
            Alter::Type { column, to, .. } => (self.column, self.kind) = (plain(column), to.to_string()),
            Alter::SetNotNull(column) | Alter::SetExpression(column) => self.column = plain(column),
            Alter::AddConstraint(added) => self.constraint(added),
            Alter::Attach { partition, .. } | Alter::Detach { partition, .. } => {
                self.partition = partition.plain();
            }
            _ => {}
        }
    }

    fn constraint(&mut self, added: &NewConstraint) {
        let list = |columns: &[Ident]| columns.iter().map(plain).collect::<Vec<_>>().join(", ");
        if !added.columns.is_empty() {
            self.columns = list(&added.columns);
            self.column = plain(&added.columns[0]);
        }
        let ending = match &added.demand {
            Demand::Foreign { to, columns } => {
                let columns =
                    if columns.is_empty() { String::new() } else { format!(" ({})", list(columns)) };
                self.referenced = format!("{}{columns}", to.plain());
                "fkey"
            }
            Demand::Check { text, .. } => {
                self.check.clone_from(text);
                "check"
            }
            Demand::Primary => "pkey",
            _ => "key",
        };
        // As the server would name it.
        self.constraint = match &added.name {
            Some(name) => plain(name),
            None if added.demand == Demand::Primary => format!("{}_pkey", self.table_name),
            None => {
                let columns: Vec<&str> = added.columns.iter().map(Ident::as_str).collect();
                let words = [&[self.table_name.as_str()][..], &columns, &[ending]].concat().join("_");
                plain(&Ident::shortened("", &words))
            }
        };
    }
}
