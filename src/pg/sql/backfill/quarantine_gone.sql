-- Takes a row of a table that is gone out of quarantine; where its rows went to, only a look at all of them tells.
WITH gone AS (
  DELETE FROM quarantine WHERE version = $1 AND step = $2 AND leaf = $3 AND key = $4 RETURNING version, step
)
DELETE FROM proof p USING gone WHERE p.version = gone.version AND p.step = gone.step
