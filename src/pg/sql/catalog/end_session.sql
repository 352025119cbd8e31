-- Ends the session of a client ($1) that is still at the same transaction ($2), if its user is one
-- of $3 and no superuser: neither replication nor a vacuum is a client's. Another runner of our own is never ended.
SELECT pg_terminate_backend(a.pid) AS ended
FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.pid = $1 AND a.usename::text = ANY ($3) AND NOT r.rolsuper AND a.backend_type = 'client backend'
  AND NOT (a.application_name = 'phase' AND a.usename = session_user)
  AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.virtualtransaction = $2)
