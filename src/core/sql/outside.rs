//! Finds statements that reach out of the database: files and programs of the server, other servers.

use pg_query::protobuf::CreateSubscriptionStmt;
use pg_query::protobuf::node::Node;

use super::parse::{SqlError, with_tree};

/// What each statement of a script reaches besides the database, in its order; `None`: nothing
/// that its words tell.
///
/// # Errors
/// When the script does not parse.
pub fn outside(sql: &str) -> Result<Vec<Option<&'static str>>, SqlError> {
    with_tree(sql, |tree| {
        let nodes = tree.stmts.iter().map(|raw| raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()));
        Ok(nodes.map(|node| node.and_then(reaches)).collect())
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
        ] {
            assert_eq!(outside(sql).unwrap()[0].is_some(), out, "{sql}");
        }
        let second = outside("SELECT 1; COPY t TO '/tmp/x'").unwrap();
        assert_eq!(second, [None, Some("it writes a file of the server")]);
    }
}
