//! One throwaway server: made, started, stopped, removed.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::account::Account;
use super::{ServerBinaries, ThrowawayError, reaper};

/// The superuser of every throwaway server.
pub(super) const USER: &str = "postgres";
/// The port that names its socket, whatever PGPORT says.
const PORT: u16 = 5432;
/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often its state is looked at; the server tells it in a file only.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The most of a log that an error shows.
const LOG_BYTES: u64 = 2_000;

/// What a server is for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Settings besides the program's own, as `name = value`.
    pub settings: Vec<(String, String)>,
}

/// A running server; dropping it stops it and removes its files.
pub struct Cluster {
    binaries: ServerBinaries,
    folder: PathBuf,
    pub(super) account: Account,
    server: Child,
    reaper: Option<Child>,
}

impl Cluster {
    /// Makes a new server that listens on a unix socket in its own folder only.
    ///
    /// # Errors
    /// When the server cannot be made or does not start.
    pub fn start(binaries: &ServerBinaries, options: &Options) -> Result<Self, ThrowawayError> {
        let mut cluster = Self::prepare(binaries)?;
        cluster.init()?;
        cluster.configure(options)?;
        cluster.launch()?;
        Ok(cluster)
    }

    pub(super) fn prepare(binaries: &ServerBinaries) -> Result<Self, ThrowawayError> {
        let account = Account::choose()?;
        account.can_reach(binaries.folder())?;
        // The path of a socket has 107 bytes at most, so the folder stays short.
        let folder = tempfile::Builder::new().prefix("phase-pg-").tempdir_in(short_temp());
        let folder = folder.map_err(ThrowawayError::io("temporary folder"))?.keep();
        let reaper = reaper::start(&folder)?;
        let cluster = Self {
            binaries: binaries.clone(),
            server: placeholder()?,
            folder,
            account,
            reaper: Some(reaper),
        };
        fs::set_permissions(&cluster.folder, fs::Permissions::from_mode(0o700))
            .map_err(ThrowawayError::io("temporary folder"))?;
        account.own(&cluster.folder)?;
        Ok(cluster)
    }

    /// The URL of a database on this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as(USER, database)
    }

    /// The URL of a database on this server, for another user than its superuser.
    #[must_use]
    pub fn url_as(&self, user: &str, database: &str) -> String {
        let folder = self.folder.display().to_string();
        format!("postgresql://{}@/{}?host={}&port={PORT}", percent(user), percent(database), percent(&folder))
    }

    /// The folder of the socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process id of the server.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Ends the server at once, as a crash would, and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn crash_and_restart(&mut self) -> Result<(), ThrowawayError> {
        self.signal(Signal::SIGQUIT);
        self.wait(PATIENCE);
        self.launch()
    }

    /// Stops the server and removes its files.
    pub fn stop(mut self) {
        self.end();
    }

    /// Leaves the server running, for somebody else to stop.
    pub fn leave(mut self) {
        if let Some(mut reaper) = self.reaper.take() {
            let _ = reaper.kill();
            let _ = reaper.wait();
        }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn init(&self) -> Result<(), ThrowawayError> {
        let mut initdb = Command::new(self.binaries.program("initdb"));
        initdb
            .arg("-D")
            .arg(self.data())
            .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
            .current_dir("/");
        run(self.account, &mut initdb, "initdb")
    }

    pub(super) fn configure(&self, options: &Options) -> Result<(), ThrowawayError> {
        let own = [
            ("listen_addresses", "''".to_owned()),
            ("unix_socket_directories", format!("'{}'", self.folder.display())),
            // PGPORT of whoever asks must not reach it.
            ("port", PORT.to_string()),
            ("max_connections", "300".into()),
            ("fsync", "off".into()),
            ("logging_collector", "off".into()),
            ("log_min_messages", "warning".into()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        self.set(&own)?;
        self.set(&options.settings)
    }

    /// Adds settings; what is said last counts.
    pub(super) fn set(&self, settings: &[(String, String)]) -> Result<(), ThrowawayError> {
        let conf = self.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&conf).map_err(ThrowawayError::io(conf.display()))?;
        for (name, value) in settings {
            text += &format!("{name} = {value}\n");
        }
        fs::write(&conf, text).map_err(ThrowawayError::io(conf.display()))
    }

    pub(super) fn launch(&mut self) -> Result<(), ThrowawayError> {
        let log = self.folder.join("log");
        let open =
            || fs::OpenOptions::new().create(true).append(true).open(&log).map_err(ThrowawayError::io("log"));
        let mut server = Command::new(self.binaries.program("postgres"));
        server
            .arg("-D")
            .arg(self.data())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            .process_group(0);
        self.account.apply(&mut server);
        self.server = server.spawn().map_err(ThrowawayError::io("postgres"))?;
        let since = Instant::now();
        while !self.ready() {
            let ended = self.server.try_wait().map_err(ThrowawayError::io("postgres"))?;
            if ended.is_some() || since.elapsed() > PATIENCE {
                return Err(ThrowawayError::Failed { what: "postgres".into(), output: self.log_end() });
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// The server writes `ready`, a replica `standby`, into the last line of its pid file.
    fn ready(&self) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let ours = text.lines().next().is_some_and(|pid| pid.trim() == self.server.id().to_string());
        ours && text.lines().nth(7).is_some_and(|state| ["ready", "standby"].contains(&state.trim()))
    }

    fn log_end(&self) -> String {
        let mut text = String::new();
        if let Ok(mut log) = fs::File::open(self.folder.join("log")) {
            let length = log.metadata().map_or(0, |metadata| metadata.len());
            let _ = log.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)));
            let _ = log.read_to_string(&mut text);
        }
        text
    }

    fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.server.id()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }

    /// Waits for the server's end; whether it came.
    fn wait(&mut self, patience: Duration) -> bool {
        let since = Instant::now();
        while since.elapsed() < patience {
            if !matches!(self.server.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        false
    }

    fn end(&mut self) {
        let Some(mut reaper) = self.reaper.take() else { return };
        self.signal(Signal::SIGINT);
        if !self.wait(PATIENCE) {
            self.signal(Signal::SIGQUIT);
            self.wait(PATIENCE);
        }
        let _ = fs::remove_dir_all(&self.folder);
        // The end of its input lets the reaper see that there is nothing left.
        drop(reaper.stdin.take());
        let _ = reaper.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program under an account to its end.
pub(super) fn run(account: Account, program: &mut Command, what: &str) -> Result<(), ThrowawayError> {
    account.apply(program);
    let output = program.stdin(Stdio::null()).output().map_err(ThrowawayError::io(what))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(ThrowawayError::Failed { what: what.into(), output: said })
}

/// A process that has ended, until the server runs.
fn placeholder() -> Result<Child, ThrowawayError> {
    Command::new("true").stdin(Stdio::null()).spawn().map_err(ThrowawayError::io("true"))
}

/// A part of a URL in which nothing has a meaning.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let one = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}

fn short_temp() -> PathBuf {
    let temp = std::env::temp_dir();
    if temp.as_os_str().len() <= 40 { temp } else { PathBuf::from("/tmp") }
}
