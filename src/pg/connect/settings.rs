//! Reads where the server is and who we are, the way libpq users know it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as WireMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::ConnectError;
use super::passfile::{self, Wanted};
use super::string::parse;
use super::tls::{self, Check, Files};

/// How long to wait for a connection where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Where libpq looks for a socket where no host is named.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// `sslmode`, as libpq has it; `allow` is taken as `prefer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS where the server has it.
    Prefer,
    /// TLS, the server unproven unless a root certificate is named.
    Require,
    /// TLS, the server's chain checked.
    VerifyCa,
    /// TLS, the server's chain and name checked.
    VerifyFull,
}

/// Where the server is and who we are. Neither `Debug` nor `Display` shows a password.
#[derive(Clone)]
pub struct ConnectSettings {
    config: Config,
    mode: SslMode,
    files: Files,
}

impl fmt::Debug for ConnectSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectSettings").field(&self.place()).finish()
    }
}

impl ConnectSettings {
    /// Reads the settings: `url` (a URL or key=value pairs) before
    /// `DATABASE_URL`, before the `PG*` variables, before libpq's defaults.
    ///
    /// # Errors
    /// When a setting makes no sense; the text names the setting, never a password.
    pub fn resolve(url: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConnectError> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let text = url.map(str::to_owned).or_else(|| set("DATABASE_URL")).unwrap_or_default();
        let (mut config, extra) = parse(&text)?;
        if config.get_hosts().is_empty() {
            fill_hosts(&mut config, set("PGHOST").or_else(|| set("PGHOSTADDR")).as_deref());
        }
        if config.get_ports().is_empty()
            && let Some(port) = set("PGPORT")
        {
            config.port(port.parse().map_err(|_| wrong("PGPORT", "is no port"))?);
        }
        if config.get_user().is_none() {
            let uid = nix::unistd::Uid::effective();
            let os_user = || nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
            config.user(set("PGUSER").or_else(os_user).unwrap_or_else(|| "postgres".into()));
        }
        if config.get_dbname().is_none() {
            let name = set("PGDATABASE").or_else(|| config.get_user().map(str::to_owned));
            config.dbname(name.unwrap_or_default());
        }
        if config.get_options().is_none()
            && let Some(options) = set("PGOPTIONS")
        {
            config.options(options);
        }
        if config.get_connect_timeout().is_none() {
            let seconds = set("PGCONNECT_TIMEOUT")
                .map(|text| text.parse().map_err(|_| wrong("PGCONNECT_TIMEOUT", "is no number of seconds")));
            config.connect_timeout(seconds.transpose()?.map_or(CONNECT_TIMEOUT, Duration::from_secs));
        }
        let home = set("HOME").map(PathBuf::from);
        let in_home = |file: &str| home.as_ref().map(|home| home.join(file)).filter(|path| path.exists());
        let files = Files {
            root: extra
                .files
                .root
                .or_else(|| set("PGSSLROOTCERT"))
                .or_else(|| in_home(".postgresql/root.crt").map(|path| path.display().to_string())),
            certificate: extra.files.certificate.or_else(|| set("PGSSLCERT")),
            key: extra.files.key.or_else(|| set("PGSSLKEY")),
        };
        if config.get_password().is_none() {
            let passfile = extra.passfile.or_else(|| set("PGPASSFILE")).map(PathBuf::from);
            let passfile = passfile.or_else(|| in_home(".pgpass"));
            let password = set("PGPASSWORD").or_else(|| passfile.and_then(|file| from_file(&config, &file)));
            if let Some(password) = password {
                config.password(password);
            }
        }
        let mode = mode(&extra.sslmode.or_else(|| set("PGSSLMODE")).unwrap_or_else(|| "prefer".into()))?;
        let on_sockets = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        config.ssl_mode(match mode {
            _ if on_sockets => WireMode::Disable,
            SslMode::Disable => WireMode::Disable,
            SslMode::Prefer => WireMode::Prefer,
            _ => WireMode::Require,
        });
        config.application_name("phase").keepalives(true).keepalives_idle(Duration::from_secs(30));
        Ok(Self { config, mode: if on_sockets { SslMode::Disable } else { mode }, files })
    }

