//! The adapter to squawk: the only place that knows its types.

use squawk_linter::{Linter, LinterSettings, Version};
use squawk_syntax::SourceFile;
use squawk_syntax::ast::AstNode;

use crate::core::compile::Server;

/// What squawk makes of a script.
pub(super) struct Answer {
    /// Where it sees statements begin, in bytes.
    pub(super) starts: Vec<usize>,
    /// What it says, in order.
    pub(super) said: Vec<Said>,
}

/// One thing that it says.
pub(super) struct Said {
    /// Its name of the rule.
    pub(super) rule: String,
    /// Where, in bytes.
    pub(super) offset: usize,
    /// What.
    pub(super) message: String,
}

/// Asks about a script that PostgreSQL's grammar accepts, without comments and not nested
/// too deep for the stack; `None`: it cannot read it.
pub(super) fn ask(sql: &str, server: Server, in_transaction: bool) -> Option<Answer> {
    let file = SourceFile::parse(sql);
    if !file.errors().is_empty() {
        return None;
    }
    let starts = file.tree().stmts().filter_map(|statement| {
        let tokens = statement.syntax().descendants_with_tokens().filter_map(|part| part.into_token());
        let first = tokens.into_iter().find(|token| !token.kind().is_trivia() && token.text() != ";")?;
        Some(usize::from(first.text_range().start()))
    });
    let mut linter = Linter::with_default_rules();
    linter.settings = LinterSettings {
        // Without a minor version it would take 11 for older than 11.0.
        pg_version: format!("{}.0", server.major()).parse::<Version>().unwrap_or_default(),
        assume_in_transaction: in_transaction,
    };
    let said = linter.lint(&file, sql).into_iter().map(|violation| {
        let help = violation.help.map(|help| format!(" {help}")).unwrap_or_default();
        Said {
            rule: violation.code.to_string(),
            offset: usize::from(violation.text_range.start()),
            message: format!("{}{help}", violation.message),
        }
    });
    Some(Answer { starts: starts.collect(), said: said.collect() })
}
