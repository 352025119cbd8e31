-- The proofs of an item, and the rows of each step in quarantine. One that began before it had to begin again is none.
SELECT b.step, p.began_at, p.ended_at, p.rows, p.out_of_step,
       (SELECT count(*) FROM quarantine q WHERE q.version = b.version AND q.step = b.step) AS quarantined
FROM backfill b LEFT JOIN proof p ON p.version = b.version AND p.step = b.step AND p.began_at >= coalesce(b.proof_since, p.began_at)
WHERE b.version = $1 ORDER BY b.step
