//! Writes what the server printed of an index, a constraint or a default with labels of another enum.

use std::collections::BTreeMap;

use serde_json::Value;

use super::parse::{SqlError, json, string, walk, with_tree};
use super::tokens::scan;
use crate::core::ident::{Ident, QName, said};

/// Labels of one enum in the place of another's.
pub struct Labels<'a> {
    /// The type that is named.
    pub kind: &'a QName,
    /// The type in its place.
    pub to: &'a QName,
    /// The label in the place of each.
    pub map: &'a BTreeMap<String, String>,
}

/// A piece of SQL with other labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relabelled {
    /// The text.
    pub text: String,
    /// The labels that were named.
    pub named: Vec<String>,
}

/// Where a label is named with its type.
struct Site {
    label: Option<(usize, String)>,
    kind: usize,
}

impl Labels<'_> {
    /// A piece of SQL that is a statement behind `before` and in front of `after`.
    ///
    /// # Errors
    /// When it does not parse, has a label that has no counterpart, or names the type in another
    /// way than to say of which a label is.
    pub fn over(&self, [before, after]: [&str; 2], text: &str) -> Result<Relabelled, SqlError> {
        let whole = format!("{before}{text}{after}");
        let sites = self.sites(&whole)?;
        let mut named = Vec::new();
        let mut edits: Vec<(usize, usize, String)> = Vec::new();
        for Site { label, kind } in sites {
            if let Some((at, label)) = label {
                let to = self
                    .map
                    .get(&label)
                    .ok_or_else(|| SqlError::new(format!("it names the label {}", said(&label))))?;
                edits.push((at, end(&whole, at, false)?, said(to)));
                named.push(label);
            }
            edits.push((kind, end(&whole, kind, true)?, self.to.to_string()));
        }
        edits.sort();
        let mut text = whole;
        for (start, end, to) in edits.into_iter().rev() {
            text.replace_range(start..end, &to);
        }
        // Nothing is named in what stands around.
        let inner = text.get(before.len()..text.len() - after.len());
        let inner = inner.ok_or_else(|| SqlError::new("a label has no place"))?;
        Ok(Relabelled { text: inner.to_owned(), named })
    }

    fn sites(&self, sql: &str) -> Result<Vec<Site>, SqlError> {
        with_tree(sql, |tree| {
            let (mut names, mut sites) = (0_usize, Vec::new());
            walk(&json(tree)?, &mut |name, fields| {
                names += usize::from(matches!(name, "type_name" | "TypeName") && self.is_named(fields));
                if name == "TypeCast" {
                    sites.extend(self.site(fields));
                }
            });
            if names == sites.len() {
                Ok(sites)
            } else {
                Err(SqlError::new("it names the type in another way than to say of which a label is"))
            }
        })
    }

    fn is_named(&self, fields: &Value) -> bool {
        let parts = fields.get("names").and_then(Value::as_array);
        let parts: Vec<Ident> = parts
            .into_iter()
            .flatten()
            .filter_map(string)
            .filter_map(|part| Ident::exact(part).ok())
            .collect();
        let named = match parts.as_slice() {
            [name] => QName { schema: None, name: name.clone() },
            [schema, name] => QName { schema: Some(schema.clone()), name: name.clone() },
            _ => return false,
        };
        named.may_be(self.kind)
    }

    /// A label, or null, that is said to be of the type.
    fn site(&self, cast: &Value) -> Option<Site> {
        let kind = cast.get("type_name").filter(|kind| self.is_named(kind))?;
        let bare = kind.get("array_bounds").and_then(Value::as_array).is_none_or(Vec::is_empty);
        let value = cast.get("arg")?.get("node")?.get("AConst").filter(|_| bare)?;
        let label = match value.get("val").filter(|val| !val.is_null()) {
            None => None,
            Some(val) => Some((place(value)?, val.get("Sval")?.get("sval")?.as_str()?.to_owned())),
        };
        Some(Site { label, kind: place(kind)? })
    }
}

fn place(node: &Value) -> Option<usize> {
    usize::try_from(node.get("location")?.as_i64()?).ok()
}

/// Where the word at a place ends, or with `dotted` the name of several parts.
fn end(sql: &str, at: usize, dotted: bool) -> Result<usize, SqlError> {
    let nowhere = || SqlError::new("a label has no place");
    let tokens = scan(sql)?;
    let ends = |n: usize| tokens.get(n).and_then(|token| usize::try_from(token.end).ok());
    let starts = |n: usize| tokens.get(n).and_then(|token| usize::try_from(token.start).ok());
    let mut n = (0..tokens.len()).find(|n| starts(*n) == Some(at)).ok_or_else(nowhere)?;
    while dotted && starts(n + 1).zip(ends(n + 1)).and_then(|(from, to)| sql.get(from..to)) == Some(".") {
        n += 2;
    }
    ends(n).ok_or_else(nowhere)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn over(around: [&str; 2], text: &str) -> Result<Relabelled, String> {
        let (kind, to) = (QName::parse("s.mood").unwrap(), QName::parse("\"New mood\"").unwrap());
        let pairs = [("it's", "a\\b"), ("ü", "ü"), ("x\\", "x\\"), ("a", "a")];
        let map = pairs.map(|(label, to)| (label.to_owned(), to.to_owned())).into();
        Labels { kind: &kind, to: &to, map: &map }.over(around, text).map_err(|error| error.message)
    }

    #[test]
    fn labels_and_their_type_are_others() {
        let index = "CREATE INDEX i ON s.t USING btree (x) WHERE ((m = ANY (ARRAY['it''s'::s.mood, 'ü'::s.mood])) AND (n <> 'it''s'::text))";
        let of = over(["", ""], index).unwrap();
        assert_eq!(
            of.text,
            "CREATE INDEX i ON s.t USING btree (x) WHERE ((m = ANY (ARRAY[E'a\\\\b'::\"New mood\", 'ü'::\"New mood\"])) AND (n <> 'it''s'::text))"
        );
        assert_eq!(of.named, ["it's", "ü"]);
        let of = |text: &str| over(["SELECT (", ")"], text).map(|of| of.text);
        assert_eq!(of("E'x\\\\'::mood").unwrap(), "E'x\\\\'::\"New mood\"");
        assert_eq!(
            of("COALESCE(NULL::mood, 'a'::mood)").unwrap(),
            "COALESCE(NULL::\"New mood\", 'a'::\"New mood\")"
        );
        assert_eq!(of("'it''s'::r.mood").unwrap(), "'it''s'::r.mood");
        let check = over(["ALTER TABLE t ADD CONSTRAINT k ", ""], "CHECK ((m > 'it''s'::mood)) NOT VALID");
        assert_eq!(check.unwrap().text, "CHECK ((m > E'a\\\\b'::\"New mood\")) NOT VALID");
    }

    #[test]
    fn what_cannot_be_another_is_told() {
        let of = |text: &str| over(["SELECT (", ")"], text).unwrap_err();
        assert_eq!(of("m <> 'gone'::mood"), "it names the label 'gone'");
        for text in ["m::text::mood > m", "m = ANY ('{a,b}'::mood[])", "f(lower(x)::s.mood)"] {
            assert!(of(text).contains("in another way"), "{text}");
        }
        assert!(of("m <> ").contains("syntax"));
    }
}
