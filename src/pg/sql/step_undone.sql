-- An operator says that a step of an item that is being aborted was taken back by hand.
WITH resolved AS (
  UPDATE step SET status = 'undone', error = NULL, finished_at = clock_timestamp(), runner = $3
  FROM item
  WHERE step.version = $1 AND step.step = $2 AND step.status <> 'undone'
    AND item.version = step.version AND item.goal = 'aborted' AND item.state <> 'aborted'
  RETURNING step.version, step.step
)
INSERT INTO history (version, event, step, outcome, detail, runner)
SELECT version, 'resolve', step, 'ok', 'an operator says: taken back by hand', $3 FROM resolved
