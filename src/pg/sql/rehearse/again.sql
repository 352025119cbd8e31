-- Lets an item that was taken back begin once more; in a rehearsal only.
WITH forgotten AS (
  DELETE FROM step USING item WHERE step.version = $1 AND item.version = $1 AND item.state = 'aborted'
), lifted AS (
  UPDATE hold SET lifted_at = clock_timestamp(), lifted_by = 'rehearsal' WHERE version = $1 AND lifted_at IS NULL
)
UPDATE item SET state = 'planned', goal = 'planned', state_since = clock_timestamp(), error = NULL, source = NULL, checksum = NULL, batch = NULL
WHERE version = $1 AND state = 'aborted' AND goal = 'aborted'
