-- The proofs of an item, and the rows of each step in quarantine.
SELECT b.step, p.began_at, p.ended_at, p.rows, p.out_of_step,
       (SELECT count(*) FROM quarantine q WHERE q.version = b.version AND q.step = b.step) AS quarantined
FROM backfill b LEFT JOIN proof p ON p.version = b.version AND p.step = b.step
WHERE b.version = $1 ORDER BY b.step
