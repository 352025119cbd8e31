//! `create_table`: a new table, with its keys, checks and comments.

mod raw;

use super::draft::{Draft, Sql};
use super::{constraint, known};
use crate::core::ident::{Ident, QName, do_block, list, literal, plain};
pub(super) use raw::{Raw, read};

/// A new table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    table: QName,
    columns: Vec<NewColumn>,
    /// Its constraints, as SQL writes them.
    constraints: Vec<String>,
    keys: Vec<Key>,
    /// Its primary key.
    primary: Vec<Ident>,
    /// That and its unique keys.
    unique: Vec<Unique>,
    comment: Option<String>,
}

/// A column of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NewColumn {
    name: Ident,
    kind: String,
    not_null: bool,
    /// What follows its type, as SQL writes it.
    rest: String,
    /// Whether the server gives it a value where nobody does.
    filled: bool,
    comment: Option<String>,
}

/// A key of it of which no two rows have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unique {
    columns: Vec<Ident>,
    /// Whether it is the primary key.
    primary: bool,
    /// Its name; `None`: the server chooses one.
    name: Option<Ident>,
}

/// A foreign key of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    columns: Vec<Ident>,
    references: QName,
    /// The columns there; none: its primary key.
    to: Vec<Ident>,
    /// Whether rows go with those that they refer to.
    follows_delete: bool,
    /// Whether they change with those.
    follows_update: bool,
    /// Whether a primary or a unique key of the new table begins with its columns.
    indexed: bool,
}

/// A foreign key of a new table by which each of its rows belongs to one of another.
pub(super) struct Owner {
    /// The columns.
    pub(super) columns: Vec<Ident>,
    /// The columns there; none: its primary key.
    pub(super) to: Vec<Ident>,
    /// Whether rows go with those that they refer to.
    pub(super) follows_delete: bool,
    /// Whether they change with those.
    pub(super) follows_update: bool,
}

impl CreateTable {
    pub(super) const fn table(&self) -> &QName {
        &self.table
    }

    /// The foreign keys to a table of which no two rows have the same.
    pub(super) fn owners(&self, table: &QName) -> Vec<Owner> {
        let same = |a: &[Ident], b: &[Ident]| a.len() == b.len() && a.iter().all(|name| b.contains(name));
        let keys = self.keys.iter().filter(|key| {
            key.references == *table && self.unique.iter().any(|unique| same(&unique.columns, &key.columns))
        });
        let owner = |key: &Key| Owner {
            columns: key.columns.clone(),
            to: key.to.clone(),
            follows_delete: key.follows_delete,
            follows_update: key.follows_update,
        };
        keys.map(owner).collect()
    }

    /// Whether a foreign key of it refers to one of these columns, or may: where it names none, to the primary key.
    pub(super) fn refers_to(&self, table: &QName, columns: &[Ident]) -> bool {
        let among = |key: &Key| key.to.is_empty() || key.to.iter().any(|name| columns.contains(name));
        self.keys.iter().any(|key| key.references == *table && among(key))
    }

    /// The columns that every row must be given.
    pub(super) fn wanted(&self) -> Vec<&Ident> {
        self.columns
            .iter()
            .filter(|column| column.not_null && !column.filled)
            .map(|column| &column.name)
            .collect()
    }

    /// The columns that must have a value, by its primary key or by NOT NULL.
    pub(super) fn never_null(&self, column: &Ident) -> bool {
        self.primary.contains(column) || self.columns.iter().any(|of| of.name == *column && of.not_null)
    }

    pub(super) fn tables(&self) -> Vec<&QName> {
        std::iter::once(&self.table).chain(self.keys.iter().map(|key| &key.references)).collect()
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let table = &self.table;
        if draft.table(table).is_some() {
            draft.refuse(format!("{} is there already", table.plain()));
        }
        for key in &self.keys {
            self.refers(draft, key);
        }
        let mut undo = vec![format!("DROP TABLE {table}")];
        if draft.fills(table) {
            draft.caution(format!(
                "abort drops {} with all that new code has written there: rows that this plan copies into it cannot be \
                 told from those",
                table.plain()
            ));
        } else {
            undo.splice(0..0, [format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), refuse_rows(table)]);
        }
        let why = "nobody but new code knows the table, and abort comes when that is gone";
        draft.expand_sql(Sql::new(self.statements().join(";\n"), undo.join(";\n")).allow("opaque", why));
        draft.makes(table.clone());
        let columns = self.columns.iter().map(|column| known::Column {
            name: column.name.as_str().into(),
            kind: column.kind.clone(),
            not_null: self.never_null(&column.name),
            ..known::Column::default()
        });
        let mut made =
            known::Table { kind: "r".into(), columns: columns.collect(), ..known::Table::default() };
        self.unique.iter().for_each(|key| key.put(table, &mut made));
        draft.made(table, made);
    }

    fn statements(&self) -> Vec<String> {
        let Self { table, .. } = self;
        let columns =
            self.columns.iter().map(|column| format!("{} {}{}", column.name, column.kind, column.rest));
        let all: Vec<String> = columns.chain(self.constraints.iter().cloned()).collect();
        let mut sql = vec![format!("CREATE TABLE {table} (\n  {}\n)", all.join(",\n  "))];
        if let Some(comment) = &self.comment {
            sql.push(format!("COMMENT ON TABLE {table} IS {}", literal(comment)));
        }
        for column in &self.columns {
            if let Some(comment) = &column.comment {
                sql.push(format!("COMMENT ON COLUMN {table}.{} IS {}", column.name, literal(comment)));
            }
        }
        sql
    }

    fn refers(&self, draft: &mut Draft<'_>, key: &Key) {
        let own = key.references == self.table;
        if !own && draft.table(&key.references).is_none() && draft.knows_all() {
            draft.refuse(format!("there is no table {}", key.references.plain()));
        }
        if !key.indexed {
            let columns: Vec<String> = key.columns.iter().map(plain).collect();
            draft.caution(format!(
                "no key of {0} begins with {1}: every DELETE in {2} and every change of its key reads the whole of {0}; \
                 add_index: {{table: {0}, columns: [{3}]}}",
                self.table.plain(),
                columns.join(", "),
                key.references.plain(),
                columns.join(", ")
            ));
        }
    }
}

