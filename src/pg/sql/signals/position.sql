-- Where the log stands, in bytes.
SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 AS written, pg_walfile_name(pg_current_wal_lsn()) AS file,
       pg_size_bytes(current_setting('wal_segment_size')) AS segment
