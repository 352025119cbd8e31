-- Where the log stands, in bytes.
SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 AS written, pg_walfile_name(pg_current_wal_lsn()) AS file,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS segment
