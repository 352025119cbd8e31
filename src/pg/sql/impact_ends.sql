-- Records what it did to them.
UPDATE impact SET ended_at = clock_timestamp(), attempts = $2, waiters = $3, longest_wait_ms = $4, longest = $5,
  held_ms = $6, locks = $7, looks = $8, gap_ms = $9, doing = NULL, doing_since = NULL
WHERE id = $1
