-- Records that a version of an application is live everywhere.
WITH placed AS (
  INSERT INTO marker (app, app_version, placed_by) VALUES ($1, $2, $3) RETURNING app, app_version
)
INSERT INTO history (event, outcome, detail, runner)
SELECT 'deployed', 'ok', app || '@' || app_version, $4 FROM placed
