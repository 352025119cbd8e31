-- Whether somebody vacuums a table of ours that is old enough for a vacuum against wraparound.
SELECT EXISTS (
  SELECT FROM pg_class c JOIN pg_locks l ON l.relation = c.oid AND l.locktype = 'relation'
  WHERE c.oid = ANY ($1) AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (age(c.relfrozenxid) > least(
           current_setting('autovacuum_freeze_max_age')::int,
           (SELECT option_value::int FROM pg_options_to_table(c.reloptions)
            WHERE option_name = 'autovacuum_freeze_max_age'))
      OR mxid_age(c.relminmxid) > least(
           current_setting('autovacuum_multixact_freeze_max_age')::int,
           (SELECT option_value::int FROM pg_options_to_table(c.reloptions)
            WHERE option_name = 'autovacuum_multixact_freeze_max_age')))
) AS at_work
