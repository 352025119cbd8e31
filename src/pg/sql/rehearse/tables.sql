-- The tables of some relations ($1: their names, as SQL writes them): those themselves, or those that they are indexes of.
SELECT DISTINCT t.oid::regclass::text AS name
FROM unnest($1::text[]) asked (name)
JOIN pg_class c ON c.oid = to_regclass(asked.name)
LEFT JOIN pg_index i ON i.indexrelid = c.oid
JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid) AND t.relkind IN ('r', 'p')
