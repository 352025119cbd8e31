-- Takes a row out of quarantine.
DELETE FROM quarantine WHERE version = $1 AND step = $2 AND leaf = $3 AND key = $4
