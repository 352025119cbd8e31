#![allow(clippy::unwrap_used)]
use super::*;
use crate::core::compile::{self, Server};
use crate::core::plan::{Source, parse};
use crate::core::version::Version;

/// A plan of some changes.
pub(super) fn plan(change: &str) -> Plan {
    let version = Version::parse("20261201000000").unwrap();
    let text = format!("title: x\nchange:\n  - {change}\n");
    let source = Source { file: "plans/x.yaml", version: &version, name: "x", text: &text };
    parse(&source, &|_| Err("no files here".into())).unwrap_or_else(|error| unreachable!("{error}"))
}

/// What is wrong with a plan of some changes.
pub(super) fn faults(change: &str) -> String {
    let version = Version::parse("20261201000000").unwrap();
    let text = format!("title: x\nchange:\n  - {change}\n");
    let source = Source { file: "plans/x.yaml", version: &version, name: "x", text: &text };
    parse(&source, &|_| Err("no files here".into())).unwrap_err().to_string()
}

/// The SQL of every step, and after `<-` what takes it back.
pub(super) fn steps(written: &Written) -> Vec<String> {
    let steps = compile::plan(&written.plan, Server { version: 150_000 }).unwrap();
    let sql = |step: &crate::core::step::Step| {
        let back = match &step.undo {
            crate::core::step::Undo::Run(action) => format!(" <- {}", action.sql().join("; ")),
            crate::core::step::Undo::Irreversible(why) => format!(" !! {why}"),
            _ => String::new(),
        };
        format!("{}{back}", step.action.sql().join("; "))
    };
    steps.iter().map(sql).collect()
}

/// What speaks against a plan, by what is known.
pub(super) fn refused(change: &str, known: &Known) -> String {
    let refused = written(&plan(change), known).refused;
    refused.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("\n")
}

pub(super) fn column(name: &str) -> Column {
    Column { name: name.into(), kind: "text".into(), ..Column::default() }
}

/// One table.
pub(super) fn known(name: &str, table: Table) -> Known {
    Known { complete: true, version: 150_018, tables: [(name.to_owned(), table)].into(), ..Known::default() }
}

fn guests() -> Known {
    let columns = vec![
        Column { not_null: true, ..column("id") },
        column("nick"),
        Column { generated: Some("upper(nick)".into()), ..column("loud") },
        Column { identity: Some("a".into()), not_null: true, ..column("number") },
        Column { default: Some("'old'::text".into()), ..column("status") },
    ];
    let primary = Index { columns: vec!["id".into()], constraint: Some("p".into()), ..Index::default() };
    known("guests", Table { kind: "r".into(), columns, indexes: vec![primary], ..Table::default() })
}

#[test]
fn what_a_column_cannot_be_is_refused_by_name() {
    for (change, why) in [
        ("set_not_null: {table: guests, column: id}", "guests.id is NOT NULL already"),
        ("set_not_null: {table: guests, column: nik}", "no column nik"),
        ("drop_not_null: {table: guests, column: nick}", "guests.nick may be null already"),
        ("drop_not_null: {table: guests, column: id}", "guests.id is part of the primary key"),
        ("drop_not_null: {table: guests, column: number}", "identity"),
        ("set_default: {table: guests, column: loud, default: \"''\"}", "guests.loud is computed"),
        ("set_default: {table: guests, column: number, default: 1}", "identity"),
        ("set_default: {table: guest, column: nick, default: 1}", "there is no table guest"),
        ("drop_default: {table: guests, column: nick}", "guests.nick has no default"),
    ] {
        let refused = refused(change, &guests());
        assert!(refused.contains(why), "{change}: {refused}");
    }
}

#[test]
fn the_default_of_before_comes_back() {
    let written = written(
        &plan("set_default: {table: guests, column: status, default: \"'new'\", when: contract}"),
        &guests(),
    );
    assert_eq!(
        steps(&written),
        ["ALTER TABLE \"guests\" ALTER COLUMN \"status\" SET DEFAULT 'new' <- \
          ALTER TABLE \"guests\" ALTER COLUMN \"status\" SET DEFAULT 'old'::text"]
    );
    assert!(written.cautions.is_empty());
    let early =
        super::written(&plan("set_default: {table: guests, column: status, default: \"'new'\"}"), &guests());
    assert!(early.cautions[0].1.contains("has had 'old'::text"), "{:?}", early.cautions);
}

#[test]
fn a_default_that_is_more_than_an_expression_is_a_fault() {
    let faults = faults("set_default: {table: guests, column: nick, default: \"'' , DROP COLUMN id\"}");
    assert!(faults.contains("default"), "{faults}");
}

#[test]
fn a_gate_on_validate_says_enough() {
    let plain = plan("set_not_null: {table: guests, column: nick}");
    assert!(written(&plain, &guests()).cautions[0].1.contains("NOT NULL of guests.nick binds every writer"));
    let mut gated = plain;
    gated.gates.validate.approvals = Some(1);
    assert!(written(&gated, &guests()).cautions.is_empty());
}

