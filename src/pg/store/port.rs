//! The moves of an item on record: one function a named query, each write under its fence.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::PgStore;
use super::rows::{record, step};
use crate::core::failure::{Failure, FailureKind};
use crate::core::gate::{Approval, BackfillFact, Facts, Sighting, Verdict};
use crate::core::impact::Impact;
use crate::core::record::{Hold, Record, StepRecord};
use crate::core::sql::redact;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;
use crate::engine::{Fence, StepWrite, Store};
use crate::pg::classify::failure;
use crate::pg::queries as q;

impl Store for PgStore {
    async fn records(&self) -> Result<Vec<Record>, Failure> {
        self.rows(q::ITEMS, &[]).await?.iter().map(record).collect()
    }

    async fn steps(&self, version: &Version) -> Result<Vec<StepRecord>, Failure> {
        self.rows(q::STEPS, &[&version.as_str()]).await?.iter().map(step).collect()
    }

    async fn facts(&self, record: &Record) -> Result<Facts, Failure> {
        let now: Timestamp = self.one(q::NOW, &[]).await?.get("now");
        let markers = self.markers().await?;
        let approvals = self.rows(q::APPROVALS, &[&record.version.as_str()]).await?;
        let proofs = self.rows(q::PROOFS, &[&record.version.as_str()]).await?;
        let backfill = |row: &Row| BackfillFact {
            step: row.get("step"),
            proof: row.get::<_, Option<Timestamp>>("ended_at").zip(row.get("out_of_step")),
            quarantined: row.get("quarantined"),
        };
        let approval =
            |row: &Row| Approval { actor: row.get("actor"), note: row.get("note"), at: row.get("given_at") };
        Ok(Facts {
            state_since: record.state_since,
            markers,
            approvals: approvals.iter().map(approval).collect(),
            backfills: proofs.iter().map(backfill).collect(),
            ..Facts::none(now)
        })
    }

    async fn sessions(&self, within: Duration) -> Result<(Vec<Timestamp>, Vec<Sighting>), Failure> {
        if self.writes() {
            self.write(q::GATE_LOOK, &[]).await?;
        }
        let seconds = within.as_secs_f64();
        let looks = self.rows(q::GATE_LOOKS, &[&seconds]).await?;
        let seen = self.rows(q::GATE_SIGHTINGS, &[&seconds]).await?;
        let sighting = |row: &Row| Sighting {
            name: row.get("name"),
            user: row.get("db_user"),
            address: row.get("address"),
            sessions: row.get("sessions"),
            first: row.get("first_seen"),
            last: row.get("last_seen"),
        };
        Ok((looks.iter().map(|row| row.get("at")).collect(), seen.iter().map(sighting).collect()))
    }

    async fn set_goal(
        &self,
        fence: &Fence,
        item: &Item,
        record: &Record,
        goal: State,
        verdicts: &[Verdict],
    ) -> Result<(), Failure> {
        let known = item.known.as_ref().map(serde_json::to_string).transpose();
        let known = known.map_err(|error| Failure::new(FailureKind::Other, error.to_string()))?;
        let depends_on: Vec<&str> = item.depends_on.iter().map(Version::as_str).collect();
        self.fenced_write(
            q::SET_GOAL,
            &[
                &fence.version.as_str(),
                &fence.epoch,
                &record.state.name(),
                &record.goal.name(),
                &goal.name(),
                &self.runner,
                &item.source,
                &item.checksum,
                &item.tables,
                &depends_on,
                &item.name,
                &known,
                &Some(serde_json::json!(verdicts)).filter(|_| !verdicts.is_empty()),
            ],
        )
        .await
    }

    async fn set_state(
        &self,
        fence: &Fence,
        from: State,
        to: State,
        batch: Option<i64>,
        took: Duration,
    ) -> Result<(), Failure> {
        let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let (version, from, to) = (fence.version.as_str(), from.name(), to.name());
        self.fenced_write(q::SET_STATE, &[&version, &fence.epoch, &from, &to, &self.runner, &took, &batch])
            .await
    }

    async fn set_error(&self, fence: &Fence, message: &str) -> Result<(), Failure> {
        self.fenced_write(q::SET_ERROR, &[&fence.version.as_str(), &fence.epoch, &message, &self.runner])
            .await
    }

