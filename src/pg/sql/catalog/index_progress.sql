-- How far the concurrent command of a backend is.
SELECT coalesce(p.phase, 'working') AS phase,
       CASE WHEN p.lockers_total > 0 THEN p.lockers_done WHEN p.tuples_total > 0 THEN p.tuples_done
            ELSE p.blocks_done END::bigint AS done,
       CASE WHEN p.lockers_total > 0 THEN p.lockers_total WHEN p.tuples_total > 0 THEN p.tuples_total
            ELSE p.blocks_total END::bigint AS total,
       CASE WHEN p.lockers_total > 0 THEN 'lockers' WHEN p.tuples_total > 0 THEN 'tuples' ELSE 'blocks' END AS unit
FROM pg_stat_progress_create_index p WHERE p.pid = $1
