-- Puts this process on record.
INSERT INTO runner (actor, os_user, host, pid, tool_version, command)
VALUES (session_user, $1, $2, $3, $4, $5) RETURNING id
