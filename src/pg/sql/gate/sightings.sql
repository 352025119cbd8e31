-- Who was connected at looks of the last so many seconds.
SELECT name, db_user, nullif(address, '') AS address, sessions, first_seen, last_seen FROM sighting
WHERE last_seen > clock_timestamp() - make_interval(secs => $1) ORDER BY name, db_user, address
