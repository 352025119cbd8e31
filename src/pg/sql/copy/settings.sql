-- What the database and the role of this session set for it, as SET takes it.
SELECT name, reset_val AS value, name = 'search_path' AS list
FROM pg_settings
WHERE source IN ('database', 'user', 'database user') OR name IN ('search_path', 'TimeZone')
ORDER BY name
