-- Places a hold, unless one stands; says so in the history.
WITH placed AS (
  INSERT INTO hold (version, reason, placed_by) VALUES ($1, $2, $3)
  ON CONFLICT (version) WHERE lifted_at IS NULL DO NOTHING
  RETURNING version
)
INSERT INTO history (version, event, outcome, detail, runner)
SELECT version, 'hold', 'ok', $2, $4 FROM placed
