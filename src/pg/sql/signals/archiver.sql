-- What the archiver archived last, where archiving is on.
SELECT current_setting('archive_mode') <> 'off' AS archiving, last_archived_wal FROM pg_stat_archiver
