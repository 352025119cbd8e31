-- What finds the rows that a unique index ($1) does not allow: its table, keys and predicate, as the server writes them.
SELECT i.indrelid::regclass::text AS relation,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false) FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n) AS keys,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_too
FROM pg_index i WHERE i.indexrelid = to_regclass($1)::oid AND i.indisunique
