//! Decides whether valid constraints prove which rows a partition holds, as the
//! server would: of the forms of a CHECK only those that are sure to be proof.
//!
//! Source: `predicate_implied_by` in PostgreSQL's predtest.c. What it can prove and
//! this cannot counts as a scan, never the other way round.

use std::cmp::Ordering;

use crate::core::ident::Ident;
use crate::core::lint::world::Table;
use crate::core::sql::{Bound, Compare, Condition, Edge, Literal, PartitionKey, condition};

/// What a proof goes by.
struct Facts {
    column: Ident,
    /// Its type, as `format_type` prints it.
    kind: String,
    /// Whether the session's time zone is UTC.
    utc: bool,
    /// What holds for every row.
    known: Condition,
    not_null: bool,
}

/// Whether every row of a table is proven to belong to a bound.
pub(super) fn included(table: &Table, key: &PartitionKey, bound: &Bound, utc: bool) -> bool {
    let Some(facts) = Facts::of(table, key, utc) else { return false };
    facts.not_null
        && match bound {
            Bound::Range(from, to) => {
                let [from, to] = [from, to].map(|edges| edges.first());
                let (Some(from), Some(to)) = (from, to) else { return false };
                facts.implied(&facts.known, &|how, value| facts.above(from, how, value))
                    && facts.implied(&facts.known, &|how, value| facts.below(to, how, value))
            }
            Bound::List(values) => {
                facts.implied(&facts.known, &|how, value| {
                    how == Compare::Equal && values.iter().flatten().any(|one| facts.equal(value, one))
                }) && values.iter().all(Option::is_some)
            }
            Bound::Default | Bound::Hash => false,
        }
}

/// Whether no row of a table, a default partition, belongs to a bound.
pub(super) fn excluded(table: &Table, key: &PartitionKey, bound: &Bound, utc: bool) -> bool {
    let Some(facts) = Facts::of(table, key, utc) else { return false };
    match bound {
        Bound::Range(from, to) => match (from.as_slice(), to.as_slice()) {
            ([from], [to]) => facts.outside(&facts.known, from, to),
            _ => false,
        },
        Bound::List(values) => {
            values.iter().all(|value| value.as_ref().is_some_and(|value| facts.without(&facts.known, value)))
        }
        Bound::Default | Bound::Hash => false,
    }
}

impl Facts {
    /// What is known of a table whose rows are spread by one column, by its value.
    fn of(table: &Table, key: &PartitionKey, utc: bool) -> Option<Self> {
        let ([Some(column)], false) = (key.columns.as_slice(), key.hash) else { return None };
        let checks = table.constraints.iter().filter(|known| known.kind == 'c' && known.valid);
        let read = |text: &String| condition(text).unwrap_or(Condition::Other);
        let known: Vec<Condition> =
            checks.map(|check| &check.text).filter(|text| !text.is_empty()).map(read).collect();
        Some(Self {
            kind: table.column(column).map(|known| known.kind.clone()).unwrap_or_default(),
            not_null: table.proves_not_null(column),
            column: column.clone(),
            utc,
            known: Condition::All(known),
        })
    }

    /// Whether a condition comes down to comparisons of the column that all pass `test`.
    fn implied(&self, known: &Condition, test: &dyn Fn(Compare, &Literal) -> bool) -> bool {
        match known {
            Condition::All(parts) => parts.iter().any(|part| self.implied(part, test)),
            Condition::Any(arms) => !arms.is_empty() && arms.iter().all(|arm| self.implied(arm, test)),
            Condition::Compare(column, how, value) => *column == self.column && test(*how, value),
            Condition::In(column, values) => {
                let one = |value| test(Compare::Equal, value);
                *column == self.column && !values.is_empty() && values.iter().all(one)
            }
            Condition::Not(_) | Condition::NotNull(_) | Condition::Other => false,
        }
    }

    /// Whether a comparison keeps a value at or above an edge.
    fn above(&self, edge: &Edge, how: Compare, value: &Literal) -> bool {
        match edge {
            // Any comparison will do: there is nothing to prove.
            Edge::Open => true,
            Edge::Unclear => false,
            Edge::At(edge) => {
                matches!(how, Compare::AtLeast | Compare::Greater | Compare::Equal)
                    && self.order(value, edge).is_some_and(Ordering::is_ge)
            }
        }
    }

    /// Whether a comparison keeps a value below an edge.
    fn below(&self, edge: &Edge, how: Compare, value: &Literal) -> bool {
        match edge {
            Edge::Open => true,
            Edge::Unclear => false,
            Edge::At(edge) => match (how, self.order(value, edge)) {
                (Compare::Less, Some(order)) => order.is_le(),
                (Compare::AtMost | Compare::Equal, Some(order)) => order.is_lt(),
                _ => false,
            },
        }
    }

