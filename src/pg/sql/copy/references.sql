-- Every foreign key whose tables are not those of the record ($1): the tables and columns on both sides, as SQL writes them.
SELECT k.conrelid::regclass::text AS child, k.confrelid::regclass::text AS parent,
       (SELECT array_agg(quote_ident(a.attname) ORDER BY key.place)
        FROM unnest(k.conkey) WITH ORDINALITY key (number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number) AS columns,
       (SELECT array_agg(quote_ident(a.attname) ORDER BY key.place)
        FROM unnest(k.confkey) WITH ORDINALITY key (number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = key.number) AS referred
FROM pg_constraint k
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.connamespace <> coalesce(to_regnamespace(quote_ident($1)), 0)
