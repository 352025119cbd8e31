-- Records who took an advisory lock.
INSERT INTO lock_holder (lock, runner) VALUES ($1, $2)
ON CONFLICT (lock) DO UPDATE SET runner = excluded.runner, taken_at = now()
