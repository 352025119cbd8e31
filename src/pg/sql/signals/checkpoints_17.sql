-- Checkpoints that were asked for, not timed; since PostgreSQL 17.
SELECT num_requested AS requested FROM pg_stat_checkpointer
