//! The stage: sets the server and the application up, gives the commands, takes
//! everything down.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use super::app::{CLIENTS, Did, Rollout, client};
use super::oracle::Acknowledged;
use super::report::Report;
use crate::engine::stop::Stop;
use crate::throwaway::{Cluster, Options, ServerBinaries, ThrowawayError};

/// How long the application runs in each state before the next command.
const SCENE: Duration = Duration::from_millis(1_200);

/// What the demo is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Demo {
    /// Rows in each table.
    pub rows: u64,
    /// Whether the server stays.
    pub keep: bool,
}

/// Why the demo ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no server.
    #[error("{0}")]
    Server(#[from] ThrowawayError),
    /// A command ended with another code than it should.
    #[error("phase {command} ended with exit code {code}: {said}")]
    Command {
        /// The command.
        command: String,
        /// Its code.
        code: u8,
        /// What it said.
        said: String,
    },
    /// The application or the oracle could not work.
    #[error("{0}")]
    App(String),
    /// Somebody asked to stop.
    #[error("stopped; the server and its files are gone")]
    Stopped,
}

impl From<tokio_postgres::Error> for DemoError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::App(crate::pg::classify::failure(&error).message)
    }
}

/// Gives one command of `phase`; what the stage needs from the command line.
pub type Give<'a> =
    &'a dyn Fn(&[&str], &str, &Path) -> std::pin::Pin<Box<dyn Future<Output = Result<(u8, String), String>>>>;

/// Plays the demo.
///
/// # Errors
/// When there is no server, a command fails, or somebody asks to stop.
pub async fn play(demo: &Demo, give: Give<'_>, say: &dyn Fn(&str), stop: &Stop) -> Result<Report, DemoError> {
    let binaries = ServerBinaries::find()?;
    let major = binaries.major();
    say(&format!("starting a throwaway PostgreSQL {major}"));
    let started = tokio::task::spawn_blocking(move || Cluster::start(&binaries, &Options::default())).await;
    let cluster = started.map_err(|error| DemoError::App(error.to_string()))??;
    // In the server's own folder, so that whatever removes the one removes the other.
    let project = cluster.folder().join("project");
    let stage = Stage { url: cluster.url("postgres"), project: &project, demo, give, say, stop, major };
    let played = tokio::select! {
        played = stage.play() => played,
        () = stop.interrupted() => Err(DemoError::Stopped),
    };
    if demo.keep && played.is_ok() {
        say("\nthe server stays, as you asked; look around, then end it:");
        say(&format!("  cd {} && export DATABASE_URL='{}'", project.display(), cluster.url("postgres")));
        say(&format!("  kill {} && rm -rf {}", cluster.pid(), cluster.folder().display()));
        cluster.leave();
    } else {
        let _ = tokio::task::spawn_blocking(move || cluster.stop()).await;
    }
    played
}

struct Stage<'a> {
    url: String,
    project: &'a Path,
    demo: &'a Demo,
    give: Give<'a>,
    say: &'a dyn Fn(&str),
    stop: &'a Stop,
    major: u32,
}

