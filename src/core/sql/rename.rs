//! Writes what the server printed of an index, a trigger or an expression for another column.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{CreateTrigStmt, IndexStmt, Node as Tree, String as Text};

use super::expression::{check_expression, expression_columns, references};
use super::parse::{SqlError, changed_statement, expression_text, first_node, json, string, walk, with_tree};
use crate::core::ident::{Ident, QName};

/// The same expression over another column.
///
/// # Errors
/// When it is not a plain expression over columns of one row.
pub fn expression_over(expr: &str, from: &Ident, to: &Ident) -> Result<String, SqlError> {
    let before = expression_columns(expr)?;
    let mut places: Vec<usize> =
        references(expr)?.into_iter().filter(|(name, _)| name == from.as_str()).map(|(_, at)| at).collect();
    places.sort_unstable();
    let mut text = expr.to_owned();
    for at in places.into_iter().rev() {
        let end = text.get(at..).and_then(word).ok_or_else(|| SqlError::new("a column has no place"))?;
        text.replace_range(at..at + end, &to.to_string());
    }
    let mut wanted: Vec<Ident> = Vec::new();
    for column in before {
        let column = if column == *from { to.clone() } else { column };
        if !wanted.contains(&column) {
            wanted.push(column);
        }
    }
    check_expression(&text)?;
    if expression_columns(&text)? == wanted {
        Ok(text)
    } else {
        Err(SqlError::new("the columns of this expression cannot be told apart"))
    }
}

/// How many bytes a name takes at the beginning of a text.
fn word(text: &str) -> Option<usize> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
        return (end > 0).then_some(end);
    };
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '"' && chars.next_if(|(_, next)| *next == '"').is_none() {
            return Some(at + 2);
        }
    }
    None
}

/// The same index over another column, under another name, built concurrently.
///
/// # Errors
/// When the statement is none that creates an index, or an expression of it cannot be rewritten.
pub fn index_over(
    create: &str,
    table: &QName,
    from: &Ident,
    to: &Ident,
    name: &Ident,
) -> Result<String, SqlError> {
    with_tree(create, |tree| {
        let Some(Node::IndexStmt(index)) = first_node(tree) else {
            return Err(SqlError::new("this is no CREATE INDEX"));
        };
        let mut index = index.clone();
        name.as_str().clone_into(&mut index.idxname);
        (index.concurrent, index.if_not_exists) = (true, false);
        if let Some(relation) = &mut index.relation {
            relation.schemaname = table.schema.as_ref().map_or_else(String::new, |of| of.as_str().to_owned());
            relation.inh = true;
        }
        elements(&mut index, from, to)?;
        if let Some(predicate) = &mut index.where_clause {
            **predicate = tree_over(predicate, from, to)?;
        }
        changed(&Node::IndexStmt(index))
    })
}

/// A constraint over another column, as a statement that adds it under another name; a CHECK or a
/// foreign key as NOT VALID.
///
/// # Errors
/// When the definition is none of a constraint, or cannot be rewritten.
pub fn constraint_over(
    definition: &str,
    table: &QName,
    from: &Ident,
    to: &Ident,
    name: &Ident,
) -> Result<String, SqlError> {
    constraint_over_all(definition, table, &[(from.clone(), to.clone())], &[], name)
}

/// As [`constraint_over`], over other columns, each in the place of one; a foreign key that refers
/// to other columns as well.
///
/// # Errors
/// As [`constraint_over`].
pub fn constraint_over_all(
    definition: &str,
    table: &QName,
    columns: &[(Ident, Ident)],
    referred: &[(Ident, Ident)],
    name: &Ident,
) -> Result<String, SqlError> {
    with_tree(&format!("ALTER TABLE {table} ADD CONSTRAINT k {definition}"), |tree| {
        let Some(Node::AlterTableStmt(alter)) = first_node(tree) else { return Err(no_constraint()) };
        let mut alter = alter.clone();
        let [Tree { node: Some(Node::AlterTableCmd(command)) }] = alter.cmds.as_mut_slice() else {
            return Err(no_constraint());
        };
        let Some(Node::Constraint(constraint)) = command.def.as_mut().and_then(|def| def.node.as_mut())
        else {
            return Err(no_constraint());
        };
        name.as_str().clone_into(&mut constraint.conname);
        if let Some(expr) = &mut constraint.raw_expr {
            for (from, to) in columns {
                **expr = tree_over(expr, from, to)?;
            }
        }
        let own = constraint.fk_attrs.iter_mut().chain(&mut constraint.keys);
        own.chain(&mut constraint.fk_del_set_cols).for_each(|key| key_over(key, columns));
        constraint.pk_attrs.iter_mut().for_each(|key| key_over(key, referred));
        (constraint.skip_validation, constraint.initially_valid) = (true, false);
        changed(&Node::AlterTableStmt(alter))
    })
}

