//! Tells whether two sessions are on one database, by what their servers say and not by the
//! names that they were reached by.

use crate::core::failure::Failure;
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::queries as q;

/// How the databases of two sessions stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kin {
    /// They are one: a lock that the one session holds is seen by the other.
    Same,
    /// The first is on a standby, and nothing tells that the other is not its primary.
    StandbyOf,
    /// They are two.
    Apart,
}

/// How the database of `one` stands to that of `other`, however each got there.
///
/// A physical copy has the identity of its original, so where the first is no standby only a
/// lock tells.
///
/// # Errors
/// When one of them does not answer.
pub async fn kin(one: &Session, other: &Session) -> Result<Kin, Failure> {
    if shares_locks(one, other).await? {
        return Ok(Kin::Same);
    }
    if !one.facts().await?.standby {
        return Ok(Kin::Apart);
    }
    // Where a role may not ask, nobody can tell.
    let (here, there) = (identity(one).await, identity(other).await);
    Ok(if matches!((&here, &there), (Some(here), Some(there)) if here != there) {
        Kin::Apart
    } else {
        Kin::StandbyOf
    })
}

async fn shares_locks(one: &Session, other: &Session) -> Result<bool, Failure> {
    let run =
        |sql: String| async move { one.client.batch_execute(&sql).await.map_err(|error| failure(&error)) };
    let key = || i32::from_ne_bytes(rand::random::<[u8; 4]>()) & i32::MAX;
    let (high, low) = (key(), key());
    // Held by a transaction, so that a pooler does not keep it.
    run(format!("BEGIN; SELECT pg_advisory_xact_lock({high}, {low})")).await?;
    let (high, low) = (high.unsigned_abs(), low.unsigned_abs());
    let marked = other.client.query_one(q::COPY_MARKED, &[&high, &low]).await;
    run("ROLLBACK".into()).await?;
    Ok(marked.map_err(|error| failure(&error))?.get("marked"))
}

/// The cluster and the database, where our role may know.
async fn identity(session: &Session) -> Option<(String, u32)> {
    match session.client.query_one(q::COPY_IDENTITY, &[]).await {
        Ok(row) => Some((row.get("cluster"), row.get("database"))),
        Err(error) => {
            tracing::debug!("which cluster it is: {error}");
            None
        }
    }
}
