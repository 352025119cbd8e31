//! Writes what the server printed of an index, a trigger or a foreign key for a table that has another name by now.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{Node as Tree, RangeVar};

use super::parse::{SqlError, changed_statement, first_node, with_tree};
use crate::core::ident::QName;

/// The same index or trigger on a table of another name.
///
/// # Errors
/// When the statement creates neither, or cannot be rewritten.
pub fn on_table(create: &str, table: &QName) -> Result<String, SqlError> {
    with_tree(create, |tree| {
        let mut node = first_node(tree).cloned();
        let relation = match &mut node {
            Some(Node::IndexStmt(index)) => index.relation.as_mut(),
            Some(Node::CreateTrigStmt(trigger)) => trigger.relation.as_mut(),
            _ => None,
        };
        let neither = || SqlError::new("this is no CREATE INDEX and no CREATE TRIGGER");
        named(relation.ok_or_else(neither)?, table);
        written(&node.ok_or_else(neither)?)
    })
}

/// The definition of a foreign key that refers to a table of another name.
///
/// # Errors
/// When it is none of a foreign key, or cannot be rewritten.
pub fn referring_to(definition: &str, table: &QName) -> Result<String, SqlError> {
    const BEFORE: &str = "ALTER TABLE t ADD CONSTRAINT k ";
    let wrong = || SqlError::new("this is no foreign key");
    with_tree(&format!("{BEFORE}{definition}"), |tree| {
        let Some(Node::AlterTableStmt(alter)) = first_node(tree) else { return Err(wrong()) };
        let mut alter = alter.clone();
        let [Tree { node: Some(Node::AlterTableCmd(command)) }] = alter.cmds.as_mut_slice() else {
            return Err(wrong());
        };
        let Some(Node::Constraint(key)) = command.def.as_mut().and_then(|def| def.node.as_mut()) else {
            return Err(wrong());
        };
        named(key.pktable.as_mut().ok_or_else(wrong)?, table);
        let text = written(&Node::AlterTableStmt(alter))?;
        text.strip_prefix(BEFORE).map(str::to_owned).ok_or_else(wrong)
    })
}

fn named(relation: &mut RangeVar, table: &QName) {
    relation.schemaname = table.schema.as_ref().map_or_else(String::new, |schema| schema.as_str().to_owned());
    table.name.as_str().clone_into(&mut relation.relname);
}

fn written(node: &Node) -> Result<String, SqlError> {
    changed_statement(node, |text| {
        format!("this cannot be written for a table of another name: it would become {text}")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_printed_has_the_new_name() {
        let table = QName::parse("s.\"T t\"").unwrap();
        for (create, on) in [
            (
                "CREATE UNIQUE INDEX i ON s.old USING btree (lower(a)) WHERE (a <> ''::text)",
                "CREATE UNIQUE INDEX i ON s.\"T t\" USING btree (lower(a)) WHERE a <> ''::text",
            ),
            (
                "CREATE TRIGGER x BEFORE UPDATE OF a ON s.old FOR EACH ROW WHEN ((new.a = 'b'::text)) EXECUTE FUNCTION s.f()",
                "CREATE TRIGGER x BEFORE UPDATE OF a ON s.\"T t\" FOR EACH ROW WHEN (new.a = 'b'::text) EXECUTE FUNCTION s.f()",
            ),
        ] {
            assert_eq!(on_table(create, &table).unwrap(), on);
        }
        assert!(on_table("DROP TABLE x", &table).is_err());
        let key = "FOREIGN KEY (a, b) REFERENCES old(id, b) ON DELETE CASCADE NOT VALID";
        assert_eq!(
            referring_to(key, &table).unwrap(),
            "FOREIGN KEY (a, b) REFERENCES s.\"T t\" (id, b) ON DELETE CASCADE NOT VALID"
        );
        assert!(referring_to("CHECK (a > 0)", &table).is_err());
    }
}
