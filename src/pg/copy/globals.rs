//! Owns what a dump of a database leaves out and a copy of it needs: the roles of the
//! server, and the settings of the database and of our role.

use tokio_postgres::error::SqlState;

use super::said;
use crate::core::failure::Failure;
use crate::core::ident::{Ident, literal};
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::queries as q;

/// Roles and settings, without any secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Globals {
    /// The user of the session.
    pub user: String,
    roles: Vec<Role>,
    settings: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Role {
    name: String,
    options: String,
    member_of: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    name: String,
    value: String,
    /// Whether the value is a list that is quoted already.
    list: bool,
}

impl Globals {
    /// Those of the server and database of a session.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn read(session: &Session) -> Result<Self, Failure> {
        let rows = |sql: &'static str| async move {
            session.client.query(sql, &[]).await.map_err(|error| failure(&error))
        };
        let user = rows("SELECT session_user::text AS name").await?;
        let role = |row: &tokio_postgres::Row| {
            let option = |column: &str, yes: &str, no: &str| {
                if row.get::<_, bool>(column) { yes.to_owned() } else { no.to_owned() }
            };
            let options = [
                option("inherits", "INHERIT", "NOINHERIT"),
                option("bypasses", "BYPASSRLS", "NOBYPASSRLS"),
                option("super", "SUPERUSER", "NOSUPERUSER"),
            ];
            Role { name: row.get("name"), options: options.join(" "), member_of: row.get("member_of") }
        };
        let setting = |row: &tokio_postgres::Row| Setting {
            name: row.get("name"),
            value: row.get::<_, Option<String>>("value").unwrap_or_default(),
            list: row.get("list"),
        };
        Ok(Self {
            user: user.first().map(|row| row.get("name")).unwrap_or_default(),
            roles: rows(q::COPY_ROLES).await?.iter().map(role).collect(),
            settings: rows(q::COPY_SETTINGS).await?.iter().map(setting).collect(),
        })
    }

    /// Makes the same roles and settings on another server, where our own role may log
    /// in and do anything; `database` takes the settings. What could not be made is said,
    /// one sentence each.
    pub async fn apply(&self, session: &Session, database: &Ident) -> Vec<String> {
        let mut notes = Vec::new();
        for sql in self.sql(database) {
            if let Err(error) = session.client.batch_execute(&sql).await
                && error.code() != Some(&SqlState::DUPLICATE_OBJECT)
            {
                notes.push(format!("not carried over: {sql}: {}", said(&error)));
            }
        }
        notes
    }

    fn sql(&self, database: &Ident) -> Vec<String> {
        let mut sql = Vec::new();
        for role in &self.roles {
            let Ok(name) = Ident::exact(role.name.clone()) else { continue };
            sql.push(format!("CREATE ROLE {name} {}", role.options));
            if role.name == self.user {
                sql.push(format!("ALTER ROLE {name} LOGIN SUPERUSER"));
            }
        }
        for role in &self.roles {
            let Ok(name) = Ident::exact(role.name.clone()) else { continue };
            let groups = role.member_of.iter().filter_map(|group| Ident::exact(group.clone()).ok());
            sql.extend(groups.map(|group| format!("GRANT {group} TO {name}")));
        }
        for Setting { name, value, list } in &self.settings {
            let value = if *list && !value.is_empty() { value.clone() } else { literal(value) };
            sql.push(format!("ALTER DATABASE {database} SET {name} = {value}"));
        }
        sql
    }
}