/// A column of a key, where another takes its place.
fn key_over(key: &mut Tree, columns: &[(Ident, Ident)]) {
    if let Some(Node::String(key)) = &mut key.node
        && let Some((_, to)) = columns.iter().find(|(from, _)| from.as_str() == key.sval)
    {
        to.as_str().clone_into(&mut key.sval);
    }
}

fn no_constraint() -> SqlError {
    SqlError::new("this is no constraint of a table")
}

fn elements(index: &mut IndexStmt, from: &Ident, to: &Ident) -> Result<(), SqlError> {
    for element in index.index_params.iter_mut().chain(&mut index.index_including_params) {
        let Some(Node::IndexElem(element)) = &mut element.node else { continue };
        if element.name == from.as_str() {
            to.as_str().clone_into(&mut element.name);
        }
        if let Some(expr) = &mut element.expr {
            **expr = tree_over(expr, from, to)?;
        }
    }
    Ok(())
}

fn tree_over(expr: &Tree, from: &Ident, to: &Ident) -> Result<Tree, SqlError> {
    predicate(&expression_over(&expression_text(expr)?, from, to)?)
}

/// The bit of UPDATE among the events of a trigger (`TRIGGER_TYPE_UPDATE`).
const UPDATE: i32 = 1 << 4;

/// A trigger beside one of columns (UPDATE OF), that an UPDATE of another column brings about and
/// nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside<'a> {
    /// The column of the trigger.
    pub column: &'a Ident,
    /// The one that brings this one about.
    pub other: &'a Ident,
    /// What the other gives the column, as an expression over the new row.
    pub value: &'a str,
    /// Its name.
    pub name: &'a Ident,
    /// What must hold as well, for one of rows.
    pub when: &'a str,
}

/// Writes a trigger beside another; whether it is one of rows.
///
/// # Errors
/// When the statement is none that creates a trigger of columns.
pub fn trigger_beside(create: &str, beside: &Beside<'_>) -> Result<(String, bool), SqlError> {
    with_tree(create, |tree| {
        let Some(Node::CreateTrigStmt(trigger)) = first_node(tree) else {
            return Err(SqlError::new("this is no CREATE TRIGGER"));
        };
        let mut trigger: Box<CreateTrigStmt> = trigger.clone();
        beside.name.as_str().clone_into(&mut trigger.trigname);
        let column = Node::String(Text { sval: beside.other.as_str().to_owned() });
        trigger.columns = vec![Tree { node: Some(column) }];
        trigger.events = UPDATE;
        if trigger.row {
            let before = trigger.timing != 0;
            let own = trigger.when_clause.as_deref().map(|when| own_condition(when, beside, before));
            let own = own.transpose()?;
            let all =
                own.map_or_else(|| beside.when.to_owned(), |own| format!("({own}) AND {}", beside.when));
            trigger.when_clause = Some(Box::new(predicate(&all)?));
        }
        let rows = trigger.row;
        Ok((changed(&Node::CreateTrigStmt(trigger))?, rows))
    })
}

/// What the trigger itself asks for. Before the row is written, the new value of its column is in
/// the other one.
fn own_condition(when: &Tree, beside: &Beside<'_>, before: bool) -> Result<String, SqlError> {
    const PREFIX: &str = "SELECT (";
    let mut text = expression_text(when)?;
    if !before {
        return Ok(text);
    }
    let mut places = with_tree(&format!("{PREFIX}{text}\n)"), |tree| {
        let mut found = Vec::new();
        walk(&json(tree)?, &mut |name, fields| {
            let parts = fields.get("fields").and_then(serde_json::Value::as_array);
            let parts: Vec<&str> = parts.into_iter().flatten().filter_map(string).collect();
            let at = fields.get("location").and_then(serde_json::Value::as_u64);
            if name == "ColumnRef" && parts == ["new", beside.column.as_str()] {
                found.extend(at.and_then(|at| usize::try_from(at).ok()?.checked_sub(PREFIX.len())));
            }
        });
        Ok(found)
    })?;
    places.sort_unstable();
    for at in places.into_iter().rev() {
        let after = text.get(at..).and_then(word).map(|end| at + end + 1);
        let end = after.and_then(|after| Some(after + word(text.get(after..)?)?));
        let Some(end) = end else {
            return Err(SqlError::new("a column has no place"));
        };
        text.replace_range(at..end, beside.value);
    }
    Ok(text)
}

