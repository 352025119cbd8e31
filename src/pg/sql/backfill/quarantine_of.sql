-- The rows of an item in quarantine, of one step or of all.
SELECT step, leaf, key, sqlstate, error, attempts, first_at, last_at FROM quarantine
WHERE version = $1 AND ($2::text IS NULL OR step = $2) ORDER BY step, leaf, first_at, key
