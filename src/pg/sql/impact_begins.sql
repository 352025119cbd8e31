-- Records that a step, or its undo, begins to act on others.
INSERT INTO impact (version, step, undo, runner) VALUES ($1, $2, $3, $4) RETURNING id
