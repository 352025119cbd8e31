use super::*;
use crate::core::gate::facts::testing::marker;
use crate::core::lint::{SMALL_TABLE_BYTES, judge};
use crate::core::testing;

fn item(text: &str) -> Item {
    Item { checksum: "of this file".into(), ..testing::item("1_x", text) }
}

/// The answers, without a catalog, in the order of the questions.
fn answers(item: &Item, record: Option<Recorded<'_>>) -> Vec<Line> {
    let world = World::offline(180_000);
    let findings = judge(item, world.clone(), SMALL_TABLE_BYTES).expect("it can be judged");
    checklist(&Known { item, findings: &findings, world: &world, record }).expect("it can be answered")
}

fn good(lines: &[Line]) -> Vec<Option<bool>> {
    lines.iter().map(|line| line.good).collect()
}

const CAREFUL: &str = "expand:
  - sql: ALTER TABLE t ADD COLUMN b int
    undo: ALTER TABLE t DROP COLUMN b
  - sync: {table: t, set: {b: a}, back: {a: b}}
backfill:
  - {table: t, set: {b: a}}
validate:
  - index: {table: t, columns: [b]}
  - not_null: {table: t, column: b}
gates:
  contract: {deployed: web@2.0.0}
contract:
  - drop_column: {table: t, column: a}
keep: 1d
";

const CARELESS: &str = "expand:
  - sql: |
      ALTER TABLE t ADD CONSTRAINT small CHECK (a < 9);
      CREATE INDEX t_a ON t (a);
      ALTER TABLE t DROP COLUMN c
    undo: \"irreversible: c is gone\"
";

#[test]
fn a_careful_plan_is_told_from_a_careless_one() {
    let careful = answers(&item(CAREFUL), None);
    let (yes, no, unknown) = (Some(true), Some(false), None);
    assert_eq!(good(&careful), [yes, no, yes, yes, yes, unknown, unknown, unknown, yes], "{careful:#?}");
    assert!(careful[1].why.contains("t.b is there only after expand"), "{careful:#?}");
    let careless = answers(&item(CARELESS), None);
    assert_eq!(good(&careless), [no, no, no, no, no, no, unknown, unknown, no], "{careless:#?}");
    assert!(careless[0].why.contains("expand-breaks-application"), "{careless:#?}");
    assert!(
        careless[3].text().starts_with("✗ Are all new indexes built concurrently? no: expand.1"),
        "{careless:#?}"
    );
}

#[test]
fn the_record_answers_what_the_file_cannot() {
    let item = item(CAREFUL);
    let web = [marker("web", "2.0.0", None)];
    let outcome = Outcome {
        passed: true,
        checksum: item.checksum.clone(),
        server: 180_000,
        clone: true,
        largest: Some("t".into()),
        rows: 100,
        tables: Vec::new(),
        round_trips: 4,
    };
    let told = |state, markers: &[Marker], rehearsal: Option<&Outcome>| {
        let lines = answers(&item, Some(Recorded { state, markers, rehearsal }));
        (lines[5].answer, lines[6].answer, lines[7].answer)
    };
    let none: &[Marker] = &[];
    assert_eq!(told(State::Planned, none, None), (Answer::No, Answer::No, Answer::Unknown));
    assert_eq!(told(State::Planned, &web, None).2, Answer::No);
    assert_eq!(told(State::Expanded, &web, Some(&outcome)), (Answer::Yes, Answer::Unknown, Answer::Yes));
    let another = Outcome { checksum: "of another".into(), ..outcome.clone() };
    let failed = Outcome { passed: false, ..outcome };
    assert_eq!(told(State::Planned, none, Some(&failed)).0, Answer::No);
    assert_eq!(told(State::Planned, none, Some(&another)), (Answer::No, Answer::No, Answer::Unknown));
}

/// The answer about locks, with a table of a known size.
fn locked(text: &str, bytes: u64) -> Line {
    let item = item(text);
    let mut world = World::offline(180_000);
    let table = crate::core::lint::Table { bytes: Some(bytes), ..Default::default() };
    world.tables.insert(crate::core::ident::QName::parse("t").expect("a name"), table);
    let findings = judge(&item, world.clone(), SMALL_TABLE_BYTES).expect("it can be judged");
    let known = Known { item: &item, findings: &findings, world: &world, record: None };
    checklist(&known).expect("it can be answered").swap_remove(2)
}

#[test]
fn a_moment_is_not_what_takes_as_long_as_the_table_is_big() {
    let set = "validate:\n  - sql: ALTER TABLE t ALTER COLUMN a SET NOT NULL\n  - sql: ALTER TABLE t ADD COLUMN b int\n";
    let small = locked(set, 20_000);
    assert_eq!(
        small.why,
        "no table that is big or busy, but validate.1 holds ACCESS EXCLUSIVE on t, 20 kB by the catalog, while the server \
         reads every row; the others for a moment (validate.2); nobody waits longer than lock_timeout (1s)"
    );
    assert_eq!(locked(set, 1 << 30).answer, Answer::Yes);
    // What follows under the lock counts, too; and what the plan has made keeps nobody waiting.
    let held = "validate:\n  - sql: |\n      ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID;\n      ALTER TABLE t VALIDATE CONSTRAINT k\n";
    assert!(
        locked(held, 20_000).why.contains("validate.1 holds ACCESS EXCLUSIVE on t"),
        "{:?}",
        locked(held, 1)
    );
    assert_eq!(locked(held, 1 << 30).answer, Answer::Yes);
    let made = "expand:\n  - sql: |\n      CREATE TABLE u (a int);\n      CREATE INDEX i ON u (a)\n    undo: DROP TABLE u\n";
    assert_eq!(locked(made, 1).why, "no step takes a lock that queries or writes wait for");
    let apart = "validate:\n  - index: {table: t, columns: [a]}\n  - not_null: {table: t, column: a}\n";
    let apart = locked(apart, 20_000);
    assert!(apart.why.starts_with("for a moment only (validate.2.1"), "{apart:?}");
}

#[test]
fn an_aborted_plan_is_not_sent_to_expand() {
    let web = [marker("web", "2.0.0", None)];
    let lines =
        answers(&item(CAREFUL), Some(Recorded { state: State::Aborted, markers: &web, rehearsal: None }));
    assert_eq!(lines[7].answer, Answer::No);
    assert!(
        lines[7].why.contains("needs a new version") && !lines[7].why.contains("phase expand"),
        "{lines:?}"
    );
}
