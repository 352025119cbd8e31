-- Who approved an item.
SELECT actor, note, given_at FROM approval WHERE version = $1 ORDER BY given_at, actor
