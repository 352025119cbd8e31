//! Signals that are the whole server's, each on a server of its own: slots, the
//! archiver, checkpoints, an autovacuum against wraparound, bytes to a replica.

use phase::throwaway::{Cluster, Options};

use crate::harness::{Db, TestResult, connect, tests, value};
use crate::pace::{begin, goes_on, stands_still, stops};

tests![
    log_that_a_slot_keeps_stops_it,
    a_slot_that_is_about_to_be_lost_stops_it,
    an_archiver_that_is_behind_stops_it,
    forced_checkpoints_stop_it,
    an_autovacuum_against_wraparound_stops_it,
    bytes_that_a_replica_has_to_replay_stop_it,
];

/// A server of the test's own, and the test's project on it.
fn own(db: Db, settings: &[(&str, &str)]) -> Result<(Cluster, Db), Box<dyn std::error::Error + Send + Sync>> {
    let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let cluster = Cluster::start(&db.binaries, &Options { settings })?;
    let db = Db { url: cluster.url("postgres"), ..db };
    Ok((cluster, db))
}

/// Sixty megabytes for the log.
const NOISE: &str = "DO $$ BEGIN FOR part IN 1..3 LOOP
    PERFORM pg_logical_emit_message(false, 'test', repeat('x', 20971520)); END LOOP; END $$";

async fn at_work(db: &Db) -> TestResult {
    let client = db.connect().await?;
    while value(&client, "SELECT coalesce(sum(rows_written), 0) > 0 FROM phase.backfill_chunk").await? != "t"
    {
    }
    Ok(())
}

async fn log_that_a_slot_keeps_stops_it(db: Db) -> TestResult {
    let (_cluster, db) = own(db, &[])?;
    begin(&db, "throttle: {congestion: false, slot_wal: 40MB}").await?;
    db.run("SELECT pg_create_physical_replication_slot('lazy', true)").await?;
    let child = db.start(&["backfill"])?;
    at_work(&db).await?;
    db.run(NOISE).await?;
    stops(&db, "WAL kept by a slot").await?;
    stands_still(&db).await?;
    db.run("SELECT pg_drop_replication_slot('lazy')").await?;
    goes_on(&db, child).await
}

async fn a_slot_that_is_about_to_be_lost_stops_it(db: Db) -> TestResult {
    let (_cluster, db) = own(db, &[("max_slot_wal_keep_size", "'100MB'")])?;
    begin(&db, "throttle: {congestion: false, slot_wal: off, free_wal: 80MB}").await?;
    db.run("SELECT pg_create_physical_replication_slot('lazy', true)").await?;
    let child = db.start(&["backfill"])?;
    at_work(&db).await?;
    db.run(NOISE).await?;
    stops(&db, "WAL left before a slot is lost").await?;
    db.run("SELECT pg_drop_replication_slot('lazy')").await?;
    goes_on(&db, child).await
}

async fn an_archiver_that_is_behind_stops_it(db: Db) -> TestResult {
    let (_cluster, db) = own(db, &[("archive_mode", "on"), ("archive_command", "'true'")])?;
    begin(&db, "throttle: {congestion: false, archive_backlog: 2}").await?;
    let archives = "SELECT last_archived_wal IS NOT NULL FROM pg_stat_archiver";
    db.run("SELECT pg_switch_wal()").await?;
    while db.value(archives).await? != "t" {}
    let child = db.start(&["backfill"])?;
    at_work(&db).await?;
    db.run("ALTER SYSTEM SET archive_command = 'false'").await?;
    db.run("SELECT pg_reload_conf()").await?;
    while db.value("SHOW archive_command").await? != "false" {}
    for _ in 0..2 {
        db.run(NOISE).await?;
    }
    stops(&db, "archive backlog").await?;
    stands_still(&db).await?;
    db.run("ALTER SYSTEM SET archive_command = 'true'").await?;
    db.run("SELECT pg_reload_conf()").await?;
    while db.value("SHOW archive_command").await? != "true" {}
    // The archiver waits up to a minute after failures; a segment that ends wakes it.
    let calm = "SELECT count(*) = 0 FROM phase.backfill_worker WHERE pace = 'stop'";
    while db.value(calm).await? != "t" {
        db.run("SELECT pg_logical_emit_message(false, 'test', 'x'); SELECT pg_switch_wal()").await?;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    goes_on(&db, child).await
}

async fn forced_checkpoints_stop_it(db: Db) -> TestResult {
    let (_cluster, db) = own(db, &[])?;
    begin(&db, "throttle: {congestion: false, checkpoints: 2}").await?;
    let child = db.start(&["backfill"])?;
    at_work(&db).await?;
    // The rate counts from the first look on.
    stops_after_checkpoints(&db).await?;
    stands_still(&db).await?;
    db.phase(&["tune", "1", "--limit", "checkpoints=off"]).await?.expect(0)?;
    goes_on(&db, child).await
}

async fn stops_after_checkpoints(db: &Db) -> TestResult {
    let stopped = "SELECT count(*) > 0 FROM phase.backfill_worker WHERE pace = 'stop'";
    while db.value(stopped).await? != "t" {
        db.run("CHECKPOINT").await?;
    }
    stops(db, "forced checkpoints").await
}

async fn an_autovacuum_against_wraparound_stops_it(db: Db) -> TestResult {
    let (_cluster, db) = own(db, &[("autovacuum_naptime", "'1s'")])?;
    begin(&db, "throttle: {congestion: false}").await?;
    // The table is old at a hundred thousand transactions, and its vacuum takes its time.
    db.run("ALTER TABLE t SET (autovacuum_freeze_max_age = 100000, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)").await?;
    db.run(
        "CREATE PROCEDURE age() LANGUAGE plpgsql AS $$ BEGIN
              FOR n IN 1..110000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$",
    )
    .await?;
    db.run("CALL age()").await?;
    // The launcher comes when it comes; the backfill must not be over by then.
    let there = "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' \
                 AND query LIKE '%public.t (to prevent wraparound)%'";
    let client = db.connect().await?;
    while value(&client, there).await? != "t" {}
    let child = db.start(&["backfill"])?;
    stops(&db, "an autovacuum against wraparound is on the table").await?;
    stands_still(&db).await?;
    // It starts again as soon as it is ended, unless it is not wanted any more.
    db.run("ALTER SYSTEM SET autovacuum = off").await?;
    db.run("SELECT pg_reload_conf()").await?;
    let ended = "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) >= 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'";
    let none = "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type LIKE 'autovacuum %'";
    while db.value(none).await? != "t" {
        db.value(ended).await?;
    }
    goes_on(&db, child).await
}

async fn bytes_that_a_replica_has_to_replay_stop_it(db: Db) -> TestResult {
    let none = Options::default();
    let (primary, replica) = Cluster::start_with_replica(&db.binaries, &none, &none)?;
    let db = Db { url: primary.url("postgres"), ..db };
    begin(&db, "throttle: {congestion: false, replica_lag: off, replica_bytes: 30MB}").await?;
    let there = connect(&replica.url("postgres")).await?;
    while value(&there, "SELECT count(*) FROM pg_class WHERE relname = 'backfill_chunk'").await? != "1" {}
    let child = db.start(&["backfill"])?;
    at_work(&db).await?;
    there.batch_execute("SELECT pg_wal_replay_pause()").await?;
    db.run(NOISE).await?;
    stops(&db, "replica lag").await?;
    stands_still(&db).await?;
    there.batch_execute("SELECT pg_wal_replay_resume()").await?;
    goes_on(&db, child).await
}
