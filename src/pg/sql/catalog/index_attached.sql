-- Whether a partition ($1) has an index that is attached to one of the partitioned table ($2).
SELECT EXISTS (SELECT FROM pg_inherits h JOIN pg_index i ON i.indexrelid = h.inhrelid
               WHERE i.indrelid = to_regclass($1)::oid AND h.inhparent = to_regclass($2)::oid) AS attached
