//! The record of backfills: chunks, workers, quarantine, proofs.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::core::backfill::cut::Cut;
use crate::core::backfill::{Chunk, Key, Leaf, Stripes, Walk};
use crate::core::failure::{Failure, FailureKind};
use crate::core::version::Version;
use crate::engine::Fence;
use crate::engine::backfill::ports::{BadRow, Known, LEASE_S, Ledger, Proof, Pulse, Said, Standing, Which};
use crate::pg::backfills::read_tune;
use crate::pg::queries as q;
use crate::pg::store::PgStore;

impl Ledger for PgStore {
    async fn open(&self, fence: &Fence, step: &str, signature: &str) -> Result<i32, Failure> {
        let params: [&(dyn ToSql + Sync); 4] = [&fence.version.as_str(), &fence.epoch, &step, &signature];
        let rows = self.rows(q::BACKFILL_OPEN, &params).await?;
        rows.first().map(|row| row.get("pass")).ok_or_else(Failure::fenced)
    }

    async fn leaves(&self, which: &Which, pass: i32) -> Result<Vec<Known>, Failure> {
        let params: [&(dyn ToSql + Sync); 3] = [&which.version.as_str(), &which.step, &pass];
        let rows = self.rows(q::CHUNK_LEAVES, &params).await?;
        let one =
            |row: &Row| Known { leaf: row.get("leaf"), filenode: row.get("filenode"), rows: row.get("rows") };
        Ok(rows.iter().map(one).collect())
    }

    async fn cut(
        &self,
        fence: &Fence,
        step: &str,
        leaf: &Leaf,
        walk: Walk,
        cuts: &[Cut],
    ) -> Result<(), Failure> {
        let one =
            |cut: &Cut| serde_json::json!({"lower": cut.lower, "upper": cut.upper, "rows": cut.rows.max(0)});
        let mut bounds: Vec<serde_json::Value> = cuts.iter().map(one).collect();
        if bounds.is_empty() {
            // A leaf without rows is finished, and on record as looked at.
            bounds.push(serde_json::json!({"lower": null, "upper": null, "rows": 0}));
        }
        let (leaf_name, filenode) = (leaf.table.to_string(), Some(leaf.filenode));
        let by_place = leaf.key.is_empty();
        self.cut_sql(fence, step, (&leaf_name, filenode, by_place), walk, bounds).await
    }

    async fn drop_leaf(&self, fence: &Fence, step: &str, leaf: &str) -> Result<(), Failure> {
        self.cut_sql(fence, step, (leaf, None, true), Walk::Pages, Vec::new()).await
    }

    async fn lease(&self, which: &Which, worker: i64, backend: i32) -> Result<Option<Chunk>, Failure> {
        let params: [&(dyn ToSql + Sync); 5] =
            [&which.version.as_str(), &which.step, &worker, &backend, &LEASE_S];
        self.rows(q::CHUNK_LEASE, &params).await?.first().map(chunk).transpose()
    }

    async fn chunk(&self, which: &Which, known: &Chunk) -> Result<Option<Chunk>, Failure> {
        let params: [&(dyn ToSql + Sync); 5] =
            [&which.version.as_str(), &which.step, &known.pass, &known.number, &known.epoch];
        self.rows(q::CHUNK, &params).await?.first().map(chunk).transpose()
    }

    async fn release(&self, which: &Which, known: &Chunk) -> Result<(), Failure> {
        let params: [&(dyn ToSql + Sync); 5] =
            [&which.version.as_str(), &which.step, &known.pass, &known.number, &known.epoch];
        self.write(q::CHUNK_RELEASE, &params).await.map(|_| ())
    }

    async fn standing(&self, which: &Which) -> Result<Option<Standing>, Failure> {
        let rows = self.rows(q::BACKFILL_STANDING, &[&which.version.as_str(), &which.step]).await?;
        Ok(rows.first().map(|row| Standing {
            left: row.get("left"),
            open: row.get("open"),
            hold: row.get("hold"),
        }))
    }

    async fn prove(&self, fence: &Fence, step: &str) -> Result<(), Failure> {
        let changed = self.write(q::PROOF_BEGIN, &[&fence.version.as_str(), &fence.epoch, &step]).await?;
        if changed == 0 { Err(Failure::fenced()) } else { Ok(()) }
    }

    async fn proven(&self, fence: &Fence, step: &str) -> Result<Option<Proof>, Failure> {
        let params: [&(dyn ToSql + Sync); 4] = [&fence.version.as_str(), &fence.epoch, &step, &self.runner()];
        let rows = self.rows(q::PROOF_END, &params).await?;
        Ok(rows.first().map(|row| Proof {
            rows: row.get("rows"),
            written: row.get("written"),
            out_of_step: row.get("out_of_step"),
        }))
    }

    async fn again(&self, fence: &Fence, step: &str) -> Result<(), Failure> {
        let changed = self.write(q::BACKFILL_AGAIN, &[&fence.version.as_str(), &fence.epoch, &step]).await?;
        if changed == 0 { Err(Failure::fenced()) } else { Ok(()) }
    }

    async fn disprove(&self, fence: &Fence) -> Result<(), Failure> {
        self.write(q::BACKFILL_DISPROVE, &[&fence.version.as_str(), &fence.epoch]).await.map(|_| ())
    }