#[test]
fn odd_names_and_nothing_known() {
    let change = "drop_not_null: {table: '\"Odd \"\"App\"\"\".\"T.t\"', column: '\"a''b\"'}";
    let steps = steps(&written(&plan(change), &Known::default()));
    assert_eq!(steps.len(), 3);
    assert!(
        steps[2].contains("ALTER TABLE \"Odd \"\"App\"\"\".\"T.t\" ALTER COLUMN \"a'b\" DROP NOT NULL"),
        "{steps:?}"
    );
}

#[test]
fn a_value_that_does_not_fit_another_type_is_never_cut() {
    let of = |kind: &str, to: &str, more: &str| {
        let column = Column { kind: kind.into(), ..column("a") };
        let known = known("m", Table { kind: "r".into(), columns: vec![column], ..Table::default() });
        let written =
            written(&plan(&format!("change_type: {{table: m, column: a, type: {to}{more}}}")), &known);
        assert_eq!(written.refused, []);
        let cautions: Vec<String> = written.cautions.iter().map(|(_, what)| what.clone()).collect();
        (steps(&written).join("\n").replace('"', ""), cautions.join("\n"))
    };
    for (kind, to) in
        [("text", "varchar(3)"), ("text", "char(3)"), ("bit(8)", "bit(4)"), ("text[]", "\"varchar(2)[]\"")]
    {
        let (steps, cautions) = of(kind, to, "");
        assert!(
            steps.contains("computed_0 := NEW.a;")
                || steps.contains("NEW._phase_20261201000000_new_a := NEW.a;"),
            "{steps}"
        );
        assert!(cautions.contains("that is none of type"), "{cautions}");
    }
    // The other way round what a cast of the old type would cut.
    let (steps, cautions) = of("character varying(3)", "text", ", to: b");
    assert!(steps.contains("NEW.a := NEW.b;"), "{steps}");
    assert!(!cautions.contains("none of type") && cautions.contains("while contract keeps"), "{cautions}");
    // There is no other way to the type.
    let (steps, cautions) = of("text", "integer", "");
    assert!(steps.contains("NEW.a::int"), "{steps}");
    assert!(
        cautions.contains("from expand on a value that is none of type int")
            && !cautions.contains("while contract")
    );
    let (_, cautions) = of("integer", "bigint", "");
    assert!(!cautions.contains("from expand on") && cautions.contains("while contract keeps"), "{cautions}");
    let (_, cautions) = of("integer", "bigint", ", using: a + n");
    assert!(cautions.contains("of which using gives none"), "{cautions}");
}

#[test]
fn a_value_that_is_another_each_time_is_not_kept_in_step_both_ways() {
    let of = |change: &str| {
        let table = Table { kind: "r".into(), columns: vec![column("a")], ..Table::default() };
        refused(change, &known("m", table))
    };
    for change in [
        "transform_column: {table: m, column: a, to: b, type: uuid, using: gen_random_uuid(), back: 'b::text'}",
        "change_type: {table: m, column: a, type: uuid, using: gen_random_uuid(), to: b}",
    ] {
        assert!(
            of(change).contains("calls gen_random_uuid(), which gives another value each time"),
            "{}",
            of(change)
        );
    }
    assert_eq!(of("change_type: {table: m, column: a, type: uuid, using: gen_random_uuid()}"), "");
}

#[test]
fn only_triggers_of_the_applications_own_are_looked_at() {
    let trigger = |name: &str| Trigger {
        name: name.into(),
        definition: format!(
            "CREATE TRIGGER {name} BEFORE INSERT ON public.guests FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        enabled: "O".into(),
        ..Trigger::default()
    };
    let mut known = guests();
    let table = known.tables.get_mut("guests").unwrap();
    table.triggers = vec![trigger("zz_phase_1_c1000_insert"), trigger("touched")];
    let written = written(&plan("rename_column: {table: guests, from: nick, to: handle}"), &known);
    let said: Vec<&String> = written.cautions.iter().map(|(_, said)| said).collect();
    let about = |name: &str| said.iter().filter(|said| said.contains(name)).count();
    assert_eq!((about("zz_phase"), about("touched")), (0, 1), "{said:?}");
}

#[test]
fn a_column_that_a_change_before_takes_away_is_named() {
    let twice = "transform_column: {table: guests, column: nick, to: a, type: text, using: nick, back: a}\n  - drop_column: {table: guests, column: nick}";
    assert!(refused(twice, &guests()).contains("a change before takes guests.nick away already"));
    let again = "drop_column: {table: guests, column: nick}\n  - add_column: {table: guests, column: nick, type: int}";
    assert!(
        refused(again, &guests()).contains("until contract takes it away: change_type gives it another type")
    );
}
