//! Tells whether an index that stands under a name can be the one that a statement builds.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{IndexElem, IndexStmt, Node as Tree, SortByDir, SortByNulls};

use super::parse::{SqlError, first_node, with_tree};

/// Whether `definition`, as the server prints an index, may be what `create` makes: the same
/// kind, uniqueness, plain columns and order. Expressions and conditions are only known to be
/// there, and neither collations nor operator classes are compared: the server writes them in
/// another way, and a column in brackets as one without.
///
/// # Errors
/// When one of them is no statement that creates an index.
pub fn may_be_same_index(create: &str, definition: &str) -> Result<bool, SqlError> {
    let (ours, theirs) = (outline(create)?, outline(definition)?);
    Ok(ours.what == theirs.what && alike(&ours.keys, &theirs.keys) && alike(&ours.included, &theirs.included))
}

/// What two ways to write the same index have in common.
struct Outline {
    /// Method, uniqueness, NULLS NOT DISTINCT, and whether it is partial.
    what: (String, bool, bool, bool),
    keys: Vec<Element>,
    included: Vec<Element>,
}

struct Element {
    /// `None`: an expression.
    column: Option<String>,
    descending: bool,
    nulls_first: bool,
}

fn alike(ours: &[Element], theirs: &[Element]) -> bool {
    let one = |(a, b): (&Element, &Element)| {
        let columns = a.column.as_ref().zip(b.column.as_ref());
        columns.is_none_or(|(a, b)| a == b) && (a.descending, a.nulls_first) == (b.descending, b.nulls_first)
    };
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(one)
}

fn outline(sql: &str) -> Result<Outline, SqlError> {
    with_tree(sql, |tree| {
        let node = first_node(tree);
        match node {
            Some(Node::IndexStmt(index)) => Ok(of(index)),
            _ => Err(SqlError::new("this is no CREATE INDEX")),
        }
    })
}

fn of(index: &IndexStmt) -> Outline {
    // The old name of the method, which the parser still takes.
    let method = if index.access_method == "rtree" { "gist" } else { &index.access_method };
    let partial = index.where_clause.is_some();
    Outline {
        what: (method.to_owned(), index.unique, index.nulls_not_distinct, partial),
        keys: elements(&index.index_params),
        included: elements(&index.index_including_params),
    }
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
    Element { column: Some(of.name.clone()).filter(|name| !name.is_empty()), descending, nulls_first }
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
            ("CREATE INDEX i ON t ((a), (b))", "CREATE INDEX i ON public.t USING btree (a, b)"),
            ("CREATE INDEX i ON t (f(t), (t.f))", "CREATE INDEX i ON public.t USING btree (f(t.*), f(t.*))"),
            ("CREATE INDEX i ON t USING rtree (a)", "CREATE INDEX i ON public.t USING gist (a)"),
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
            "CREATE INDEX i ON t (a, b DESC) WHERE c > 0",
            "CREATE INDEX i ON t (a, b) INCLUDE (d) WHERE c > 0",
            "CREATE INDEX i ON t USING hash (a, b) WHERE c > 0",
            "CREATE UNIQUE INDEX i ON t (a, b) WHERE c > 0",
        ] {
            assert!(!may_be_same_index(ours, other).unwrap(), "{other}");
        }
    }
}
