-- The columns of the table $1 that can be written, and the sequences behind them; as SQL writes them.
SELECT quote_ident(a.attname) AS name, pg_get_serial_sequence($1, a.attname::text) AS sequence
FROM pg_attribute a
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