    /// Whether a condition keeps a value out of a range.
    fn outside(&self, known: &Condition, from: &Edge, to: &Edge) -> bool {
        match known {
            Condition::All(parts) => parts.iter().any(|part| self.outside(part, from, to)),
            Condition::Any(arms) => !arms.is_empty() && arms.iter().all(|arm| self.outside(arm, from, to)),
            Condition::Not(inner) => self.covers(inner, from, to),
            Condition::Compare(column, how, value) => {
                let below = || match (from, how) {
                    (Edge::At(from), Compare::Less) => self.order(value, from).is_some_and(Ordering::is_le),
                    (Edge::At(from), Compare::AtMost | Compare::Equal) => {
                        self.order(value, from).is_some_and(Ordering::is_lt)
                    }
                    _ => false,
                };
                let above = || match (to, how) {
                    (Edge::At(to), Compare::AtLeast | Compare::Greater | Compare::Equal) => {
                        self.order(value, to).is_some_and(Ordering::is_ge)
                    }
                    _ => false,
                };
                *column == self.column && (below() || above())
            }
            Condition::In(..) | Condition::NotNull(_) | Condition::Other => false,
        }
    }

    /// Whether a condition holds for all values of a range.
    fn covers(&self, condition: &Condition, from: &Edge, to: &Edge) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.covers(part, from, to)),
            Condition::NotNull(column) => *column == self.column,
            Condition::Compare(column, how, value) => {
                let holds = match (how, from, to) {
                    (Compare::AtLeast, Edge::At(from), _) => {
                        self.order(value, from).is_some_and(Ordering::is_le)
                    }
                    (Compare::Greater, Edge::At(from), _) => {
                        self.order(value, from).is_some_and(Ordering::is_lt)
                    }
                    (Compare::Less | Compare::AtMost, _, Edge::At(to)) => {
                        self.order(value, to).is_some_and(Ordering::is_ge)
                    }
                    _ => false,
                };
                *column == self.column && holds
            }
            _ => false,
        }
    }

    /// Whether a condition rules a value out.
    fn without(&self, known: &Condition, value: &Literal) -> bool {
        match known {
            Condition::All(parts) => parts.iter().any(|part| self.without(part, value)),
            Condition::Compare(column, Compare::Different, one) => {
                *column == self.column && self.equal(one, value)
            }
            Condition::Not(inner) => self.holds_at(inner, value),
            _ => false,
        }
    }

    /// Whether a condition holds for a value.
    fn holds_at(&self, condition: &Condition, value: &Literal) -> bool {
        match condition {
            Condition::All(parts) => parts.iter().all(|part| self.holds_at(part, value)),
            Condition::Any(arms) => arms.iter().any(|arm| self.holds_at(arm, value)),
            Condition::NotNull(column) => *column == self.column,
            Condition::Compare(column, Compare::Equal, one) => {
                *column == self.column && self.equal(one, value)
            }
            Condition::In(column, values) => {
                *column == self.column && values.iter().any(|one| self.equal(one, value))
            }
            _ => false,
        }
    }

    fn equal(&self, known: &Literal, edge: &Literal) -> bool {
        self.order(known, edge).is_some_and(Ordering::is_eq)
    }

    /// How a constant of a CHECK compares with one of the bound, where that is sure.
    fn order(&self, known: &Literal, edge: &Literal) -> Option<Ordering> {
        let (known, edge) = (known.0.as_str(), edge.0.as_str());
        let base = self.kind.split('(').next().unwrap_or_default();
        match base {
            "smallint" | "integer" | "bigint" | "numeric" => {
                let number = |text: &str| text.trim().parse::<i128>().ok();
                Some(number(known)?.cmp(&number(edge)?))
            }
            "date" => Some(day(known)?.cmp(day(edge)?)),
            "timestamp without time zone" => Some(moment(known)?.cmp(&moment(edge)?)),
            // The catalog prints an offset; what a bound means without one is the session's.
            "timestamp with time zone" => {
                let known = moment(known.strip_suffix("+00").filter(|_| self.utc)?)?;
                Some(known.cmp(&moment(edge.strip_suffix("+00").unwrap_or(edge))?))
            }
            // Nobody knows the type: numbers and dates compare as what they look like.
            "" => {
                let number = |text: &str| text.trim().parse::<i128>().ok();
                let numbers = || Some(number(known)?.cmp(&number(edge)?));
                let moments = || Some(moment(known)?.cmp(&moment(edge)?));
                numbers().or_else(moments).or_else(|| (known == edge).then_some(Ordering::Equal))
            }
            // Two texts may be one value, but the same text is.
            "text" | "character varying" | "uuid" | "\"char\"" | "name" => {
                (known == edge).then_some(Ordering::Equal)
            }
            _ => None,
        }
    }
}

/// A date as ISO writes it, which sorts as text.
fn day(text: &str) -> Option<&str> {
    let shape =
        |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    (text.len() == 10 && text.bytes().enumerate().all(shape)).then_some(text)
}

/// A date and a time to the second, which sort as text; a date alone is its midnight.
fn moment(text: &str) -> Option<String> {
    if day(text).is_some() {
        return Some(format!("{text} 00:00:00"));
    }
    let (date, time) = text.split_once(' ')?;
    let shape =
        |(at, byte): (usize, u8)| if at == 2 || at == 5 { byte == b':' } else { byte.is_ascii_digit() };
    let right = time.len() == 8 && time.bytes().enumerate().all(shape);
    day(date).filter(|_| right).map(|_| text.to_owned())
}
