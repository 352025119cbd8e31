//! Owns what a command says at its end: text for people or one JSON document.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::cli::exit::{Code, CommandError};

/// The result of a command.
pub struct Output {
    /// For people, on stdout.
    pub text: String,
    /// For programs, on stdout with `--json`.
    pub json: serde_json::Value,
    /// The exit code.
    pub code: Code,
}

impl Output {
    /// A result that is done.
    pub fn done(text: impl Into<String>, json: &impl Serialize) -> Self {
        Self { text: text.into(), json: to_json(json), code: Code::Done }
    }

    /// Nothing is left to say.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { text: String::new(), json: serde_json::Value::Null, code: Code::Done }
    }

    /// The same with another code.
    #[must_use]
    pub const fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }
}

fn to_json(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_else(|error| serde_json::json!({"error": error.to_string()}))
}

/// Prints a result or an error, and gives the code to exit with.
pub(super) fn print(result: Result<Output, CommandError>, json: bool) -> Code {
    match result {
        Ok(output) => {
            let text = match json {
                true if output.json.is_null() => String::new(),
                true => format!("{:#}", output.json),
                false => output.text.trim_end().to_owned(),
            };
            let mut stdout = anstream::stdout();
            let written = if text.is_empty() {
                Ok(())
            } else {
                writeln!(stdout, "{text}").and_then(|()| stdout.flush())
            };
            match written {
                // A reader that went away (`| head`) is no failure of the command.
                Err(error) if error.kind() != ErrorKind::BrokenPipe && output.code == Code::Done => {
                    let _ = writeln!(anstream::stderr(), "error: the result could not be written: {error}");
                    Code::Failed
                }
                _ => output.code,
            }
        }
        Err(error) => {
            let (code, hints) = (error.code(), error.hints());
            if json {
                let document = serde_json::json!({
                    "error": {"code": u8::from(code), "message": error.to_string(), "hints": hints}
                });
                let _ = writeln!(anstream::stdout(), "{document:#}");
            } else {
                let _ = writeln!(anstream::stderr(), "error: {error}");
                for hint in hints {
                    let _ = writeln!(anstream::stderr(), "hint: {hint}");
                }
            }
            code
        }
    }
}
