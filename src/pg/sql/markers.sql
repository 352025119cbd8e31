-- The newest marker of each application in each environment where it runs.
SELECT app, app_version, placed_by, placed_at, environment, revision FROM (
  SELECT DISTINCT ON (app, environment) app, app_version, placed_by, placed_at, environment, revision, gone
  FROM marker ORDER BY app, environment, id DESC
) newest WHERE NOT gone ORDER BY app, environment
