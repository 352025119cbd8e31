#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;

fn spec(set: &[(&str, &str)], back: &[(&str, &str)]) -> SyncSpec {
    let columns = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, expr)| (Ident::parse(name).unwrap(), (*expr).to_owned())).collect()
    };
    SyncSpec { table: QName::parse("app.users").unwrap(), set: columns(set), back: columns(back) }
}

#[test]
fn a_rename_reads_well() {
    let sync =
        Sync::new(&spec(&[("display_name", "name")], &[("name", "display_name")]), "20261121", 1).unwrap();
    insta::assert_snapshot!(sync.install().join(";\n"));
    insta::assert_snapshot!(
        sync.turn_round(&[(Ident::parse("name").unwrap(), Ident::parse("hidden").unwrap())]).join(";\n")
    );
}

#[test]
fn a_constant_needs_no_update_trigger() {
    let sync = Sync::new(&spec(&[("currency", "'EUR'")], &[]), "1", 1).unwrap();
    assert!(
        !sync.install().iter().any(|sql| sql.starts_with("CREATE TRIGGER") && sql.contains("BEFORE UPDATE"))
    );
}

#[test]
fn a_column_on_both_sides_is_refused() {
    for (set, back) in
        [([("a", "a")], [("b", "a")]), ([("a", "b")], [("a", "b")]), ([("a", "b")], [("b", "b")])]
    {
        assert!(matches!(Sync::new(&spec(&set, &back), "1", 1), Err(SyncError::BothSides(_))));
    }
}

#[test]
fn odd_expressions_cannot_end_the_function() {
    let sync = Sync::new(&spec(&[("a", "$phase$ $phase$ || b")], &[]), "1", 1).unwrap();
    assert!(sync.install().iter().any(|sql| sql.contains("$phase1$")));
    assert!(Sync::new(&spec(&[("a", "b; DROP TABLE x")], &[]), "1", 1).is_err());
    assert!(Sync::new(&spec(&[("a", "t.b")], &[]), "1", 1).is_err());
}

#[test]
fn what_fills_old_columns_alone_leaves_what_is_given() {
    let sync = Sync::new(&spec(&[], &[("shout", "upper(name)"), ("kind", "'x'")]), "1", 1).unwrap();
    let sql = sync.install().join(";\n");
    assert!(sql.contains("attname IN ('shout', 'kind')"), "{sql}");
    assert!(sql.contains("IF NEW.\"kind\" IS NULL THEN\n      NEW.\"kind\" := 'x';"), "{sql}");
    assert!(
        sql.contains("AND NOT pg_catalog.record_image_ne(ROW(NEW.\"shout\"), ROW(OLD.\"shout\")) THEN"),
        "{sql}"
    );
    assert!(sql.contains("IF (false) AND NOT pg_catalog.record_image_ne(ROW(NEW.\"kind\")"), "{sql}");
}
