-- Whether somebody vacuums a table of ours that is old enough for a vacuum against wraparound.
SELECT EXISTS (
  SELECT FROM pg_class c JOIN pg_locks l ON l.relation = c.oid AND l.locktype = 'relation'
  WHERE c.oid = ANY ($1) AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND age(c.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int
) AS at_work
