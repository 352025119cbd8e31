-- The columns that decide which partition a row is in.
SELECT a.attname FROM pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS k(attnum)
JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
WHERE p.partrelid = to_regclass($1)::oid
