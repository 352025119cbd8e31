-- How well the order of a column follows the order on disk; null where the statistics do not say, or may not be seen.
SELECT correlation::float8 AS correlation FROM pg_stats
WHERE schemaname = $1 AND tablename = $2 AND attname = $3 AND NOT inherited
