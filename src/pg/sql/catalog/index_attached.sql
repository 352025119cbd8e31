-- Whether an index ($1) is attached to one of a partitioned table ($2).
SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1)::oid AND inhparent = to_regclass($2)::oid) AS attached
