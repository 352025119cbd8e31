//! Mangled statements get an answer, whatever they are.

use super::*;
use crate::core::compile::Server;
use crate::core::plan::{Source, parse};
use crate::core::version::Version;
use proptest::prelude::*;

/// Statements that the table knows, with a piece cut out, doubled or moved.
fn mangled() -> impl Strategy<Value = String> {
    let more = [
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a, c) REFERENCES r ON DELETE SET NULL (a) DEFERRABLE",
        "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a) INCLUDE (c) WITH (fillfactor = 7), ADD PRIMARY KEY (a, c)",
        "ALTER TABLE t ADD COLUMN \"z: #\" interval day to second(3) DEFAULT '1', ADD COLUMN w serial UNIQUE",
        "CREATE TABLE q (k date) PARTITION BY LIST (k); ALTER TABLE q ATTACH PARTITION t FOR VALUES IN (NULL, 'x', -1)",
        "ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (MINVALUE) TO (1 + 1)",
        "ALTER TABLE t ADD CHECK (NOT (a BETWEEN 1 AND 2 OR a = ANY (ARRAY[1, NULL])) AND c IS NOT NULL)",
        "MERGE INTO t USING r ON t.id = r.id OR 1 = 1 WHEN NOT MATCHED BY SOURCE AND true THEN DELETE",
        "SELECT set_config('lock_timeout', $1, f(VARIADIC ARRAY[1])), s.g(), pg_sleep(1) FROM t",
        "DROP FUNCTION IF EXISTS f(), s.g(integer) CASCADE; DROP EXTENSION hstore; DROP SCHEMA a, b",
        "ALTER SCHEMA a RENAME TO b; ALTER TYPE m RENAME ATTRIBUTE a TO b; ALTER TYPE m SET SCHEMA a",
        "SET lock_timeout = '9e99 d'; SET statement_timeout = 1e308",
    ];
    let examples = table::rows().flat_map(|row| [row.example.setup, row.example.sql]);
    let known: Vec<String> = examples.chain(more).map(str::to_owned).collect();
    let pick = || prop::sample::select(known.clone());
    (pick(), pick(), 0..200_usize, 0..60_usize, 0..3_u8).prop_map(|(one, other, at, len, how)| {
        let chars: Vec<char> = one.chars().collect();
        let (at, end) = (at.min(chars.len()), (at + len).min(chars.len()));
        let piece = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
        let cut = piece(at..end);
        let rest = piece(0..at) + &piece(end..chars.len());
        match how {
            0 => format!("{rest}; {other}"),
            1 => format!("{one} {cut}; {other}"),
            _ => format!("{other} {cut}; {rest}"),
        }
    })
}

/// How many mangled statements; `PHASE_FUZZ_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PHASE_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn any_sql_gives_an_answer(sql in mangled(), version in prop::sample::select(vec![130_000, 140_001, 180_000])) {
        let mut world = world("", version);
        if let Err(error) = split(&sql) {
            prop_assert!(error.offset.is_none_or(|offset| sql.is_char_boundary(offset)), "{error:?}");
        }
        for statement in split(&sql).unwrap_or_default() {
            let effects = effects(&statement, &world);
            prop_assert_eq!(effects.len(), statement.changes.len());
            statement.changes.iter().for_each(|change| apply(&mut world, change));
            let _ = Mentions::of(&statement.changes);
        }
        let indented = sql.replace('\n', "\n      ");
        let text = format!("expand:\n  - sql: |\n      {indented}\n    undo: |\n      {indented}\n");
        let version = Version::parse("1").unwrap();
        let source = Source { file: "x", version: &version, name: "x", text: &text };
        if let Ok(plan) = parse(&source, &|_| Err("no files here".into()))
            && let Ok(steps) = crate::core::compile::plan(&plan, Server::NEWEST)
        {
            let blank = item("expand:\n  - {sql: SELECT 1, undo: SELECT 1}\n");
            let judged = judge(&Item { steps, ..blank }, world, 0.0);
            prop_assert!(judged.is_ok(), "{judged:?}");
        }
    }
}
