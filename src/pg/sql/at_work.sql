-- What whoever took the lock of an item ($1) last is at: the step that he began and did not end.
SELECT i.step, i.undo, i.began_at, i.doing, i.doing_since
FROM impact i JOIN lock_holder l ON l.lock = i.version AND l.runner = i.runner
WHERE i.version = $1 AND i.ended_at IS NULL ORDER BY i.id DESC LIMIT 1
