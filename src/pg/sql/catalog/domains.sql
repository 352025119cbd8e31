-- What the lock table needs to know of domains.
-- $1: names of types, as SQL writes them. One row each that is a domain.
WITH RECURSIVE base AS (
    SELECT asked.name, t.oid, t.typbasetype, t.typnotnull, t.typdefaultbin, 1 AS depth
    FROM unnest($1::text[]) asked (name)
    JOIN pg_type t ON t.oid = to_regtype(asked.name) AND t.typtype = 'd'
    UNION ALL
    SELECT base.name, t.oid, t.typbasetype, t.typnotnull, t.typdefaultbin, base.depth + 1
    FROM base JOIN pg_type t ON t.oid = base.typbasetype AND t.typtype = 'd'
)
SELECT name,
       bool_or(typnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = base.oid)) AS constrained,
       -- A domain takes over the default of the one that it is made of.
       (array_agg(pg_get_expr(typdefaultbin, 0) ORDER BY depth) FILTER (WHERE typdefaultbin IS NOT NULL))[1] AS fallback,
       coalesce((SELECT array_agg(DISTINCT a.attrelid::regclass::text)
                 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm')
                 WHERE a.atttypid = to_regtype(base.name) AND NOT a.attisdropped), '{}') AS used_by
FROM base GROUP BY name
