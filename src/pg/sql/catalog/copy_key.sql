-- The columns of the unique index of a table ($1) that tells copied rows apart: one whose columns are
-- all among those that are copied ($2) and NOT NULL, the primary key before others.
SELECT of_key.names
FROM pg_index i
CROSS JOIN LATERAL (
  SELECT array_agg(a.attname::text ORDER BY k.n) AS names, bool_and(a.attnotnull) AS filled
  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE k.n <= i.indnkeyatts
) AS of_key
WHERE i.indrelid = to_regclass($1)::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL AND of_key.filled AND of_key.names <@ $2::text[]
ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1
