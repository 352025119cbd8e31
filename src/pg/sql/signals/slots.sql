-- The log that slots keep, and the least that may still be written before one is lost.
SELECT max((pg_current_wal_lsn() - restart_lsn)::float8) AS kept, min(safe_wal_size)::float8 AS free,
       bool_or(wal_status = 'lost') AS lost
FROM pg_replication_slots
