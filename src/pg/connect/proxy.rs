//! Detects a pooler that shares server sessions between clients.

use super::{ConnectError, Session, first_row};

/// How often the two sessions take turns; an idle pooler gives its one free
/// server session to whoever asks, so the first turn tells.
const TURNS: usize = 3;

/// Refuses a transaction-pooling proxy. Two sessions that are open at the same
/// time must have a server process each, and keep it, and keep what they set.
///
/// # Errors
/// When they do not.
pub async fn refuse_pooler(a: &Session, b: &Session) -> Result<(), ConnectError> {
    let mark = format!("a{}", a.pid);
    for turn in 0..TURNS {
        let set = format!("SELECT set_config('phase.probe', '{mark}', false), pg_backend_pid()");
        let (first, _) = ask(a, if turn == 0 { &set } else { LOOK }).await?;
        let (second, seen) = ask(b, LOOK).await?;
        if first != a.pid || second != b.pid || first == second || seen == mark {
            return Err(ConnectError::Unfit(REFUSAL.into()));
        }
        let (_, kept) = ask(a, LOOK).await?;
        if kept != mark {
            return Err(ConnectError::Unfit(REFUSAL.into()));
        }
    }
    Ok(())
}

const LOOK: &str = "SELECT coalesce(current_setting('phase.probe', true), ''), pg_backend_pid()";

const REFUSAL: &str = "a transaction-pooling proxy (such as PgBouncer with pool_mode = transaction) is in front of this server: \
its clients share server sessions, so the lock that keeps two runners apart, and the time limits that protect the application, \
would belong to somebody else's session.\n\
Connect to the server itself, or to a pool in session mode.";

async fn ask(session: &Session, sql: &str) -> Result<(i32, String), ConnectError> {
    let answer = session.client.simple_query(sql).await;
    let answer = answer.map_err(|error| ConnectError::Unfit(format!("{REFUSAL}\n({error})")))?;
    let row = first_row(&answer).ok_or_else(|| ConnectError::Unfit(REFUSAL.into()))?;
    let pid = row.get(1).and_then(|pid| pid.parse().ok()).unwrap_or(0);
    Ok((pid, row.get(0).unwrap_or_default().to_owned()))
}
