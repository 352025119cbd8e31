-- How a table ($2) stands to the one whose partition it should be ($1), and whether any partition of that is half
-- detached. The column inhdetachpending came with PostgreSQL 14.
SELECT pair.parent IS NOT NULL AS parent, pair.child IS NOT NULL AS child,
       i.inhrelid IS NOT NULL AS attached,
       coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS pending,
       EXISTS (SELECT FROM pg_inherits o WHERE o.inhparent = pair.parent
               AND (to_jsonb(o) ->> 'inhdetachpending')::boolean) AS any_pending
FROM (SELECT to_regclass($1)::oid AS parent, to_regclass($2)::oid AS child) AS pair
LEFT JOIN pg_inherits i ON i.inhrelid = pair.child AND i.inhparent = pair.parent
