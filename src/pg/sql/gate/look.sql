-- Looks who is connected to this database, puts it on record, and forgets what is older than 31 days.
WITH looked AS (
  INSERT INTO look DEFAULT VALUES RETURNING at
), forgotten AS (
  DELETE FROM look WHERE at < clock_timestamp() - interval '31 days'
), gone AS (
  DELETE FROM sighting WHERE last_seen < clock_timestamp() - interval '31 days'
), seen AS (
  SELECT coalesce(application_name, '') AS name, coalesce(usename, '') AS db_user, coalesce(host(client_addr), '') AS address,
         count(*) AS sessions
  FROM pg_stat_activity
  WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND application_name <> 'phase'
  GROUP BY 1, 2, 3
)
INSERT INTO sighting (name, db_user, address, sessions, first_seen, last_seen)
SELECT name, db_user, address, sessions, at, at FROM seen, looked
ON CONFLICT (name, db_user, address) DO UPDATE SET sessions = excluded.sessions, last_seen = excluded.last_seen
