//! Tests against real servers: every test on every server, each in a database
//! of its own, all in parallel, on throwaway clusters that this program starts
//! and stops. `PHASE_TEST_SERVERS` names the folders with server binaries,
//! separated by colons; without it the system's are taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod abort;
mod backfill;
mod bad_input;
mod bodies;
mod broken;
mod check;
mod conflicts;
mod crash;
mod detach;
mod drops;
mod gates;
mod harness;
mod hot;
mod impact;
mod import;
mod index;
mod json;
mod lint;
mod load;
mod lock_table;
mod locks;
mod looks;
mod new;
mod older;
mod pace;
mod pooler;
mod printed;
mod proof;
mod quarantine;
mod ready;
mod recipes;
mod rehearse;
mod replica;
mod replicated;
mod runners;
mod second;
mod signals;
mod smoke;
mod standing;
mod store;
mod sync;
mod timeline;
mod together;
mod widen;
mod workers;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use phase::throwaway::{Cluster, Options, ServerBinaries};

use harness::{Server, Test};

fn main() -> ExitCode {
    smoke::become_owner_if_asked();
    let arguments = Arguments::from_args();
    let binaries = match servers() {
        Ok(binaries) => binaries,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut servers = Vec::new();
    for binaries in &binaries {
        if arguments.list {
            servers.push((binaries.major(), None));
            continue;
        }
        match Cluster::start(binaries, &Options::default()) {
            Ok(cluster) => {
                servers.push((binaries.major(), Some(Arc::new(Server::new(cluster, binaries.clone())))));
            }
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    let trials = servers.iter().flat_map(|(major, server)| {
        all().into_iter().map(move |(module, test)| trial(*major, server.clone(), module, test))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    // The last reference stops each cluster.
    drop(servers);
    conclusion.exit_code()
}

fn servers() -> Result<Vec<ServerBinaries>, String> {
    match std::env::var("PHASE_TEST_SERVERS").ok().filter(|text| !text.is_empty()) {
        None => Ok(vec![ServerBinaries::find().map_err(|error| error.to_string())?]),
        Some(text) => text
            .split(':')
            .map(|folder| ServerBinaries::at(folder.as_ref()).map_err(|e| e.to_string()))
            .collect(),
    }
}

fn all() -> Vec<(&'static str, Test)> {
    let modules = [
        ("abort", abort::tests()),
        ("backfill", backfill::tests()),
        ("bad_input", bad_input::tests()),
        ("bodies", bodies::tests()),
        ("broken", broken::tests()),
        ("check", check::tests()),
        ("conflicts", conflicts::tests()),
        ("crash", crash::tests()),
        ("detach", detach::tests()),
        ("drops", drops::tests()),
        ("gates", gates::tests()),
        ("hot", hot::tests()),
        ("impact", impact::tests()),
        ("import", import::tests()),
        ("index", index::tests()),
        ("json", json::tests()),
        ("lint", lint::tests()),
        ("lint", lint::printed::tests()),
        ("lint", lint::proofs::tests()),
        ("load", load::tests()),
        ("lock_table", lock_table::tests()),
        ("locks", locks::tests()),
        ("looks", looks::tests()),
        ("new", new::tests()),
        ("older", older::tests()),
        ("pace", pace::tests()),
        ("pooler", pooler::tests()),
        ("printed", printed::tests()),
        ("proof", proof::tests()),
        ("quarantine", quarantine::tests()),
        ("ready", ready::tests()),
        ("recipes", recipes::tests()),
        ("recipes_back", recipes::back_tests()),
        ("recipes", recipes::known::tests()),
        ("rehearse", rehearse::tests()),
        ("replicated", replicated::tests()),
        ("rehearse", rehearse::apart::tests()),
        ("rehearse", rehearse::target::tests()),
        ("replica", replica::tests()),
        ("runners", runners::tests()),
        ("second", second::tests()),
        ("signals", signals::tests()),
        ("smoke", smoke::tests()),
        ("standing", standing::tests()),
        ("store", store::tests()),
        ("sync", sync::tests()),
        ("timeline", timeline::tests()),
        ("together", together::tests()),
        ("widen", widen::tests()),
        ("workers", workers::tests()),
    ];
    modules
        .into_iter()
        .flat_map(|(module, tests)| tests.into_iter().map(move |test| (module, test)))
        .collect()
}

fn trial(major: u32, server: Option<Arc<Server>>, module: &str, test: Test) -> Trial {
    let name = format!("pg{major}::{module}::{}", test.name);
    Trial::test(name, move || {
        let server = server.ok_or("the server was not started")?;
        harness::run(&server, &test).map_err(Into::into)
    })
}
