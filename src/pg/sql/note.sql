-- Writes into the history what happened to an item besides its steps.
INSERT INTO history (version, event, step, outcome, detail, runner) VALUES ($1, $2, $3, 'ok', $4, $5)
