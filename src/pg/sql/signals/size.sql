-- How large the tables are with their indexes, in bytes.
SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM unnest($1::oid[]) AS oid
