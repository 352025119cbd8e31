//! Owns the call into the parser: bounded input, a stack of its own, one kind of error.

use std::any::Any;
use std::cell::Cell;
use std::thread::{self, Scope, ScopedJoinHandle};

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    LimitOption, Node as Tree, ParseResult, RawStmt, ResTarget, SelectStmt, SetOperation,
};
use serde_json::Value;

/// The most bytes of SQL that are parsed at once.
pub(super) const MAX_SQL_BYTES: usize = 16 * 1024 * 1024;

/// The stack of the thread that parses. PostgreSQL's own depth check bounds the
/// parser itself; what walks the tree afterwards needs a multiple of that.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// What is said of SQL that is nested deeper than the parser's library reads. The library sets the
/// bounds itself at each call: 2 MB of stack, and 10,000 levels of its tree, two of them for each
/// operator. They are below those of a server, which takes some more.
pub(super) const TOO_DEEP: &str = "this is nested too deeply to be read: in a release build the parser's library \
    takes some 5,000 operators or calls in one another, and a chain (a || b || c) is as deep as it is long. Write it \
    with fewer: IN (...) or a join with VALUES for a chain of OR or =, concat(...) for one of ||, \
    several statements for a long UNION";

/// The fewest things that are worth a thread of their own.
const LEAST_SHARE: usize = 16;

/// Why SQL was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SqlError {
    /// What is wrong.
    pub message: String,
    /// Where in the SQL, in bytes, where that is known.
    pub offset: Option<usize>,
}

impl SqlError {
    /// An error of who reads what the parser gave.
    #[must_use]
    pub fn of(message: impl Into<String>) -> Self {
        Self::new(message)
    }

    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: None }
    }
}

/// Parses `sql` and reads the tree, both on a thread with a deep stack; the
/// tree never leaves it, because dropping it is as deep as walking it.
pub(super) fn with_tree<R: Send>(
    sql: &str,
    read: impl FnOnce(&ParseResult) -> Result<R, SqlError> + Send,
) -> Result<R, SqlError> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(SqlError::new(format!("more than {} MiB of SQL in one piece", MAX_SQL_BYTES >> 20)));
    }
    deep(|| {
        let parsed = pg_query::parse(sql, 0).map_err(|error| SqlError::new(plain(&error)))?;
        read(&parsed.protobuf)
    })?
}

/// Does work that reads SQL on one thread with a deep stack. Whoever reads many
/// scripts calls it around all of them: a thread for each would cost more than
/// the parsing.
///
/// # Errors
/// When there is no thread to be had, or the work panicked.
pub fn deep<R: Send>(work: impl FnOnce() -> R + Send) -> Result<R, SqlError> {
    if DEEP.get() {
        return std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(gave_up);
    }
    thread::scope(|scope| start(scope, work)?.join().map_err(gave_up))
}

/// Does work that reads SQL for each of many things, in their order, shared among as many threads
/// with a deep stack as there are processors.
///
/// # Errors
/// As [`deep`]; and the first of the work.
pub fn deep_each<T: Sync, R: Send, E: Send + From<SqlError>>(
    of: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = of.len().div_ceil(processors).max(LEAST_SHARE);
    let all = |part: &[T]| part.iter().map(&work).collect::<Result<Vec<R>, E>>();
    let all = &all;
    thread::scope(|scope| {
        let parts = of.chunks(share).map(|part| start(scope, move || all(part)));
        let started: Vec<_> = parts.collect::<Result<_, SqlError>>()?;
        let mut done = Vec::with_capacity(of.len());
        for part in started {
            done.extend(part.join().map_err(gave_up)??);
        }
        Ok(done)
    })
}

fn start<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> R + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, R>, SqlError> {
    let marked = || {
        DEEP.set(true);
        work()
    };
    thread::Builder::new()
        .name("sql".into())
        .stack_size(STACK_BYTES)
        .spawn_scoped(scope, marked)
        .map_err(|error| SqlError::new(format!("no thread for the parser: {error}")))
}

fn gave_up(_: Box<dyn Any + Send>) -> SqlError {
    SqlError::new("the parser gave this SQL up")
}

