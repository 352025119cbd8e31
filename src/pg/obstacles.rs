//! Asks who is in the way of a step before it begins, and ends whom a plan allows to end.

use std::time::Duration;

use tokio_postgres::Row;

use crate::core::failure::{Blocker, Failure};
use crate::core::ident::QName;
use crate::core::lint::Lock;
use crate::core::quiet::Holder;
use crate::core::sql::without_literals;
use crate::pg::classify::failure;
use crate::pg::queries as q;
use crate::pg::sessions::Sessions;

impl Sessions {
    /// Who else holds locks on relations, or waits for them; and `deadlock_timeout`.
    pub(super) async fn holders(&self, relations: &[QName]) -> Result<(Vec<Holder>, Duration), Failure> {
        let client = &self.work().await?.client;
        let names: Vec<String> = relations.iter().map(ToString::to_string).collect();
        let rows = client.query(q::HOLDERS, &[&names, &self.backends()]).await;
        let patience = client.query_one(q::DEADLOCK_TIMEOUT, &[]).await.map_err(|error| failure(&error))?;
        let holders = rows.map_err(|error| failure(&error))?.iter().filter_map(holder).collect();
        let ms: i64 = patience.get("ms");
        Ok((holders, Duration::from_millis(ms.unsigned_abs())))
    }

    /// What is known of a session; only its number where it is gone.
    pub(super) async fn session(&self, pid: i32) -> Result<Blocker, Failure> {
        let row = self.work().await?.client.query_opt(q::SESSION, &[&pid]).await;
        let row = row.map_err(|error| failure(&error))?;
        Ok(row
            .map_or_else(|| Blocker::of_pid(pid), |row| Blocker { age_s: row.get("age_s"), ..blocker(&row) }))
    }

    /// Ends the session of a client, if it is still at the same transaction.
    pub(super) async fn end_session(&self, who: &Blocker, only: &[String]) -> Result<bool, Failure> {
        let Some(transaction) = &who.transaction else { return Ok(false) };
        let watching = self.watch().await?;
        let sent = watching.client().query_opt(q::END_SESSION, &[&who.pid, transaction, &only]).await;
        Ok(sent.map_err(|error| failure(&error))?.is_some_and(|row| row.get("ended")))
    }
}

fn holder(row: &Row) -> Option<Holder> {
    let age: Option<f64> = row.get("age_s");
    let age = age.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
    let wanted: i32 = row.get("n");
    Some(Holder {
        who: Blocker { age_s: age.and_then(|age| i64::try_from(age.as_secs()).ok()), ..blocker(row) },
        wanted: usize::try_from(wanted).ok()?.checked_sub(1)?,
        lock: Lock::of_mode(row.get("mode"))?,
        age,
        gives_way: row.get("gives_way"),
    })
}

/// A session in the way, but for the age of its transaction.
pub(super) fn blocker(row: &Row) -> Blocker {
    Blocker {
        pid: row.get("pid"),
        user: row.get("usename"),
        application: row.get("application_name"),
        state: row.get("state"),
        age_s: None,
        query: row.get::<_, Option<String>>("query").as_deref().map(without_literals),
        transaction: row.get("transaction"),
    }
}
