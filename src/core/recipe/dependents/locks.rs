//! The locks of an exchange that views are part of. Whoever reads a view locks it and then what it
//! reads, and a statement that names two locks them in its own order: there is none that could not
//! meet one of them half way, where the server would end one of the two. So nothing is waited for
//! while something is held, but for a moment: then all is let go, and taken in another order.

use super::super::known::Dependent;
use crate::core::ident::{QName, do_block, literal};

/// How long one of the locks is waited for: far below `deadlock_timeout`, which ends a client.
const MOMENT: &str = "100ms";

/// The statement that takes them all, and holds them as long as the transaction lasts.
pub(super) fn locks<'a>(table: &QName, found: impl Iterator<Item = &'a Dependent>) -> Option<String> {
    let mut each: Vec<String> = found.filter_map(|one| one.lock.as_ref()).map(|lock| literal(lock)).collect();
    if each.is_empty() {
        return None;
    }
    each.push(literal(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")));
    Some(do_block(&format!(
        "DECLARE
  patience text := pg_catalog.current_setting('lock_timeout');
  until timestamptz := pg_catalog.clock_timestamp() + nullif(patience, '0')::interval;
  locks text[] := ARRAY[{}];
  one text;
BEGIN
  LOOP
    BEGIN
      PERFORM pg_catalog.set_config('lock_timeout', '{MOMENT}', true);
      FOREACH one IN ARRAY locks LOOP
        EXECUTE one;
      END LOOP;
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      IF pg_catalog.clock_timestamp() > until THEN
        RAISE;
      END IF;
    END;
    PERFORM pg_catalog.pg_sleep(pg_catalog.random() / 50);
    locks := ARRAY(SELECT taken FROM pg_catalog.unnest(locks) taken ORDER BY pg_catalog.random());
  END LOOP;
  PERFORM pg_catalog.set_config('lock_timeout', patience, true);
END",
        each.join(", ")
    )))
}
