-- The locks on relations that some backends ($1) hold or wait for, and whether any of them waits for anything.
SELECT l.relation AS id, l.mode, l.granted FROM pg_locks l
WHERE l.pid = ANY ($1) AND (l.locktype = 'relation' OR NOT l.granted)