    /// The same as environment variables of libpq, for its own programs; a password among them.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let config = &self.config;
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let ports = config.get_ports().iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut found = vec![("PGHOST", hosts.collect::<Vec<_>>().join(","))];
        let mut set = |name, value: Option<String>| found.extend(value.map(|value| (name, value)));
        set("PGPORT", (!ports.is_empty()).then(|| ports.join(",")));
        set("PGUSER", config.get_user().map(str::to_owned));
        set("PGDATABASE", config.get_dbname().map(str::to_owned));
        let password = config.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        set("PGPASSWORD", password);
        set("PGOPTIONS", config.get_options().map(str::to_owned));
        set("PGCONNECT_TIMEOUT", config.get_connect_timeout().map(|timeout| timeout.as_secs().to_string()));
        let mode = match self.mode {
            SslMode::Disable => "disable",
            SslMode::Prefer => "prefer",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        };
        set("PGSSLMODE", Some(mode.to_owned()));
        set("PGSSLROOTCERT", self.files.root.clone());
        set("PGSSLCERT", self.files.certificate.clone());
        set("PGSSLKEY", self.files.key.clone());
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
            set("PGTARGETSESSIONATTRS", Some("read-write".into()));
        }
        found.push(("PGAPPNAME", "phase".into()));
        found
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// The TLS connector; `None` where no TLS is wanted.
    pub(super) fn tls(&self) -> Result<Option<MakeRustlsConnect>, ConnectError> {
        let check = match (self.mode, &self.files.root) {
            (SslMode::Disable, _) => return Ok(None),
            (SslMode::Prefer, _) | (SslMode::Require, None) => Check::Nothing,
            (SslMode::Require, Some(_)) | (SslMode::VerifyCa, _) => Check::Chain,
            (SslMode::VerifyFull, _) => Check::Full,
        };
        tls::connector(check, &self.files).map(Some)
    }

    /// The server, user and database, without secrets.
    #[must_use]
    pub fn place(&self) -> String {
        let ports = self.config.get_ports();
        let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let hosts = self.config.get_hosts().iter().enumerate().map(|(n, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(n)),
            Host::Unix(folder) => format!("[{}]:{}", folder.display(), port(n)),
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        let (user, database) =
            (self.config.get_user().unwrap_or("?"), self.config.get_dbname().unwrap_or("?"));
        format!("{user}@{hosts}/{database}")
    }
}

pub(super) fn wrong(name: &str, why: &str) -> ConnectError {
    ConnectError::Settings(format!("{name} {why}"))
}

fn mode(text: &str) -> Result<SslMode, ConnectError> {
    Ok(match text {
        "disable" => SslMode::Disable,
        "allow" | "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => {
            return Err(wrong(
                "sslmode",
                "is one of disable, allow, prefer, require, verify-ca, verify-full",
            ));
        }
    })
}

fn fill_hosts(config: &mut Config, hosts: Option<&str>) {
    match hosts {
        Some(hosts) => {
            for host in hosts.split(',') {
                if host.starts_with('/') {
                    config.host_path(host)
                } else {
                    config.host(host)
                };
            }
        }
        None => {
            let there = SOCKET_FOLDERS.iter().find(|folder| Path::new(folder).exists());
            config.host_path(there.unwrap_or(&"/tmp"));
        }
    }
}

fn from_file(config: &Config, file: &Path) -> Option<String> {
    let host = match config.get_hosts().first()? {
        Host::Tcp(name) => name.as_str(),
        // As libpq has it, a socket is looked up as localhost.
        Host::Unix(_) => "localhost",
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let wanted = Wanted { host, port, database: config.get_dbname()?, user: config.get_user()? };
    passfile::look_up(file, wanted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn resolve(url: Option<&str>, env: &[(&str, &str)]) -> Result<ConnectSettings, ConnectError> {
        let get = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        ConnectSettings::resolve(url, &get)
    }

    #[test]
    fn what_is_closer_wins() {
        let env = [
            ("DATABASE_URL", "postgres://b@env/db"),
            ("PGUSER", "c"),
            ("PGPORT", "6000"),
            ("PGDATABASE", "x"),
        ];
        assert_eq!(resolve(Some("postgres://a@cli/one"), &env).unwrap().place(), "a@cli:5432/one");
        assert_eq!(resolve(None, &env).unwrap().place(), "b@env:5432/db");
        assert_eq!(resolve(None, &env[1..]).unwrap().config.get_user(), Some("c"));
        assert_eq!(resolve(None, &[("PGHOST", "/run"), ("PGUSER", "u")]).unwrap().place(), "u@[/run]:5432/u");
    }

    #[test]
    fn every_sslmode_is_known_and_sockets_need_none() {
        for (mode, tls) in [("disable", false), ("allow", true), ("prefer", true), ("require", true)] {
            let url = format!("postgres://a@h/d?sslmode={mode}");
            assert_eq!(resolve(Some(&url), &[]).unwrap().tls().unwrap().is_some(), tls, "{mode}");
        }
        assert!(
            resolve(Some("host=h sslmode = 'verify-full' user=a"), &[]).unwrap().mode == SslMode::VerifyFull
        );
        assert!(resolve(Some("postgres://a@h/d?sslmode=maybe"), &[]).is_err());
        let socket = resolve(Some("postgres:///d?host=/run&sslmode=require"), &[]).unwrap();
        assert!(socket.tls().unwrap().is_none());
    }

    #[test]
    fn no_password_is_ever_shown() {
        for url in [
            "postgres://a:s3cret@h:port/d",
            "postgres://a:s3cret@h/d?nonsense=s3cret",
            "host=h password=s3cret nonsense=1",
            "host=h password='s3cret",
            "postgres://a:s3cret@h/d?connect_timeout=s3cret",
            "postgres://a:s3cret",
            "s3cret",
        ] {
            match resolve(Some(url), &[]) {
                Ok(settings) => {
                    assert!(!format!("{settings:?}{}", settings.place()).contains("s3cret"), "{url}");
                }
                Err(error) => assert!(!format!("{error}{error:?}").contains("s3cret"), "{url}: {error}"),
            }
        }
    }
}
