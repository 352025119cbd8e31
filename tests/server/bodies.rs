//! Functions of a table's own triggers that name a column whose name goes: contract stops before it.

use crate::harness::{Db, TestResult, check, same, tests};

tests![contract_stops_where_a_trigger_names_the_column, a_name_is_read_as_the_server_reads_it,];

/// A trigger function that breaks without the column, in the form that people write.
const LOW: &str = "new.a := lower(new.a); RETURN new";
/// The same, with and without the column.
const BOTH: &str =
    "new := jsonb_populate_record(new, jsonb_build_object('a', lower(to_jsonb(new) ->> 'a'))); RETURN new";

fn function(name: &str, body: &str) -> String {
    format!("CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$")
}

/// Each way that takes a name away, over a table `t` with its number.
const WAYS: [&str; 9] = [
    "change:\n  - rename_column: {table: t, from: a, to: z}\nkeep: 1h\n",
    "change:\n  - rename_column: {table: t, from: a, to: z}\n",
    "change:\n  - change_type: {table: t, column: a, type: varchar(90), to: z}\nkeep: 1h\n",
    "change:\n  - transform_column: {table: t, column: a, to: z, type: text, using: a, back: z}\nkeep: 1h\n",
    "change:\n  - split_column:\n      table: t\n      column: a\n      into: [{column: z, type: text, using: a}, {column: y, type: text, using: a}]\n      back: z\nkeep: 1h\n",
    "change:\n  - merge_columns: {table: t, to: z, type: text, using: \"a || ',' || b\", back: {a: \"split_part(z, ',', 1)\", b: \"split_part(z, ',', 2)\"}}\nkeep: 1h\n",
    "change:\n  - drop_column: {table: t, column: a}\nkeep: 1h\n",
    "change:\n  - create_table:\n      table: u\n      columns:\n        - {name: id, type: bigint, primary_key: true}\n      foreign_keys:\n        - {columns: [id], references: t, on_delete: cascade, on_update: cascade}\n  - move_columns: {table: t, to: u, columns: {a: a}}\nkeep: 1h\n",
    "contract:\n  - drop_column: {table: t, column: a}\n",
];

async fn contract_stops_where_a_trigger_names_the_column(db: Db) -> TestResult {
    for (n, way) in (1..).zip(WAYS) {
        let (t, plan) = (format!("t{n}"), n.to_string());
        db.run(&format!(
            "CREATE TABLE {t} (id bigint PRIMARY KEY, a text, b text); {}; \
             CREATE TRIGGER t_low BEFORE INSERT OR UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION low{n}(); \
             INSERT INTO {t} VALUES (1, 'A', 'B')",
            function(&format!("low{n}"), LOW)
        ))
        .await?;
        let text =
            way.replace("table: t,", &format!("table: {t},")).replace("table: t\n", &format!("table: {t}\n"));
        let text = text.replace("references: t,", &format!("references: {t},"));
        let text =
            text.replace("table: u\n", &format!("table: u{n}\n")).replace("to: u,", &format!("to: u{n},"));
        db.file(&format!("plans/{n}_p.yaml"), &text)?;
        let said = format!("function low{n}(), which trigger t_low of {t} runs, names a of NEW or OLD");
        if way.starts_with("change") {
            let told = db.phase(&["check", "--online"]).await?;
            check!((told.stdout.clone() + &told.stderr).contains(&said), "{text}{told:?}");
            let weaker = "it finds the value that a had before";
            check!(!(told.stdout.clone() + &told.stderr).contains(weaker), "{text}{told:?}");
        }
        let ended = db.phase(&["advance", &plan, "--to", "contracted", "--wait"]).await?.expect(1)?;
        let stops = format!("trigger t_low runs low{n}(), which names column a");
        check!(ended.stderr.contains(&stops), "{text}{ended:?}");
        db.run(&format!("INSERT INTO {t} (id, a) VALUES (2, 'C'); UPDATE {t} SET b = 'D'")).await?;
        db.run(&function(&format!("low{n}"), BOTH)).await?;
        db.phase(&["advance", &plan, "--to", "contracted", "--wait"]).await?.expect(0)?;
        db.run(&format!("INSERT INTO {t} (id) VALUES (3); UPDATE {t} SET id = id + 10")).await?;
    }
    // Where nothing loses its name, nothing stops.
    db.run(&format!(
        "CREATE TABLE s (id bigint PRIMARY KEY, a text); {}; \
         CREATE TRIGGER t_low BEFORE INSERT OR UPDATE ON s FOR EACH ROW EXECUTE FUNCTION low_s()",
        function("low_s", LOW)
    ))
    .await?;
    db.file(
        "plans/20_s.yaml",
        "change:\n  - change_type: {table: s, column: a, type: varchar(90)}\nkeep: 1h\n",
    )?;
    db.phase(&["advance", "20", "--to", "contracted", "--wait"]).await?.expect(0)?;
    db.run("INSERT INTO s (id, a) VALUES (1, 'A')").await?;
    same!(db.value("SELECT a FROM s").await?, "a");
    Ok(())
}

async fn a_name_is_read_as_the_server_reads_it(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE p (id int, \"Mi\"\"x\" text, mix text, mi text) PARTITION BY RANGE (id); \
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100)",
    )
    .await?;
    let drop =
        |column: &str| format!("contract:\n  - drop_column: {{table: p, column: {column}}}\nkeep: 1h\n");
    db.file("plans/1_p.yaml", &drop("mix"))?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    let trigger = |body: &str| {
        format!(
            "{}; DROP TRIGGER IF EXISTS x ON p1; CREATE TRIGGER x AFTER UPDATE ON p1 FOR EACH ROW EXECUTE FUNCTION f()",
            function("f", &format!("PERFORM {body}; RETURN NULL"))
        )
    };
    for body in ["NEW.Mix", "old . \"mix\""] {
        db.run(&trigger(body)).await?;
        let ended = db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(1)?;
        check!(ended.stderr.contains("trigger x runs f(), which names column mix"), "{body}: {ended:?}");
    }
    db.run(&trigger("new.\"Mix\", new.mixed, renew.mix, new.mi, new.mix_, to_jsonb(new) ->> 'mix'")).await?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    db.run(&function("f", "PERFORM NEW.\"Mi\"\"x\", new.mi; RETURN NULL")).await?;
    db.file("plans/2_q.yaml", &drop("'\"Mi\"\"x\"'"))?;
    let ended = db.phase(&["advance", "2", "--to", "contracted"]).await?.expect(1)?;
    check!(ended.stderr.contains("which names column \"Mi\"\"x\""), "{ended:?}");
    db.run("ALTER TABLE p1 DISABLE TRIGGER x").await?;
    db.phase(&["advance", "2", "--to", "contracted"]).await?.expect(0)?;
    Ok(())
}