impl Stage<'_> {
    async fn play(&self) -> Result<Report, DemoError> {
        for (file, text) in super::FILES {
            let path = self.project.join(file);
            let written = path
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(&path, text));
            written.map_err(|error| DemoError::App(format!("{}: {error}", path.display())))?;
        }
        let mut phases = Vec::new();
        self.command(&["expand", "--to", "20261103090000"]).await?;
        let client = self.connect().await?;
        self.fill(&client).await?;
        let mut app = App::start(self).await?;
        self.scene("web 1.9.0 is live on every client").await?;

        phases.push(self.timed("expand", &["expand"]).await?);
        app.roll_out(Rollout::Both).await?;
        self.scene("half of the clients run web 2.0.0 now: old and new write the same rows").await?;
        phases.push(self.timed("backfill", &["backfill"]).await?);
        phases.push(self.timed("validate", &["validate"]).await?);
        self.scene("the new shape is proven; contract waits for the old version to go").await?;
        self.refused(&["contract"]).await?;
        app.roll_out(Rollout::New).await?;
        self.scene("web 2.0.0 is live on every client").await?;
        self.command(&["deployed", "web@2.0.0"]).await?;
        self.command(&["approve", "users_display_name"]).await?;
        phases.push(self.timed("contract", &["contract"]).await?);
        self.scene("the old column is out of sight; phase abort could still bring it back").await?;
        phases.push(self.timed("purge", &["purge", "users_display_name", "--now"]).await?);
        self.scene("the old column is gone").await?;
        let did = app.end().await?;
        self.report(&client, did, phases).await
    }

    async fn connect(&self) -> Result<Client, DemoError> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn fill(&self, client: &Client) -> Result<(), DemoError> {
        let rows = self.demo.rows;
        (self.say)(&format!("filling users and orders with {rows} rows each"));
        let sql = format!(
            "INSERT INTO users (name, email) SELECT 'user ' || i, 'user' || i || '@example.org' FROM generate_series(1, {rows}) i;\n\
             INSERT INTO orders (user_id, total) SELECT i, (i % 1000) / 10.0 FROM generate_series(1, {rows}) i;\n\
             ANALYZE users, orders"
        );
        Ok(client.batch_execute(&sql).await?)
    }

    async fn scene(&self, text: &str) -> Result<(), DemoError> {
        (self.say)(&format!("\n— {text}"));
        self.stop.sleep(SCENE).await;
        if self.stop.reason().is_some() { Err(DemoError::Stopped) } else { Ok(()) }
    }

    async fn command(&self, args: &[&str]) -> Result<(), DemoError> {
        self.expect(args, 0).await.map(|_| ())
    }

    /// A command that must be refused by its gate, to show the reasons.
    async fn refused(&self, args: &[&str]) -> Result<(), DemoError> {
        let said = self.expect(args, 3).await?;
        (self.say)(said.trim_end());
        Ok(())
    }

    async fn expect(&self, args: &[&str], wanted: u8) -> Result<String, DemoError> {
        let command = args.join(" ");
        (self.say)(&format!("\n$ phase {command}"));
        match (self.give)(args, &self.url, self.project).await {
            Ok((code, said)) if code == wanted => Ok(said),
            Ok((code, said)) => Err(DemoError::Command { command, code, said }),
            Err(said) => Err(DemoError::Command { command, code: 1, said }),
        }
    }

    async fn timed(&self, phase: &str, args: &[&str]) -> Result<(String, u64), DemoError> {
        let began = Instant::now();
        self.command(args).await?;
        Ok((phase.to_owned(), u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)))
    }

    async fn report(
        &self,
        client: &Client,
        did: Vec<Did>,
        phases: Vec<(String, u64)>,
    ) -> Result<Report, DemoError> {
        let (mut old_statements, mut new_statements, mut failures) = (0, 0, Vec::new());
        let mut acknowledged = Acknowledged::default();
        let mut latency =
            hdrhistogram::Histogram::<u64>::new(3).map_err(|error| DemoError::App(error.to_string()))?;
        for did in did {
            old_statements += did.old_statements;
            new_statements += did.new_statements;
            failures.extend(did.failures);
            acknowledged.extend(did.acknowledged);
            latency.add(did.latency).map_err(|error| DemoError::App(error.to_string()))?;
        }
        let verdict = acknowledged.verdict(client, self.demo.rows).await?;
        let sql = "SELECT coalesce(sum(rows_written), 0)::bigint AS rows, \
                   coalesce(sum(rows_written) / nullif(sum(seconds), 0), 0)::float8 AS rate FROM ( \
                     SELECT sum(rows_written) AS rows_written, \
                            extract(epoch FROM max(updated_at) FILTER (WHERE pass = 1) - min(started_at)) AS seconds \
                     FROM phase.backfill_chunk GROUP BY version, step) AS steps";
        let backfill = client.query_one(sql, &[]).await?;
        #[allow(clippy::cast_precision_loss, reason = "microseconds as milliseconds, for people")]
        let ms = |micros: u64| micros as f64 / 1_000.0;
        Ok(Report {
            server: self.major,
            rows: self.demo.rows,
            old_statements,
            new_statements,
            failed_statements: u64::try_from(failures.len()).unwrap_or(u64::MAX),
            first_failures: failures.into_iter().take(5).collect(),
            checked_writes: verdict.checked,
            lost_writes: verdict.lost,
            longest_ms: ms(latency.max()),
            p99_ms: ms(latency.value_at_quantile(0.99)),
            backfilled_rows: backfill.get("rows"),
            backfill_rows_per_s: backfill.get("rate"),
            phases,
        })
    }
}

/// The clients of the application.
struct App {
    rollout: watch::Sender<Rollout>,
    at: Vec<watch::Receiver<Rollout>>,
    clients: JoinSet<Result<Did, tokio_postgres::Error>>,
}

impl App {
    async fn start(stage: &Stage<'_>) -> Result<Self, DemoError> {
        let users = i64::try_from(stage.demo.rows).unwrap_or(i64::MAX);
        let (rollout, seen) = watch::channel(Rollout::Old);
        let mut app = Self { rollout, at: Vec::new(), clients: JoinSet::new() };
        for lane in 0..CLIENTS {
            let (told, at) = watch::channel(Rollout::Over);
            app.at.push(at);
            app.clients.spawn(client(stage.url.clone(), lane, users, seen.clone(), told));
        }
        app.arrived(Rollout::Old).await?;
        Ok(app)
    }

    /// Rolls a version out, and waits until every client runs it.
    async fn roll_out(&mut self, rollout: Rollout) -> Result<(), DemoError> {
        self.rollout.send_replace(rollout);
        self.arrived(rollout).await
    }

    async fn arrived(&mut self, rollout: Rollout) -> Result<(), DemoError> {
        for at in &mut self.at {
            let gone = |_| DemoError::App("a client of the application ended early".into());
            at.wait_for(|at| *at == rollout).await.map_err(gone)?;
        }
        Ok(())
    }

    async fn end(mut self) -> Result<Vec<Did>, DemoError> {
        self.rollout.send_replace(Rollout::Over);
        let mut did = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            did.push(client.map_err(|error| DemoError::App(error.to_string()))??);
        }
        Ok(did)
    }
}
