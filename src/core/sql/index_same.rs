//! Tells whether an index that stands under a name can be the one that a statement builds.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{IndexElem, IndexStmt, Node as Tree, SortByDir, SortByNulls};

use super::ddl::columns_of;
use super::parse::{SqlError, with_tree};

/// Whether `definition`, as the server prints an index, may be what `create` makes: the same
/// kind, uniqueness, columns and order. Of expressions and conditions only the columns are
/// compared, and neither collations nor operator classes: the server writes them in another way.
///
/// # Errors
/// When one of them is no statement that creates an index.
pub fn may_be_same_index(create: &str, definition: &str) -> Result<bool, SqlError> {
    Ok(outline(create)? == outline(definition)?)
}

/// What two ways to write the same index have in common.
#[derive(PartialEq)]
struct Outline {
    method: String,
    unique: bool,
    nulls_not_distinct: bool,
    keys: Vec<Element>,
    included: Vec<Element>,
    partial: bool,
    /// The columns of expressions and the condition.
    uses: Vec<String>,
}

#[derive(PartialEq)]
struct Element {
    /// Empty for an expression.
    column: String,
    descending: bool,
    nulls_first: bool,
}

fn outline(sql: &str) -> Result<Outline, SqlError> {
    with_tree(sql, |tree| {
        let node = tree.stmts.first().and_then(|raw| raw.stmt.as_ref()).and_then(|stmt| stmt.node.as_ref());
        match node {
            Some(Node::IndexStmt(index)) => of(index),
            _ => Err(SqlError::new("this is no CREATE INDEX")),
        }
    })
}

fn of(index: &IndexStmt) -> Result<Outline, SqlError> {
    let mut uses: Vec<String> = columns_of(&(&index.index_params, &index.where_clause))?
        .into_iter()
        .map(|column| column.as_str().to_owned())
        .collect();
    uses.sort();
    uses.dedup();
    Ok(Outline {
        method: index.access_method.clone(),
        unique: index.unique,
        nulls_not_distinct: index.nulls_not_distinct,
        keys: elements(&index.index_params),
        included: elements(&index.index_including_params),
        partial: index.where_clause.is_some(),
        uses,
    })
}

fn elements(of: &[Tree]) -> Vec<Element> {
    of.iter()
        .filter_map(|node| match &node.node {
            Some(Node::IndexElem(element)) => Some(self::element(element)),
            _ => None,
        })
        .collect()
}

fn element(of: &IndexElem) -> Element {
    let descending = of.ordering() == SortByDir::SortbyDesc;
    let nulls_first = match of.nulls_ordering() {
        SortByNulls::SortbyNullsFirst => true,
        SortByNulls::SortbyNullsLast => false,
        _ => descending,
    };
    Element { column: of.name.clone(), descending, nulls_first }
}

#[cfg(test)]
mod tests {
    use super::may_be_same_index;

    #[test]
    fn the_servers_own_way_to_write_an_index_is_the_same() {
        for (create, definition) in [
            ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON public.t USING btree (a)"),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a ASC NULLS LAST, lower(b) DESC) INCLUDE (c) WHERE d = 'x'",
                "CREATE UNIQUE INDEX i ON s.t USING btree (a, lower((b)::text) DESC) INCLUDE (c) WHERE ((d)::text = 'x'::text)",
            ),
            (
                "CREATE INDEX i ON t USING GIN (a jsonb_path_ops)",
                "CREATE INDEX i ON public.t USING gin (a jsonb_path_ops)",
            ),
            (r#"CREATE INDEX i ON t ("Weird")"#, r#"CREATE INDEX i ON ONLY t USING btree ("Weird")"#),
        ] {
            assert!(may_be_same_index(create, definition).unwrap(), "{create}");
        }
    }

    #[test]
    fn another_index_of_that_name_is_not() {
        let ours = "CREATE INDEX CONCURRENTLY i ON t (a, b) WHERE c > 0";
        for other in [
            "CREATE INDEX i ON t (a) WHERE c > 0",
            "CREATE INDEX i ON t (b, a) WHERE c > 0",
            "CREATE INDEX i ON t (a, b)",
            "CREATE INDEX i ON t (a, b) WHERE d > 0",
            "CREATE INDEX i ON t (a, b DESC) WHERE c > 0",
            "CREATE INDEX i ON t (a, lower(b)) WHERE c > 0",
            "CREATE INDEX i ON t (a, b) INCLUDE (d) WHERE c > 0",
            "CREATE INDEX i ON t USING hash (a, b) WHERE c > 0",
            "CREATE UNIQUE INDEX i ON t (a, b) WHERE c > 0",
        ] {
            assert!(!may_be_same_index(ours, other).unwrap(), "{other}");
        }
    }
}
