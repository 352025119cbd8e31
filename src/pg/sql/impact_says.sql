-- Records what a step under way waits for, or how far it is; null: it goes on.
UPDATE impact SET doing = $2, doing_since = CASE WHEN $2::text IS NULL THEN NULL ELSE clock_timestamp() END
WHERE id = $1 AND ended_at IS NULL
