-- The columns of a unique key, in index order: the primary key or else the smallest unique index over
-- NOT NULL columns; ($2) one over exactly these; ($3) one that ON CONFLICT takes, over some of these.
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type_name
FROM (
  SELECT i.indrelid, i.indkey::int2[] AS keys, i.indnkeyatts
  FROM pg_index i
  CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.n) AS names, bool_and(a.attnotnull) AS filled
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.n <= i.indnkeyatts
  ) AS of_key
  WHERE i.indrelid = to_regclass($1)::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    AND of_key.filled AND ($2::text[] IS NULL OR of_key.names = $2::text[])
    AND ($3::text[] IS NULL OR (of_key.names <@ $3::text[] AND i.indimmediate))
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1
) AS chosen
CROSS JOIN LATERAL unnest(chosen.keys) WITH ORDINALITY AS k(attnum, n)
JOIN pg_attribute a ON a.attrelid = chosen.indrelid AND a.attnum = k.attnum
WHERE k.n <= chosen.indnkeyatts
ORDER BY k.n
