-- Records that a version of an application is live everywhere, or that it is gone from an environment.
WITH placed AS (
  INSERT INTO marker (app, app_version, placed_by, environment, revision, gone) VALUES ($1, $2, $3, $5, $6, $7)
  RETURNING app, app_version, environment, revision, gone
)
INSERT INTO history (event, outcome, detail, runner)
SELECT 'deployed', 'ok', app || CASE WHEN gone THEN '' ELSE '@' || app_version END || coalesce(' in ' || environment, '')
  || coalesce(' (revision ' || revision || ')', '') || CASE WHEN gone THEN ': gone' ELSE '' END, $4
FROM placed
