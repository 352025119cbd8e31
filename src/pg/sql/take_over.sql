-- Raises the epoch: whoever wrote under an older one writes no more.
UPDATE item SET epoch = epoch + 1, runner = $2 WHERE version = $1 RETURNING epoch
