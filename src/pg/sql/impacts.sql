-- What steps did to others, of one item or of all, oldest first.
SELECT id, version, step, undo, runner, began_at, ended_at, attempts, waiters, longest_wait_ms, longest, held_ms, locks,
       looks, gap_ms
FROM impact WHERE $1::text IS NULL OR version = $1 ORDER BY id