    async fn revoke(&self, fence: &Fence) -> Result<(), Failure> {
        self.write(q::CHUNK_REVOKE, &[&fence.version.as_str(), &fence.epoch]).await.map(|_| ())
    }

    async fn worker_add(&self, which: &Which, backend: i32) -> Result<i64, Failure> {
        let params: [&(dyn ToSql + Sync); 4] =
            [&which.version.as_str(), &which.step, &self.runner(), &backend];
        let rows = self.rows(q::WORKER_ADD, &params).await?;
        rows.first().map(|row| row.get("id")).ok_or_else(Failure::fenced)
    }

    async fn worker_gone(&self, id: i64) -> Result<(), Failure> {
        self.write(q::WORKER_GONE, &[&id]).await.map(|_| ())
    }

    async fn beat(&self, which: &Which, workers: &[Said]) -> Result<Pulse, Failure> {
        let said: Vec<serde_json::Value> = workers.iter().map(said).collect();
        let said = serde_json::Value::Array(said);
        let version = which.version.as_str();
        let rows = self.rows(q::BACKFILL_BEAT, &[&version, &which.step, &said, &LEASE_S]).await?;
        let row = rows.first().ok_or_else(Failure::fenced)?;
        let tune: Option<serde_json::Value> = row.get("tune");
        let total = self.progress(&which.version).await?.into_iter().find(|(step, _)| *step == which.step);
        Ok(Pulse {
            hold: row.get("hold"),
            now: row.get("now"),
            tune: tune.map(read_tune).transpose()?.unwrap_or_default(),
            total: total.map(|(_, total)| total).unwrap_or_default(),
        })
    }

    async fn paced(&self, which: &Which, detail: &str) -> Result<(), Failure> {
        let params: [&(dyn ToSql + Sync); 5] =
            [&which.version.as_str(), &"pace", &which.step, &detail, &self.runner()];
        self.write(q::NOTE, &params).await.map(|_| ())
    }

    async fn retried(&self, which: &Which, why: &str) -> Result<(), Failure> {
        self.write(q::BACKFILL_RETRIED, &[&which.version.as_str(), &which.step, &why]).await.map(|_| ())
    }

    async fn quarantine(
        &self,
        which: &Which,
        known: &Chunk,
        key: &Key,
        failure: &Failure,
    ) -> Result<i64, Failure> {
        let sqlstate = failure.sqlstate.as_deref().unwrap_or_default();
        let params: [&(dyn ToSql + Sync); 8] = [
            &which.version.as_str(),
            &which.step,
            &known.pass,
            &known.number,
            &known.epoch,
            &key,
            &sqlstate,
            &failure.message,
        ];
        let rows = self.rows(q::QUARANTINE_ADD, &params).await?;
        rows.first().map(|row| row.get("rows")).ok_or_else(Failure::fenced)
    }

    async fn quarantined(&self, version: &Version, step: Option<&str>) -> Result<Vec<BadRow>, Failure> {
        let rows = self.rows(q::QUARANTINE_OF, &[&version.as_str(), &step]).await?;
        let one = |row: &Row| BadRow {
            step: row.get("step"),
            leaf: row.get("leaf"),
            key: row.get("key"),
            sqlstate: row.get("sqlstate"),
            error: row.get("error"),
            attempts: row.get("attempts"),
            first_at: row.get("first_at"),
            last_at: row.get("last_at"),
        };
        Ok(rows.iter().map(one).collect())
    }
}

impl PgStore {
    async fn cut_sql(
        &self,
        fence: &Fence,
        step: &str,
        (leaf, filenode, by_place): (&str, Option<i64>, bool),
        walk: Walk,
        bounds: Vec<serde_json::Value>,
    ) -> Result<(), Failure> {
        let many = !bounds.is_empty();
        let bounds = serde_json::Value::Array(bounds);
        let params: [&(dyn ToSql + Sync); 8] = [
            &fence.version.as_str(),
            &fence.epoch,
            &step,
            &leaf,
            &filenode,
            &walk.name(),
            &bounds,
            &by_place,
        ];
        let changed = self.write(q::CHUNK_CUT, &params).await?;
        if many && changed == 0 { Err(Failure::fenced()) } else { Ok(()) }
    }
}

fn said(said: &Said) -> serde_json::Value {
    serde_json::json!({
        "id": said.id, "pace": said.level.name(), "why": said.why, "chunk": said.chunk,
        "batch_rows": said.batch_rows, "batch_ms": said.batch_ms, "rows_per_s": said.rows_per_s,
        "stripe_by": said.stripes.name(), "hot_share": said.hot_share,
    })
}

fn chunk(row: &Row) -> Result<Chunk, Failure> {
    let walk = Walk::from_name(row.get("walk"));
    let unknown =
        || Failure::new(FailureKind::Other, "a chunk is walked in a way that this phase does not know");
    Ok(Chunk {
        number: row.get("chunk"),
        pass: row.get("pass"),
        walk: walk.ok_or_else(unknown)?,
        leaf: row.get("leaf"),
        epoch: row.get("epoch"),
        cursor: row.get("cursor"),
        until: row.get("window_end"),
        upper: row.get("upper"),
        stripe: row.get("stripe"),
        stripes: Stripes::from_record(row.get("stripe_by"), row.get("stripes")),
        finished: row.get("finished"),
    })
}
