-- Says in the history that the pace of a backfill changed, and why.
INSERT INTO history (version, event, step, outcome, detail, runner) VALUES ($1, 'pace', $2, 'ok', $3, $4)
