//! Owns the question whose table it is: by its name and its columns.

use super::Tool;

/// A table of the database that may be some tool's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The other tables of its schema that are looked at here.
    pub beside: Vec<String>,
}

/// A tool's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose it is.
    pub tool: Tool,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

/// What stands beside the table of a framework that is none of these tools.
const RAILS: &str = "ar_internal_metadata";
/// What stands beside a history of Sqitch.
const SQITCH: &str = "projects";

/// Every table that is to be asked for.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Tool::ALL.iter().map(|tool| tool.table()).chain([RAILS, SQITCH]).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The tools' tables among some, in the order of the tools.
#[must_use]
pub fn found(tables: &[Table]) -> Vec<Found> {
    let of = |tool: Tool| {
        tables.iter().filter(move |table| is(tool, table)).map(move |table| Found {
            tool,
            schema: table.schema.clone(),
            name: table.name.clone(),
        })
    };
    Tool::ALL.into_iter().flat_map(of).collect()
}

/// Whether a table has the columns of a tool's, whatever its name.
#[must_use]
pub fn fits(tool: Tool, table: &Table) -> bool {
    let has = |column: &&str| table.columns.iter().any(|there| there == column);
    let others = match tool {
        // The table of golang-migrate has one more, that of Ecto another.
        Tool::Dbmate => table.columns.iter().all(|column| matches!(column.as_str(), "version" | "checksum")),
        Tool::GolangMigrate => table.columns.len() == 2,
        Tool::Sequelize => {
            table.columns.iter().all(|c| matches!(c.as_str(), "name" | "createdAt" | "updatedAt"))
        }
        _ => true,
    };
    others && tool.columns().iter().all(has)
}

fn is(tool: Tool, table: &Table) -> bool {
    let beside = |name: &str| table.beside.iter().any(|other| other == name);
    let place = match tool {
        Tool::Dbmate => !beside(RAILS),
        Tool::Sqitch => beside(SQITCH),
        _ => true,
    };
    table.name == tool.table() && place && fits(tool, table)
}

/// What can be said where none was found.
#[must_use]
pub fn nearly(tables: &[Table]) -> Option<String> {
    let rails = tables
        .iter()
        .find(|table| table.name == "schema_migrations" && table.beside.iter().any(|b| b == RAILS));
    rails.map(|table| {
        format!(
            "{}.schema_migrations is the table of Rails ({RAILS} stands beside it), which phase does not import: \
             write the schema as it is into one SQL migration (pg_dump --schema-only) and record it with phase baseline",
            table.schema
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(schema: &str, name: &str, columns: &[&str], beside: &[&str]) -> Table {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Table { schema: schema.into(), name: name.into(), columns: owned(columns), beside: owned(beside) }
    }

    fn tools(tables: &[Table]) -> Vec<&'static str> {
        found(tables).iter().map(|found| found.tool.name()).collect()
    }

    #[test]
    fn schema_migrations_is_told_apart_by_its_columns() {
        let named = |columns: &[&str], beside: &[&str]| {
            tools(&[table("public", "schema_migrations", columns, beside)])
        };
        assert_eq!(named(&["version"], &[]), ["dbmate"]);
        assert_eq!(named(&["version", "dirty"], &[]), ["golang-migrate"]);
        assert!(named(&["version", "inserted_at"], &[]).is_empty(), "Ecto");
        assert!(named(&["version"], &["ar_internal_metadata"]).is_empty(), "Rails");
    }

    #[test]
    fn migrations_is_told_apart_by_its_columns() {
        let pgroll = table("pgroll", "migrations", &["schema", "name", "migration", "parent", "done"], &[]);
        let reshape =
            table("reshape", "migrations", &["index", "name", "description", "actions", "completed_at"], &[]);
        assert_eq!(tools(&[reshape, pgroll]), ["pgroll", "reshape"]);
        let laravel = table("public", "migrations", &["id", "migration", "batch"], &[]);
        assert!(tools(&[laravel]).is_empty());
    }

    #[test]
    fn changes_is_sqitchs_only_beside_its_projects() {
        let columns = ["change_id", "change", "project", "planned_at"];
        assert!(tools(&[table("public", "changes", &columns, &[])]).is_empty());
        assert_eq!(tools(&[table("sqitch", "changes", &columns, &["projects"])]), ["sqitch"]);
    }

    #[test]
    fn rails_is_named() {
        let rails = table("app", "schema_migrations", &["version"], &["ar_internal_metadata"]);
        assert!(nearly(&[rails]).is_some_and(|said| said.contains("Rails")));
    }
}
