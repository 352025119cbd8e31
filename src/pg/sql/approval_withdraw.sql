-- Takes an approval back; the history keeps that it was given.
WITH withdrawn AS (
  DELETE FROM approval WHERE version = $1 AND actor = $2 RETURNING version
)
INSERT INTO history (version, event, outcome, detail, runner)
SELECT version, 'withdraw', 'ok', $3, $4 FROM withdrawn