    async fn step_started(&self, fence: &Fence, step: &StepWrite<'_>) -> Result<(), Failure> {
        let position = i32::try_from(step.position).unwrap_or(i32::MAX);
        let (version, status) = (fence.version.as_str(), step.status.name());
        self.fenced_write(
            q::STEP_STARTED,
            &[&version, &fence.epoch, &step.id, &position, &status, &step.undo, &self.runner],
        )
        .await
    }

    async fn step_finished(&self, fence: &Fence, step: &StepWrite<'_>) -> Result<(), Failure> {
        finish_step(&self.client, fence, step, self.runner).await
    }

    async fn step_failed(
        &self,
        fence: &Fence,
        step: &StepWrite<'_>,
        message: &str,
        rolled_back: bool,
    ) -> Result<(), Failure> {
        let version = fence.version.as_str();
        let params: [&(dyn ToSql + Sync); 7] =
            [&version, &fence.epoch, &step.id, &message, &redact(step.sql), &self.runner, &rolled_back];
        self.write(q::STEP_FAILED, &params).await?;
        Ok(())
    }

    async fn place_hold(&self, version: &Version, reason: &str) -> Result<(), Failure> {
        self.hold_by(version, reason, "phase").await?;
        Ok(())
    }

    async fn hold(&self, version: &Version) -> Result<Option<Hold>, Failure> {
        let rows = self.rows(q::HOLD_OF, &[&version.as_str()]).await?;
        Ok(rows.first().map(|row| Hold {
            reason: row.get("reason"),
            by: row.get("placed_by"),
            since: row.get("since"),
        }))
    }

    async fn note(
        &self,
        version: &Version,
        step: Option<&str>,
        event: &str,
        detail: &str,
    ) -> Result<(), Failure> {
        self.write(q::NOTE, &[&version.as_str(), &event, &step, &detail, &self.runner]).await?;
        Ok(())
    }

    async fn impact_begins(
        &self,
        version: &Version,
        step: &str,
        undo: bool,
        backend: Option<i32>,
    ) -> Result<i64, Failure> {
        let params: [&(dyn ToSql + Sync); 5] = [&version.as_str(), &step, &undo, &self.runner, &backend];
        Ok(self.one(q::IMPACT_BEGINS, &params).await?.get("id"))
    }

    async fn impact_says(&self, number: i64, words: Option<&str>) -> Result<(), Failure> {
        self.write(q::IMPACT_SAYS, &[&number, &words]).await?;
        Ok(())
    }

    async fn impact_ends(&self, number: i64, impact: &Impact) -> Result<(), Failure> {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let longest = impact.longest.as_ref().map(|who| serde_json::json!(who));
        let params: [&(dyn ToSql + Sync); 9] = [
            &number,
            &small(impact.attempts),
            &small(impact.waiters),
            &whole(impact.longest_wait_ms),
            &longest,
            &impact.held_ms.map(whole),
            &serde_json::json!(impact.locks),
            &whole(impact.looks),
            &whole(impact.gap_ms),
        ];
        self.write(q::IMPACT_ENDS, &params).await?;
        Ok(())
    }

    async fn forget_backfills(&self, fence: &Fence) -> Result<(), Failure> {
        self.write(q::BACKFILL_FORGET, &[&fence.version.as_str(), &fence.epoch]).await?;
        Ok(())
    }
}

/// Records on any session that a step is done or undone; on the session of a
/// transactional step, this commits together with its work.
pub(crate) async fn finish_step(
    client: &Client,
    fence: &Fence,
    step: &StepWrite<'_>,
    runner: i64,
) -> Result<(), Failure> {
    let (version, status) = (fence.version.as_str(), step.status.name());
    let params: [&(dyn ToSql + Sync); 7] =
        [&version, &fence.epoch, &step.id, &status, &runner, &redact(step.sql), &None::<&str>];
    match client.execute(q::STEP_FINISHED, &params).await {
        Ok(0) => Err(Failure::fenced()),
        Ok(_) => Ok(()),
        Err(error) => Err(failure(&error)),
    }
}
