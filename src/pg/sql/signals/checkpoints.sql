-- Checkpoints that were asked for, not timed; up to PostgreSQL 16.
SELECT checkpoints_req AS requested FROM pg_stat_bgwriter
