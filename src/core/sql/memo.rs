//! Remembers what was read of a script for as long as the thread lives that reads many: a plan is
//! compiled, judged and compared with others, each from its SQL.

use std::cell::RefCell;
use std::collections::HashMap;
use std::thread::LocalKey;

use super::parse::{SqlError, is_deep};

/// How many scripts are remembered; then all are forgotten, and the memory with them.
const AT_MOST: usize = 20_000;
/// Longer scripts are few, and are read again.
const LONGEST: usize = 16 * 1024;

/// What was read of each script.
pub(super) type Memo<R> = RefCell<HashMap<String, Vec<R>>>;

/// What is known of a script, or is read now. A script that does not parse is not remembered.
///
/// # Errors
/// Those of `read`.
pub(super) fn remembered<R: Clone + 'static>(
    memo: &'static LocalKey<Memo<R>>,
    sql: &str,
    read: impl FnOnce() -> Result<Vec<R>, SqlError>,
) -> Result<Vec<R>, SqlError> {
    if !is_deep() || sql.len() > LONGEST {
        return read();
    }
    if let Some(known) = memo.with_borrow(|known| known.get(sql).cloned()) {
        return Ok(known);
    }
    let found = read()?;
    memo.with_borrow_mut(|known| {
        if known.len() >= AT_MOST {
            known.clear();
        }
        known.insert(sql.to_owned(), found.clone());
    });
    Ok(found)
}
