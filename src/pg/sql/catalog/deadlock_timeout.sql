-- How long the server lets a session wait before it looks for a deadlock, or for a vacuum that gives way.
SELECT setting::bigint AS ms FROM pg_settings WHERE name = 'deadlock_timeout'
