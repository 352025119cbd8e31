-- The table of an index ($1).
SELECT n.nspname, t.relname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE i.indexrelid = to_regclass($1)::oid
