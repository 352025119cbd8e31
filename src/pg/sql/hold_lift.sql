-- Lifts the hold that stands; says so in the history.
WITH lifted AS (
  UPDATE hold SET lifted_at = now(), lifted_by = $2 WHERE version = $1 AND lifted_at IS NULL
  RETURNING version, reason
)
INSERT INTO history (version, event, outcome, detail, runner)
SELECT version, 'resume', 'ok', 'lifted: ' || reason, $3 FROM lifted
