-- How a table ($2) stands to the one whose partition it should be ($1). The column
-- inhdetachpending came with PostgreSQL 14.
SELECT pair.parent IS NOT NULL AND pair.child IS NOT NULL AS there,
       i.inhrelid IS NOT NULL AS attached,
       coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS pending
FROM (SELECT to_regclass($1)::oid AS parent, to_regclass($2)::oid AS child) AS pair
LEFT JOIN pg_inherits i ON i.inhrelid = pair.child AND i.inhparent = pair.parent
