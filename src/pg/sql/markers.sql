-- The newest marker of each application.
SELECT DISTINCT ON (app) app, app_version, placed_by, placed_at FROM marker ORDER BY app, id DESC
