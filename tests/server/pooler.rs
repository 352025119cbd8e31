//! A real PgBouncer in front of the server: transaction pooling is refused with
//! an explanation, session pooling works.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::harness::{Db, Ended, TestResult, check, connect, same, tests};

tests![transaction_pooling_is_refused, session_pooling_works];

/// A running PgBouncer; dropping it ends it.
struct Pooler {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn pooler(db: &Db, mode: &str) -> Result<Pooler, Box<dyn std::error::Error + Send + Sync>> {
    let folder = tempfile::tempdir_in("/tmp")?;
    let path = folder.path();
    let config = format!(
        "[databases]\n* = host={socket} port=5432\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {path}\nlisten_port = 6432\n\
         auth_type = any\npool_mode = {mode}\ndefault_pool_size = 5\nlogfile = {path}/log\npidfile = {path}/pid\n\
         ignore_startup_parameters = extra_float_digits\n",
        socket = db.socket.display(),
        path = path.display(),
    );
    std::fs::write(path.join("ini"), config.replace("* = host", "* = user=postgres host"))?;
    let program = [
        "/usr/sbin/pgbouncer",
        "/usr/bin/pgbouncer",
        "/opt/homebrew/bin/pgbouncer",
        "/usr/local/bin/pgbouncer",
    ];
    let program = program
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .ok_or("no pgbouncer: make setup-test installs it")?;
    let mut command = Command::new(program);
    command.arg(path.join("ini")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if nix::unistd::Uid::effective().is_root() {
        // Like the server, it does not run as root.
        let nobody = nix::unistd::User::from_name("nobody")?.ok_or("no account nobody")?;
        for path in [path.to_path_buf(), path.join("ini")] {
            nix::unistd::chown(&path, Some(nobody.uid), Some(nobody.gid))?;
        }
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    let child = command.spawn()?;
    let url = format!(
        "postgresql://postgres@/{}?host={}&port=6432",
        db.name,
        path.display().to_string().replace('/', "%2F")
    );
    let pooler = Pooler { child, url, _folder: folder };
    for _ in 0..200 {
        if connect(&pooler.url).await.is_ok() {
            return Ok(pooler);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let log = std::fs::read_to_string(path_of(&pooler).join("log")).unwrap_or_default();
    Err(format!("pgbouncer did not start: {log}").into())
}

fn path_of(pooler: &Pooler) -> PathBuf {
    pooler._folder.path().to_path_buf()
}

async fn transaction_pooling_is_refused(db: Db) -> TestResult {
    // The socket folder is the server's own: let the pooler in.
    open_socket(&db)?;
    let pooler = pooler(&db, "transaction").await?;
    db.file("migrations/1_a.sql", "CREATE TABLE a ()")?;
    let output = db.command(&["expand"]).env("DATABASE_URL", &pooler.url).output().await?;
    let ended = Ended::of(&output).expect(2)?;
    check!(ended.stderr.contains("transaction-pooling proxy"), "{ended:?}");
    same!(db.value("SELECT to_regclass('a') IS NULL AND to_regnamespace('phase') IS NULL").await?, "t");
    Ok(())
}

async fn session_pooling_works(db: Db) -> TestResult {
    open_socket(&db)?;
    let pooler = pooler(&db, "session").await?;
    db.file("migrations/1_a.sql", "CREATE TABLE a ()")?;
    let output = db.command(&["expand"]).env("DATABASE_URL", &pooler.url).output().await?;
    Ended::of(&output).expect(0)?;
    same!(db.value("SELECT to_regclass('a') IS NOT NULL").await?, "t");
    Ok(())
}

fn open_socket(db: &Db) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&db.socket, std::fs::Permissions::from_mode(0o711))
}
