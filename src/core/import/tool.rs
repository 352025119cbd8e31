//! Owns the list of tools: what each is called, its table and its files.

/// A tool whose history can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// node-pg-migrate.
    NodePgMigrate,
    /// Knex.
    Knex,
    /// Sequelize, by sequelize-cli or umzug.
    Sequelize,
    /// Prisma Migrate.
    Prisma,
    /// Flyway.
    Flyway,
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// Sqitch.
    Sqitch,
    /// pgroll.
    Pgroll,
    /// Reshape.
    Reshape,
}

/// What programs are written in.
pub(super) const PROGRAMS: &[&str] = &["js", "ts", "cjs", "mjs", "cts", "mts"];

impl Tool {
    /// Every tool.
    pub const ALL: [Self; 10] = [
        Self::NodePgMigrate,
        Self::Knex,
        Self::Sequelize,
        Self::Prisma,
        Self::Flyway,
        Self::Dbmate,
        Self::GolangMigrate,
        Self::Sqitch,
        Self::Pgroll,
        Self::Reshape,
    ];

    /// The tool that `--from` names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// As `--from` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodePgMigrate => "node-pg-migrate",
            Self::Knex => "knex",
            Self::Sequelize => "sequelize",
            Self::Prisma => "prisma",
            Self::Flyway => "flyway",
            Self::Dbmate => "dbmate",
            Self::GolangMigrate => "golang-migrate",
            Self::Sqitch => "sqitch",
            Self::Pgroll => "pgroll",
            Self::Reshape => "reshape",
        }
    }

    /// As people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Knex => "Knex",
            Self::Sequelize => "Sequelize",
            Self::Prisma => "Prisma",
            Self::Flyway => "Flyway",
            Self::Sqitch => "Sqitch",
            Self::Reshape => "Reshape",
            other => other.name(),
        }
    }

    /// The usual name of its table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::NodePgMigrate => "pgmigrations",
            Self::Knex => "knex_migrations",
            Self::Sequelize => "SequelizeMeta",
            Self::Prisma => "_prisma_migrations",
            Self::Flyway => "flyway_schema_history",
            Self::Dbmate | Self::GolangMigrate => "schema_migrations",
            Self::Sqitch => "changes",
            Self::Pgroll | Self::Reshape => "migrations",
        }
    }

    /// Columns that its table has; no other tool's table of the same name has them all.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::NodePgMigrate => &["id", "name", "run_on"],
            Self::Knex => &["id", "name", "batch", "migration_time"],
            Self::Sequelize => &["name"],
            Self::Prisma => &["migration_name", "checksum", "finished_at", "rolled_back_at"],
            Self::Flyway => &["installed_rank", "version", "type", "script", "checksum", "success"],
            Self::Dbmate => &["version"],
            Self::GolangMigrate => &["version", "dirty"],
            Self::Sqitch => &["change_id", "change", "project", "planned_at"],
            Self::Pgroll => &["schema", "name", "migration", "parent", "done"],
            Self::Reshape => &["index", "name", "actions", "completed_at"],
        }
    }

    /// Columns that nobody here reads and that may be large.
    #[must_use]
    pub const fn unread(self) -> &'static [&'static str] {
        match self {
            Self::Prisma => &["logs"],
            Self::Pgroll => &["migration", "resulting_schema"],
            Self::Reshape => &["actions"],
            _ => &[],
        }
    }

    /// A table of the same schema that says more.
    #[must_use]
    pub fn beside(self, table: &str) -> Option<String> {
        match self {
            Self::Knex => Some(format!("{table}_lock")),
            Self::Reshape => Some("data".into()),
            _ => None,
        }
    }

    /// The folders where its files usually are.
    #[must_use]
    pub const fn folders(self) -> &'static [&'static str] {
        match self {
            Self::NodePgMigrate | Self::Knex | Self::Sequelize | Self::Pgroll | Self::Reshape => {
                &["migrations"]
            }
            Self::Prisma => &["prisma/migrations"],
            Self::Flyway => &["sql", "src/main/resources/db/migration", "db/migration"],
            Self::Dbmate => &["db/migrations"],
            Self::GolangMigrate => &["db/migrations", "db/migration", "migrations"],
            Self::Sqitch => &["."],
        }
    }

    /// How the names of its files end.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::NodePgMigrate => &["sql", "js", "ts", "cjs", "mjs", "cts", "mts"],
            Self::Knex | Self::Sequelize => PROGRAMS,
            Self::Prisma | Self::Dbmate | Self::GolangMigrate | Self::Flyway => &["sql"],
            Self::Sqitch => &["sql", "plan"],
            Self::Pgroll => &["json", "yaml", "yml"],
            Self::Reshape => &["json", "toml"],
        }
    }

    /// Whether the text of a file with this ending is looked at.
    #[must_use]
    pub fn reads(self, extension: &str) -> bool {
        matches!(extension, "sql" | "plan")
    }

    /// What runs there what is pending.
    #[must_use]
    pub const fn finish(self) -> &'static str {
        match self {
            Self::NodePgMigrate => "npx node-pg-migrate up",
            Self::Knex => "npx knex migrate:latest",
            Self::Sequelize => "npx sequelize-cli db:migrate",
            Self::Prisma => "npx prisma migrate deploy",
            Self::Flyway => "flyway migrate",
            Self::Dbmate => "dbmate migrate",
            Self::GolangMigrate => "migrate -path DIR -database URL up",
            Self::Sqitch => "sqitch deploy",
            Self::Pgroll => "pgroll migrate DIR --complete",
            Self::Reshape => "reshape migration start --complete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found_again() {
        for tool in Tool::ALL {
            assert_eq!(Tool::named(tool.name()), Some(tool));
        }
        assert_eq!(Tool::named("liquibase"), None);
    }
}
