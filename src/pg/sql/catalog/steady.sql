-- Whether functions give one value for a whole statement.
-- $1: schemas ('' where none is named), $2: names, in step.
SELECT asked.schema, asked.name, bool_and(p.provolatile <> 'v') AS steady
FROM unnest($1::text[], $2::text[]) asked (schema, name)
JOIN pg_proc p ON p.proname = asked.name
    AND (p.pronamespace = to_regnamespace(nullif(asked.schema, '')) OR asked.schema = '' AND pg_function_is_visible(p.oid))
GROUP BY asked.schema, asked.name