fn predicate(text: &str) -> Result<Tree, SqlError> {
    with_tree(&format!("SELECT WHERE ({text}\n)"), |tree| match first_node(tree) {
        Some(Node::SelectStmt(select)) => {
            let found = select.where_clause.as_deref().cloned();
            found.ok_or_else(|| SqlError::new("an expression without a value"))
        }
        _ => Err(SqlError::new("an expression without a value")),
    })
}

fn changed(node: &Node) -> Result<String, SqlError> {
    changed_statement(node, |text| {
        format!("this cannot be written for another column: it would become {text}")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ident(name: &str) -> Ident {
        Ident::exact(name).unwrap()
    }

    #[test]
    fn an_expression_over_another_column() {
        for (from, to, expr, over) in [
            ("a", "b", "lower(a) || a::text", "lower(\"b\") || \"b\"::text"),
            ("a", "B b", "a + \"A\" + f(a) -- a", "\"B b\" + \"A\" + f(\"B b\") -- a"),
            ("A\"x", "y", "\"A\"\"x\" > 'A\"x'", "\"y\" > 'A\"x'"),
            ("ä", "o", "coalesce(ä, 'ä')", "coalesce(\"o\", 'ä')"),
            ("a", "b", "c + 1", "c + 1"),
        ] {
            assert_eq!(expression_over(expr, &ident(from), &ident(to)).unwrap(), over);
        }
    }

    #[test]
    fn an_index_over_another_column() {
        let of = |create: &str| {
            let table = QName::parse("s.t").unwrap();
            index_over(create, &table, &ident("a"), &ident("b"), &ident("i"))
        };
        let create = "CREATE UNIQUE INDEX t_a ON s.t USING btree (lower(a) text_pattern_ops DESC NULLS LAST, a COLLATE \"C\", c) INCLUDE (a) WHERE (a <> ''::text)";
        insta::assert_snapshot!(of(create).unwrap());
        assert!(of("DROP INDEX t_a").is_err());
        // The places of brackets are no part of what is said.
        let listed =
            of("CREATE INDEX t_a ON s.t USING btree (c) WHERE (a = ANY (ARRAY['x'::text, 'y'::text]))");
        assert!(listed.unwrap().ends_with("WHERE b = ANY(ARRAY['x'::text, 'y'::text])"));
    }

    #[test]
    fn a_constraint_over_another_column() {
        let of = |definition: &str| {
            let table = QName::parse("s.t").unwrap();
            constraint_over(definition, &table, &ident("a"), &ident("b"), &ident("k2"))
        };
        for definition in [
            "CHECK (((a > 0) AND (c <> 'a'::text))) NOT VALID",
            "FOREIGN KEY (a, c) REFERENCES s.r(a, id) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED",
        ] {
            insta::assert_snapshot!(of(definition).unwrap());
        }
        assert!(of("x").is_err());
    }

    #[test]
    fn a_trigger_beside_another() {
        let (column, other, name) = (ident("a"), ident("B b"), ident("x2"));
        let value = format!("new.{other}");
        let when = "new.a IS NULL";
        let beside = Beside { column: &column, other: &other, value: &value, name: &name, when };
        let of = |create: &str| trigger_beside(create, &beside);
        let rest = "ON s.t FOR EACH ROW WHEN ((new.a IS DISTINCT FROM old.a)) EXECUTE FUNCTION s.f('1')";
        for time in ["BEFORE UPDATE OF a", "AFTER INSERT OR UPDATE OF a, c"] {
            let rest = if time.contains("INSERT") { rest.replace("old.a", "1") } else { rest.into() };
            insta::assert_snapshot!(of(&format!("CREATE TRIGGER x {time} {rest}")).unwrap().0);
        }
        let statement = of("CREATE TRIGGER x AFTER UPDATE OF a ON t FOR EACH STATEMENT EXECUTE FUNCTION f()");
        assert!(!statement.unwrap().1);
        assert!(of("DROP TABLE t").is_err());
    }
}
