//! The binary: parses, installs tracing, calls the command line, returns its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    phase::cli::main()
}
