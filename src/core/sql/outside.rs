//! Finds statements that reach out of the database: files and programs of the server, other servers.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{CreateSubscriptionStmt, ObjectType};

use super::parse::{SqlError, with_tree};

/// What each statement of a script reaches besides the database, in its order; `None`: nothing
/// that its words tell. On a `clone`, which may share its server with others, the whole server
/// is outside as well.
///
/// # Errors
/// When the script does not parse.
pub fn outside(sql: &str, clone: bool) -> Result<Vec<Option<&'static str>>, SqlError> {
    let why = |node: &Node| reaches(node).or_else(|| shared(node).filter(|_| clone));
    with_tree(sql, |tree| {
        let nodes = tree.stmts.iter().map(|raw| raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()));
        Ok(nodes.map(|node| node.and_then(why)).collect())
    })
}

fn reaches(node: &Node) -> Option<&'static str> {
    match node {
        Node::CopyStmt(copy) if copy.is_program => Some("it runs a program on the server"),
        Node::CopyStmt(copy) if copy.filename.is_empty() => None,
        Node::CopyStmt(copy) if copy.is_from => Some("it reads a file of the server"),
        Node::CopyStmt(_) => Some("it writes a file of the server"),
        Node::CreateSubscriptionStmt(of) if connects(of) => {
            Some("it makes a replication slot on another server")
        }
        Node::AlterSubscriptionStmt(_) | Node::DropSubscriptionStmt(_) => {
            Some("it talks to the publisher of the subscription")
        }
        Node::ImportForeignSchemaStmt(_) => Some("it asks another server"),
        _ => None,
    }
}

/// Why a statement is not of its database alone, but of the whole server.
fn shared(node: &Node) -> Option<&'static str> {
    match node {
        Node::CreateRoleStmt(_)
        | Node::AlterRoleStmt(_)
        | Node::AlterRoleSetStmt(_)
        | Node::DropRoleStmt(_)
        | Node::GrantRoleStmt(_)
        | Node::DropOwnedStmt(_) => Some("roles are those of the whole server"),
        Node::RenameStmt(of)
            if matches!(of.rename_type(), ObjectType::ObjectRole | ObjectType::ObjectDatabase) =>
        {
            Some("it is for the whole server")
        }
        Node::AlterSystemStmt(_) => Some("it sets the whole server"),
        Node::CreatedbStmt(_)
        | Node::DropdbStmt(_)
        | Node::AlterDatabaseStmt(_)
        | Node::AlterDatabaseSetStmt(_)
        | Node::AlterDatabaseRefreshCollStmt(_) => {
            Some("it is about databases, not about what is in this one")
        }
        Node::CreateTableSpaceStmt(_) | Node::DropTableSpaceStmt(_) | Node::AlterTableSpaceOptionsStmt(_) => {
            Some("tablespaces are those of the whole server")
        }
        _ => None,
    }
}

/// Whether a new subscription talks to its publisher at once, as it does unless it says `connect = false`.
fn connects(of: &CreateSubscriptionStmt) -> bool {
    let options = of.options.iter().filter_map(|option| match &option.node {
        Some(Node::DefElem(option)) if option.defname == "connect" => option.arg.as_ref()?.node.as_ref(),
        _ => None,
    });
    !options.into_iter().any(|value| match value {
        Node::String(text) => ["false", "off"].contains(&text.sval.to_ascii_lowercase().as_str()),
        Node::Integer(number) => number.ival == 0,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_programs_and_publishers_are_outside() {
        for (sql, out) in [
            ("COPY t TO PROGRAM 'curl x'", true),
            ("COPY t FROM PROGRAM 'cat x'", true),
            ("COPY (SELECT 1) TO '/tmp/x'", true),
            ("COPY t FROM '/tmp/x' WITH (FORMAT csv)", true),
            ("COPY t TO STDOUT", false),
            ("COPY t FROM STDIN", false),
            ("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p", true),
            ("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p WITH (slot_name = 'false')", true),
            ("CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p WITH (connect = false)", false),
            ("SELECT 'COPY t TO PROGRAM x'", false),
            ("DROP SUBSCRIPTION s", true),
            ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", true),
        ] {
            assert_eq!(outside(sql, true).unwrap()[0].is_some(), out, "{sql}");
        }
        for sql in [
            "ALTER SYSTEM SET work_mem = '1MB'",
            "ALTER ROLE r NOLOGIN",
            "GRANT a TO b",
            "ALTER ROLE r RENAME TO s",
            "ALTER DATABASE d SET work_mem = '1MB'",
            "DROP TABLESPACE t",
        ] {
            assert!(outside(sql, true).unwrap()[0].is_some(), "{sql}");
            // A server that is thrown away afterwards is nobody's.
            assert!(outside(sql, false).unwrap()[0].is_none(), "{sql}");
        }
        let second = outside("SELECT 1; COPY t TO '/tmp/x'", false).unwrap();
        assert_eq!(second, [None, Some("it writes a file of the server")]);
    }
}
