#![allow(clippy::unwrap_used)]
use super::*;
use crate::core::lint::{World, effects};
use crate::core::sql::split;

fn predicted(sql: &str) -> Vec<Inspected> {
    let world = World::offline(150_000);
    let look = |statement: Statement| Inspected { effects: effects(&statement, &world), statement };
    split(sql).unwrap().into_iter().map(look).collect()
}

fn compare(predicted: &[Inspected], seen: &[Sighting]) -> Compared {
    super::compare(predicted, seen, false)
}

fn name(name: &str) -> Name {
    Name { schema: "public".into(), name: name.into(), visible: true }
}

fn seen(there: &[&str], taken: &[(&str, Lock)]) -> Sighting {
    let taken: BTreeMap<Name, Lock> = taken.iter().map(|(table, lock)| (name(table), *lock)).collect();
    Sighting {
        there: there.iter().map(|table| name(table)).collect(),
        held: taken.clone(),
        taken,
        ..Sighting::default()
    }
}

#[test]
fn what_was_predicted_is_no_fault() {
    let compared = compare(
        &predicted("ALTER TABLE t ADD COLUMN a int"),
        &[seen(&["t", "u"], &[("t", Lock::AccessExclusive), ("u", Lock::AccessShare)])],
    );
    assert_eq!(compared.verdict, Verdict::AsPredicted);
    let lock = Some(Lock::AccessExclusive);
    assert_eq!(
        compared.locks,
        [LockLine { relation: "t".into(), predicted: lock, seen: lock, held_ms: Some(0.0) }]
    );
    assert_eq!((compared.faults.len(), compared.notes.len()), (0, 0));
}

#[test]
fn a_stronger_lock_and_a_lock_elsewhere_are_worse() {
    let stronger =
        compare(&predicted("UPDATE t SET a = 1 WHERE id = 1"), &[seen(&["t"], &[("t", Lock::Exclusive)])]);
    assert_eq!(stronger.verdict, Verdict::Worse);
    assert_eq!(stronger.faults, ["EXCLUSIVE on t, where ROW EXCLUSIVE was predicted"]);
    let elsewhere = compare(
        &predicted("UPDATE t SET a = 1 WHERE id = 1"),
        &[seen(&["t", "u"], &[("t", Lock::RowExclusive), ("u", Lock::Share)])],
    );
    assert_eq!(elsewhere.faults, ["SHARE on u, which was not predicted"]);
}

#[test]
fn rows_that_triggers_write_are_a_note_and_a_milder_lock_too() {
    let compared = compare(
        &predicted("UPDATE t SET a = 1 WHERE id = 1; ALTER TABLE u ADD COLUMN b int"),
        &[
            seen(&["t", "u", "log"], &[("t", Lock::RowExclusive), ("log", Lock::RowExclusive)]),
            seen(&["t", "u", "log"], &[("u", Lock::ShareUpdateExclusive)]),
        ],
    );
    assert_eq!(compared.verdict, Verdict::AsPredicted);
    assert_eq!(compared.notes, ["ROW EXCLUSIVE on log as well, which stands in no query's way"]);
    let milder: Vec<&str> =
        compared.locks.iter().filter(|line| line.milder()).map(|line| line.relation.as_str()).collect();
    assert_eq!(milder, ["u"]);
}

#[test]
fn an_opaque_statement_is_not_held_to_anything_but_its_neighbours_are() {
    let opaque = "DO $$ BEGIN EXECUTE 'LOCK TABLE t' ; END $$";
    let taken = seen(&["t"], &[("t", Lock::AccessExclusive)]);
    let compared = compare(&predicted(opaque), std::slice::from_ref(&taken));
    assert_eq!(compared.verdict, Verdict::Opaque);
    assert_eq!(compared.locks[0].seen, Some(Lock::AccessExclusive));
    assert_eq!(compare(&predicted(opaque), &[seen(&["t"], &[])]).verdict, Verdict::Opaque);
    let own = super::compare(&predicted(opaque), &[seen(&["t"], &[])], true);
    assert_eq!(own.verdict, Verdict::AsPredicted);
    let both = format!("{opaque}; UPDATE t SET a = 1 WHERE id = 1");
    let apart = compare(&predicted(&both), &[seen(&["t"], &[]), taken]);
    assert_eq!(apart.verdict, Verdict::Worse);
}

#[test]
fn work_that_was_not_predicted_is_worse() {
    let mut did = seen(&["t"], &[("t", Lock::AccessExclusive)]);
    did.rewritten.insert(name("t"));
    did.built.insert("t_pkey".into());
    did.verified.insert("t".into());
    did.read.insert(name("t"), 5);
    let compared = compare(&predicted("ALTER TABLE t ADD COLUMN a int"), std::slice::from_ref(&did));
    assert_eq!(compared.faults.len(), 4, "{:?}", compared.faults);
    assert_eq!(compare(&predicted("VACUUM FULL t"), &[did]).verdict, Verdict::AsPredicted);
    let mut read = seen(&["t"], &[("t", Lock::RowExclusive)]);
    read.read.insert(name("t"), 5);
    let update = compare(&predicted("UPDATE t SET a = 1 WHERE id = 1"), &[read]);
    assert_eq!(update.notes, ["t is read from end to end (5 rows)"]);
}

#[test]
fn a_sequence_is_locked_beside_its_table() {
    let mut sighting =
        seen(&["t", "t_id_seq"], &[("t", Lock::AccessExclusive), ("t_id_seq", Lock::AccessExclusive)]);
    sighting.sequences.insert(name("t_id_seq"));
    let compared = compare(&predicted("DROP TABLE t"), std::slice::from_ref(&sighting));
    assert_eq!(compared.verdict, Verdict::AsPredicted);
    assert_eq!(compared.locks.len(), 1);
    assert_eq!(
        compared.notes,
        ["ACCESS EXCLUSIVE on t_id_seq: who asks the sequence for a value waits for it"]
    );
    sighting.sequences.clear();
    assert_eq!(compare(&predicted("DROP TABLE t"), &[sighting]).verdict, Verdict::Worse);
}
