//! The locks of an exchange that views are part of. Whoever reads a view locks it and then what it
//! reads, and a statement that names two locks them in its own order: there is none that could not
//! meet one of them half way, where the server would end one of the two. So nothing is waited for
//! while something is held, but for a moment: then all is let go, for half as long at least as it was held, so that
//! no statement of a client waits for one round after another; and taken in another order.

use super::super::known::Dependent;
use super::Target;
use crate::core::ident::{do_block, literal};

/// For how many milliseconds one of the locks is waited for, and in all: together far below
/// `deadlock_timeout`, which ends a client.
const MOMENT: u32 = 100;
const ROUND: u32 = 400;

/// The statement that takes them all, and holds them as long as the transaction lasts: a view
/// before its tables, and a table before what it refers to, as clients do. `None`: one table alone.
pub(super) fn locks<'a>(
    targets: &[&Target<'_>],
    found: impl Iterator<Item = &'a Dependent>,
) -> Option<String> {
    let views = found.filter_map(|one| one.lock.clone());
    let tables =
        targets.iter().rev().map(|target| format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", target.table));
    let each: Vec<String> = views.chain(tables).map(|lock| literal(&lock)).collect();
    if each.len() < 2 {
        return None;
    }
    Some(do_block(&format!(
        "DECLARE
  patience text := pg_catalog.current_setting('lock_timeout');
  until timestamptz := pg_catalog.clock_timestamp() + nullif(patience, '0')::interval;
  locks text[] := ARRAY[{}];
  began timestamptz;
  one text;
BEGIN
  LOOP
    began := pg_catalog.clock_timestamp();
    BEGIN
      FOREACH one IN ARRAY locks LOOP
        PERFORM pg_catalog.set_config('lock_timeout', greatest(1, least({MOMENT},
          {ROUND} - 1000 * extract(epoch FROM pg_catalog.clock_timestamp() - began)))::int::text, true);
        EXECUTE one;
      END LOOP;
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      IF pg_catalog.clock_timestamp() > until THEN
        RAISE;
      END IF;
    END;
    PERFORM pg_catalog.pg_sleep(extract(epoch FROM pg_catalog.clock_timestamp() - began) * (0.5 + pg_catalog.random() / 2));
    locks := ARRAY(SELECT taken FROM pg_catalog.unnest(locks) taken ORDER BY pg_catalog.random());
  END LOOP;
  PERFORM pg_catalog.set_config('lock_timeout', patience, true);
END",
        each.join(", ")
    )))
}
