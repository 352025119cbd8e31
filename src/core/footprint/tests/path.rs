//! Which of the things of one name a statement means.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

#[test]
fn a_script_may_say_where_its_names_are_looked_up() {
    let script = "SET LOCAL search_path = app, public; CREATE TABLE t (a int); SELECT b FROM u; RESET search_path; DROP VIEW v";
    has(script, &["makes app.t", "makes app.t.a", "uses app.u.b", "uses public.u.b", "drops v"]);
    has_not(script, &["makes public.t", "makes t", "uses u.b", "drops app.v"]);
}

#[test]
fn the_schema_of_the_role_is_passed_over_where_another_follows() {
    for path in ["\"$user\", app, public", "'$user', app, public", "app, \"$user\", public"] {
        let script = format!("SET search_path TO {path}; CREATE TABLE t (a int); SELECT b FROM u");
        has(&script, &["makes app.t", "uses app.u.b", "uses public.u.b"]);
        assert!(!shown(&of_sql(&script)).iter().any(|touch| touch.contains("$user")), "{path}");
    }
    // Alone, it is a schema of which nobody knows the name.
    has("SET search_path TO \"$user\"; CREATE TABLE t (a int)", &["makes \"$user\".t"]);
    let name = |text: &str| QName::parse(text).unwrap();
    let known = SearchPath::read("app, public", "ann", &Ident::parse("phase").unwrap());
    for path in [SearchPath::Assumed, known] {
        for (other, like) in [
            ("\"$user\".t", Likeness::One),
            ("t", Likeness::Perhaps),
            ("ann.t", Likeness::Perhaps),
            ("public.t", Likeness::Apart),
            ("pg_catalog.t", Likeness::Apart),
        ] {
            assert_eq!(path.names(&name("\"$user\".t"), &name(other)), like, "{other}");
            assert_eq!(path.names(&name(other), &name("\"$user\".t")), like, "{other}");
        }
    }
}

#[test]
fn names_are_looked_up_along_the_path() {
    let name = |text: &str| QName::parse(text).unwrap();
    let record = Ident::parse("phase").unwrap();
    let known = SearchPath::read("\"$user\", app, phase", "Ann", &record);
    let like = |path: &SearchPath, a: &str, b: &str| path.names(&name(a), &name(b));
    for (a, b, assumed, exact) in [
        ("t", "t", Likeness::One, Likeness::One),
        ("t", "u", Likeness::Apart, Likeness::Apart),
        ("t", "public.t", Likeness::One, Likeness::Apart),
        ("app.t", "t", Likeness::Perhaps, Likeness::One),
        ("t", "\"Ann\".t", Likeness::Perhaps, Likeness::One),
        ("t", "phase.t", Likeness::Perhaps, Likeness::Apart),
        ("app.t", "b.t", Likeness::Apart, Likeness::Apart),
        ("t", "pg_catalog.t", Likeness::Apart, Likeness::Apart),
    ] {
        assert_eq!((like(&SearchPath::Assumed, a, b), like(&known, a, b)), (assumed, exact), "{a} {b}");
    }
    let read = |setting: &str| SearchPath::read(setting, "a", &record);
    assert_eq!((read("\"\""), read("")), (SearchPath::Known(Vec::new()), SearchPath::Known(Vec::new())));
    let odd = SearchPath::Known(vec![Ident::exact("Odd, \"one\"").unwrap(), Ident::exact("b").unwrap()]);
    assert_eq!(read("\"\", \"Odd, \"\"one\"\"\", b"), odd);
    assert_eq!(read("no such ; thing"), SearchPath::Assumed);
}
