//! The application: clients that read and write all the time, in the version
//! that the rollout has reached.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::watch;
use tokio_postgres::{Client, NoTls};

use super::oracle::Acknowledged;

/// Clients; half of them take the new version as soon as it is rolled out.
pub(crate) const CLIENTS: i64 = 4;
/// What each client leaves between two statements.
const THINK: Duration = Duration::from_millis(1);

/// How far the rollout of the new version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// Everybody runs web 1.9.0, which knows `users.name` and no currency.
    Old,
    /// Half of them run web 2.0.0, which knows `users.display_name` and currencies.
    Both,
    /// Everybody runs web 2.0.0.
    New,
    /// The demo is over.
    Over,
}

/// What one client did.
#[derive(Debug)]
pub(crate) struct Did {
    pub(crate) acknowledged: Acknowledged,
    pub(crate) old_statements: u64,
    pub(crate) new_statements: u64,
    pub(crate) failures: Vec<String>,
    /// Microseconds a statement.
    pub(crate) latency: Histogram<u64>,
}

/// Runs one client until the demo is over. It tells `at` which version it runs
/// after its last statement of the one before has ended.
pub(crate) async fn client(
    url: String,
    lane: i64,
    users: i64,
    mut rollout: watch::Receiver<Rollout>,
    at: watch::Sender<Rollout>,
) -> Result<Did, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let mut lane = Lane::new(client, lane, users);
    loop {
        let now = *rollout.borrow_and_update();
        at.send_replace(now);
        match now {
            Rollout::Over => return Ok(lane.did),
            Rollout::New => lane.new_version().await,
            Rollout::Both if lane.number % 2 == 0 => lane.new_version().await,
            Rollout::Both | Rollout::Old => lane.old_version().await,
        }
        tokio::time::sleep(THINK).await;
    }
}

struct Lane {
    client: Client,
    number: i64,
    users: i64,
    turn: i64,
    orders: Vec<i64>,
    did: Did,
}

impl Lane {
    fn new(client: Client, number: i64, users: i64) -> Self {
        let did = Did {
            acknowledged: Acknowledged::default(),
            old_statements: 0,
            new_statements: 0,
            failures: Vec::new(),
            latency: Histogram::new_with_bounds(1, 600_000_000, 3).unwrap_or_else(|_| {
                Histogram::new(3).unwrap_or_else(|_| unreachable!("3 digits are allowed"))
            }),
        };
        Self { client, number, users, turn: 0, orders: Vec::new(), did }
    }

    /// A user of this client's own; a stride spreads them over the table.
    fn user(&self) -> i64 {
        let mine = (self.users / CLIENTS).max(1);
        1 + ((self.turn * 7_919) % mine) * CLIENTS + self.number
    }

    async fn old_version(&mut self) {
        self.did.old_statements += 1;
        let (user, text) = self.next();
        match self.turn % 5 {
            0 => self.read(user, "SELECT name FROM users WHERE id = $1").await,
            1 | 2 => self.rename(user, text, "UPDATE users SET name = $2 WHERE id = $1").await,
            3 => self.sign_up(text, "INSERT INTO users (name, email) VALUES ($1, $2) RETURNING id").await,
            _ => {
                self.order(user, "EUR", "INSERT INTO orders (user_id, total) VALUES ($1, 1.5) RETURNING id")
                    .await;
            }
        }
    }

    async fn new_version(&mut self) {
        self.did.new_statements += 1;
        let (user, text) = self.next();
        match self.turn % 6 {
            0 => self.read(user, "SELECT display_name FROM users WHERE id = $1").await,
            1 | 2 => self.rename(user, text, "UPDATE users SET display_name = $2 WHERE id = $1").await,
            3 => {
                self.sign_up(text, "INSERT INTO users (display_name, email) VALUES ($1, $2) RETURNING id")
                    .await;
            }
            4 => {
                self.order(
                    user,
                    "USD",
                    "INSERT INTO orders (user_id, total, currency) VALUES ($1, 1.5, 'USD') RETURNING id",
                )
                .await;
            }
            _ => self.reprice().await,
        }
    }

    fn next(&mut self) -> (i64, String) {
        self.turn += 1;
        (self.user(), format!("client {} turn {}", self.number, self.turn))
    }

    /// Reads, and finds out whether the version sees what was written last. The
    /// new version may meet a row that the backfill has not reached.
    async fn read(&mut self, user: i64, sql: &str) {
        let began = Instant::now();
        let row = self.client.query_opt(sql, &[&user]).await;
        self.took(began);
        let seen = match row {
            Ok(row) => row.and_then(|row| row.get::<_, Option<String>>(0)),
            Err(error) => return self.failed(&error),
        };
        if let (Some(wrote), Some(seen)) = (self.did.acknowledged.names.get(&user), seen)
            && *wrote != seen
        {
            self.did.failures.push(format!("user {user}: wrote {wrote:?}, read {seen:?}"));
        }
    }

    async fn rename(&mut self, user: i64, text: String, sql: &str) {
        let began = Instant::now();
        let done = self.client.execute(sql, &[&user, &text]).await;
        self.took(began);
        match done {
            Ok(1) => _ = self.did.acknowledged.names.insert(user, text),
            Ok(_) => {}
            Err(error) => self.failed(&error),
        }
    }

    async fn sign_up(&mut self, text: String, sql: &str) {
        let email = format!("{text}@example.org");
        let began = Instant::now();
        let row = self.client.query_one(sql, &[&text, &email]).await;
        self.took(began);
        match row {
            Ok(row) => {
                self.did.acknowledged.new_users += 1;
                self.did.acknowledged.names.insert(row.get(0), text);
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn order(&mut self, user: i64, currency: &str, sql: &str) {
        let began = Instant::now();
        let row = self.client.query_one(sql, &[&user]).await;
        self.took(began);
        match row {
            Ok(row) => {
                self.orders.push(row.get(0));
                self.did.acknowledged.currencies.insert(row.get(0), currency.into());
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn reprice(&mut self) {
        let Some(order) = self.orders.last().copied() else { return };
        let began = Instant::now();
        let done = self.client.execute("UPDATE orders SET currency = 'CHF' WHERE id = $1", &[&order]).await;
        self.took(began);
        match done {
            Ok(_) => _ = self.did.acknowledged.currencies.insert(order, "CHF".into()),
            Err(error) => self.failed(&error),
        }
    }

    fn took(&mut self, began: Instant) {
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.did.latency.saturating_record(micros);
    }

    fn failed(&mut self, error: &tokio_postgres::Error) {
        self.did.failures.push(crate::pg::classify::failure(error).message);
    }
}