thread_local! {
    /// Whether this thread has the deep stack.
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Whether SQL parses, or what the parser has against it; on a thread with a deep stack.
pub(super) fn parses(sql: &str) -> Result<(), String> {
    deep(|| pg_query::parse(sql, 0).map(|_| ()).map_err(|error| plain(&error)))
        .map_err(|error| error.message)?
}

fn plain(error: &pg_query::Error) -> String {
    match error {
        pg_query::Error::Parse(message) if too_deep(message) => TOO_DEEP.into(),
        pg_query::Error::Parse(message) => message.clone(),
        pg_query::Error::Conversion(_) => "the SQL holds a NUL byte".into(),
        other => other.to_string(),
    }
}

/// Whether the library gave up for the depth alone, on the stack or in its tree.
fn too_deep(message: &str) -> bool {
    message.contains("stack depth limit exceeded") || message.contains("nested too deeply")
}

/// Whether the modifiers of every type are such that they can be written again: of others,
/// which no server takes, `pg_query` writes nothing in a release build, and ends the process
/// in a debug one (`deparseTypeName`).
fn writable(tree: &Value) -> bool {
    match tree {
        Value::Array(values) => values.iter().all(writable),
        Value::Object(fields) => fields.iter().all(|(name, value)| {
            let plain = |modifier: &Value| {
                ["AConst", "ParamRef", "ColumnRef"].iter().any(|kind| modifier["node"].get(*kind).is_some())
            };
            let modifiers = value.as_array().filter(|_| name == "typmods");
            modifiers.is_none_or(|modifiers| modifiers.iter().all(plain)) && writable(value)
        }),
        _ => true,
    }
}

/// Whether two trees say the same, wherever they stood in their texts.
pub(super) fn same_tree(a: &impl serde::Serialize, b: &impl serde::Serialize) -> Result<bool, SqlError> {
    fn placeless(tree: &mut Value) {
        match tree {
            Value::Array(values) => values.iter_mut().for_each(placeless),
            Value::Object(fields) => {
                // Also of the brackets of a list.
                fields.retain(|name, _| {
                    !name.ends_with("location") && !name.contains("list_start") && !name.contains("list_end")
                });
                fields.values_mut().for_each(placeless);
            }
            _ => {}
        }
    }
    let (mut a, mut b) = (json(a)?, json(b)?);
    placeless(&mut a);
    placeless(&mut b);
    Ok(a == b)
}

/// A statement written again from its tree.
pub(super) fn statement_text(node: Node) -> Result<String, SqlError> {
    if !writable(&json(&node)?) {
        return Err(SqlError::new("a type has modifiers that are no constants, which no server takes"));
    }
    let stmt = Some(Box::new(Tree { node: Some(node) }));
    let tree = ParseResult { version: 0, stmts: vec![RawStmt { stmt, stmt_location: 0, stmt_len: 0 }] };
    pg_query::deparse(&tree, pg_query::DeparseOptions::default())
        .map_err(|error| SqlError::new(plain(&error)))
}

/// The first statement of a tree.
pub(super) fn first_node(tree: &ParseResult) -> Option<&Node> {
    tree.stmts.first().and_then(|raw| raw.stmt.as_ref()).and_then(|stmt| stmt.node.as_ref())
}

/// A statement written from a tree that was changed. It is run: what is written must be what was
/// meant, else `wrong` says what is the matter with the text.
pub(super) fn changed_statement(node: &Node, wrong: impl FnOnce(&str) -> String) -> Result<String, SqlError> {
    let text = statement_text(node.clone())?;
    match with_tree(&text, |tree| same_tree(&first_node(tree), &Some(node))) {
        Ok(true) => Ok(text),
        Ok(false) | Err(_) => Err(SqlError::new(wrong(&text))),
    }
}

/// An expression written again from its tree.
pub(super) fn expression_text(expr: &Tree) -> Result<String, SqlError> {
    let target = ResTarget { val: Some(Box::new(expr.clone())), ..ResTarget::default() };
    let target = Tree { node: Some(Node::ResTarget(Box::new(target))) };
    let select = SelectStmt {
        target_list: vec![target],
        limit_option: LimitOption::Default.into(),
        op: SetOperation::SetopNone.into(),
        ..SelectStmt::default()
    };
    let text = statement_text(Node::SelectStmt(Box::new(select)))?;
    Ok(text.trim_start_matches("SELECT ").to_owned())
}

/// The tree as JSON, for walks that must not miss any kind of node.
pub(super) fn json(node: &impl serde::Serialize) -> Result<Value, SqlError> {
    serde_json::to_value(node)
        .map_err(|error| SqlError::new(format!("the parse tree cannot be read: {error}")))
}

/// Calls `visit` with the name and the fields of every node and of every field that is one.
pub(super) fn walk(value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, visit)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if value.is_object() {
                    visit(name, value);
                }
                walk(value, visit);
            }
        }
        _ => {}
    }
}

/// The text of a `String` node.
pub(super) fn string(node: &Value) -> Option<&str> {
    node.get("node")?.get("String")?.get("sval")?.as_str()
}
