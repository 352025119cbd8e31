-- Says that a row in quarantine failed once more.
UPDATE quarantine SET sqlstate = $5, error = $6, attempts = attempts + 1, last_at = now()
WHERE version = $1 AND step = $2 AND leaf = $3 AND key = $4
