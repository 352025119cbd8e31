-- The number of the next run of expand.
SELECT nextval('expand_batch') AS batch
