-- Records an approval; a second one by the same actor renews the first.
WITH given AS (
  INSERT INTO approval (version, actor, note) VALUES ($1, $2, $3)
  ON CONFLICT (version, actor) DO UPDATE SET note = excluded.note, given_at = now()
  RETURNING version
)
INSERT INTO history (version, event, outcome, detail, runner)
SELECT version, 'approve', 'ok', $3, $4 FROM given
