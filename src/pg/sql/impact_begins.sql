-- Records that a step, or its undo, begins to act on others, and which backend ($5) runs it.
INSERT INTO impact (version, step, undo, runner, backend_pid, backend_start)
VALUES ($1, $2, $3, $4, $5, (SELECT backend_start FROM pg_stat_activity WHERE pid = $5)) RETURNING id
