-- Whether a column ($2) of a table ($1) is there and is NOT NULL.
SELECT EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = to_regclass($1)::oid AND attname = $2 AND attnum > 0 AND NOT attisdropped AND attnotnull) AS set
