//! The harness itself: servers, databases, and that nothing is left behind.

use std::process::{Command, Stdio};

use phase::throwaway::{Cluster, Options};

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    the_server_is_the_one_asked_for,
    nothing_is_left_of_a_stopped_server,
    nothing_is_left_when_the_owner_is_killed
];

const OWNER: &str = "PHASE_TEST_BECOME_OWNER";

/// The second life of this program: it owns a server until somebody kills it.
pub(crate) fn become_owner_if_asked() {
    let Ok(folder) = std::env::var(OWNER) else { return };
    let binaries = phase::throwaway::ServerBinaries::at(folder.as_ref()).expect("the caller found them");
    let cluster = Cluster::start(&binaries, &Options::default()).expect("it starts for the caller too");
    println!("{} {}", cluster.pid(), cluster.folder().display());
    loop {
        std::thread::park();
    }
}

async fn the_server_is_the_one_asked_for(db: Db) -> TestResult {
    let version = db.value("SHOW server_version_num").await?;
    same!(version.len(), 6);
    check!(version.starts_with(&db.major.to_string()), "{version} is not {}", db.major);
    Ok(())
}

async fn nothing_is_left_of_a_stopped_server(db: Db) -> TestResult {
    let cluster = Cluster::start(&db.binaries, &Options::default())?;
    let (pid, folder) = (cluster.pid(), cluster.folder().to_path_buf());
    crate::harness::connect(&cluster.url("postgres")).await?.simple_query("SELECT 1").await?;
    cluster.stop();
    check!(!folder.exists(), "{} is still there", folder.display());
    check!(!alive(pid), "{pid} still runs");
    Ok(())
}

async fn nothing_is_left_when_the_owner_is_killed(db: Db) -> TestResult {
    use std::io::BufRead;
    let mut owner = Command::new(std::env::current_exe()?)
        .env(OWNER, db.binaries.folder())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    std::io::BufReader::new(owner.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
    let (pid, folder) = line.trim().split_once(' ').ok_or("the owner said nothing")?;
    let pid: u32 = pid.parse()?;
    check!(alive(pid), "{pid} does not run");
    owner.kill()?;
    owner.wait()?;
    // The end of the server and of its folder is the event; there is no other to await.
    for _ in 0..600 {
        if !alive(pid) && !std::path::Path::new(folder).exists() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Err(format!("{pid} or {folder} is still there").into())
}

fn alive(pid: u32) -> bool {
    // A zombie has ended: only its parent has not looked yet.
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}