impl Unique {
    /// Makes it known, under the name that it has or the one that the server chooses.
    fn put(&self, table: &QName, made: &mut known::Table) {
        let Self { columns, primary, name } = self;
        let derived = || match primary {
            true => Ident::derived(table.name.as_str(), "", "pkey"),
            false => constraint::derived(made, table, columns, constraint::Kind::Unique),
        };
        let name = name.clone().unwrap_or_else(derived);
        let (kind, words) = if *primary { ("p", "PRIMARY KEY") } else { ("u", "UNIQUE") };
        let keys: Vec<String> = columns.iter().map(|column| column.as_str().to_owned()).collect();
        made.indexes.push(known::Index {
            name: name.as_str().into(),
            definition: format!("CREATE UNIQUE INDEX {name} ON {table} USING btree ({})", list(columns)),
            columns: keys.clone(),
            keys,
            constraint: Some(kind.into()),
            valid: true,
            unique: true,
            immediate: true,
            ..known::Index::default()
        });
        let definition = format!("{words} ({})", list(columns));
        made.constraints.push(constraint::known(&name, kind, definition, columns));
    }
}

/// Rows that new code wrote have no other place: abort leaves them to a person.
fn refuse_rows(table: &QName) -> String {
    let body = format!(
        "BEGIN\n  IF EXISTS (SELECT FROM {table}) THEN\n    \
         RAISE EXCEPTION 'table % has rows, which would be lost', {}\n      \
         USING HINT = 'Keep them elsewhere and TRUNCATE it; or rename it, and abort with --undone and this step.';\n  END IF;\nEND",
        literal(&table.plain()),
    );
    do_block(&body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Known;
    use super::super::testing::{cautions, changes, known, refused, shown, table};

    const TEXT: &str = r#"change:
  - create_table:
      table: app."Odd ""t"
      columns:
        - {name: id, type: bigint, identity: always, primary_key: true}
        - {name: '"B b"', type: 'varchar(20)', not_null: true, default: "'it''s'", collation: '"C"', comment: It's odd.}
        - {name: n, type: int, generated: id + 1}
        - {name: parent, type: bigint}
      unique: [{columns: ['"B b"', parent], name: once}]
      checks: [{check: n > 0}]
      foreign_keys: [{columns: [parent], references: parents, to: [id], on_delete: set_null}]
      comment: New.
"#;

    #[test]
    fn what_the_table_is_made_of() {
        insta::assert_snapshot!(shown(TEXT, &Known::default()));
        assert!(
            cautions(TEXT, &Known::default())[0]
                .contains("add_index: {table: app.\"Odd \"\"t\", columns: [parent]}")
        );
    }

    #[test]
    fn rows_that_the_plan_copies_do_not_hold_abort_back() {
        let text = "change:\n  - create_table: {table: t, columns: [{name: a, type: text}]}\nbackfill:\n  - {table: old, copy: {into: t, columns: {a: a}}, where: a IS NOT NULL}\n";
        let shown = shown(text, &Known::default());
        assert!(shown.contains("  undo: DROP TABLE \"t\"") && !shown.contains("RAISE"), "{shown}");
        assert!(cautions(text, &Known::default())[0].starts_with("abort drops t with all"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(
            refused(TEXT, &known([("app.\"Odd \"\"t\"", table(&[]))])),
            ["app.\"Odd \"\"t\" is there already", "there is no table parents"]
        );
        assert_eq!(refused(TEXT, &known([("parents", table(&["id"]))])), Vec::<String>::new());
        for bad in [
            "columns: []",
            "columns: [{name: a, type: serial}]",
            "columns: [{name: a, type: int, default: '1', identity: always}]",
            "columns: [{name: a, type: int, primary_key: true}], primary_key: [a]",
            "columns: [{name: a, type: int}], primary_key: [b]",
            "columns: [{name: a, type: int}], unique: [{columns: []}]",
            "columns: [{name: a, type: int}], checks: [{check: 'a > 0), b int, CHECK (true'}]",
            "columns: [{name: a, type: 'int, b int'}]",
        ] {
            let text = format!("change:\n  - create_table: {{table: t, {bad}}}\n");
            assert!(changes(&text, &Known::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_changes_that_follow_know_the_table() {
        let text = "change:\n  - create_table: {table: t, columns: [{name: a, type: text}]}\n  - add_index: {table: t, columns: [z]}\n";
        assert_eq!(refused(text, &known([])), ["table t has no column z"]);
        let key = "  - add_foreign_key: {table: d, columns: [x], references: {table: t}, index: true}\n";
        for (made, to) in [
            ("columns: [{name: a, type: int, primary_key: true}]", "table: t}"),
            ("columns: [{name: a, type: int}], primary_key: [a]", "table: t, columns: [a]}"),
            ("columns: [{name: a, type: int}], unique: [{columns: [a]}]", "table: t, columns: [a]}"),
        ] {
            let key = key.replace("table: t}", to);
            let text = format!("change:\n  - create_table: {{table: t, {made}}}\n{key}");
            assert_eq!(refused(&text, &known([("d", table(&["x"]))])), Vec::<String>::new(), "{made}");
        }
    }
}
