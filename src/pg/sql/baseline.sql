-- Records an item as done without running it.
WITH made AS (
  INSERT INTO item (version, number, name, kind, state, goal, source, checksum, baseline, runner)
  VALUES ($1, $1::text::bigint, $2, $3, 'completed', 'completed', $4, $5, true, $6)
  ON CONFLICT (version) DO UPDATE
  SET state = 'completed', goal = 'completed', state_since = now(), source = excluded.source,
      checksum = excluded.checksum, baseline = true, runner = excluded.runner
  WHERE item.state = 'planned' AND item.goal = 'planned'
  RETURNING version
)
INSERT INTO history (version, event, to_state, outcome, detail, runner)
SELECT version, 'baseline', 'completed', 'ok', $7, $6 FROM made
