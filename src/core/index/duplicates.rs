//! Writes the query that finds the rows which a unique index does not allow.

/// Keys that a message names; there may be millions.
const NAMED: u32 = 5;

/// What a unique index counts as one key, as the server writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKeys {
    /// The table.
    pub relation: String,
    /// Columns or expressions.
    pub keys: Vec<String>,
    /// The rows that it is about; `None`: all of them.
    pub predicate: Option<String>,
    /// Whether two rows without a value have the same one (`NULLS NOT DISTINCT`).
    pub nulls_too: bool,
}

impl UniqueKeys {
    /// A query that gives each key that is there more than once, and how often.
    #[must_use]
    pub fn query(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("({key})")).collect::<Vec<_>>();
        let present = keys.iter().filter(|_| !self.nulls_too).map(|key| format!("{key} IS NOT NULL"));
        let rows: Vec<String> =
            self.predicate.iter().map(|predicate| format!("({predicate})")).chain(present).collect();
        let rows = if rows.is_empty() { String::new() } else { format!(" WHERE {}", rows.join(" AND ")) };
        let keys = keys.join(", ");
        format!(
            "SELECT {keys}, count(*) FROM {}{rows} GROUP BY {keys} HAVING count(*) > 1 ORDER BY count(*) DESC",
            self.relation
        )
    }

    /// A query that gives the first of them in one line.
    #[must_use]
    pub fn listing(&self) -> String {
        format!(
            "SELECT string_agg(left(found::text, 200), ' ') FROM ({} LIMIT {NAMED}) AS found",
            self.query()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_what_the_index_says() {
        let keys = UniqueKeys {
            relation: "app.t".into(),
            keys: vec!["lower(a)".into(), "b".into()],
            predicate: Some("b > 0".into()),
            nulls_too: false,
        };
        assert_eq!(
            keys.query(),
            "SELECT (lower(a)), (b), count(*) FROM app.t WHERE (b > 0) AND (lower(a)) IS NOT NULL AND (b) IS NOT NULL \
             GROUP BY (lower(a)), (b) HAVING count(*) > 1 ORDER BY count(*) DESC"
        );
        let whole = UniqueKeys { predicate: None, nulls_too: true, ..keys };
        assert!(!whole.query().contains("WHERE"));
    }
}
