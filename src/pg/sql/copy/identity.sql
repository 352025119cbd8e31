-- What a primary and its standbys have in common: the cluster, and the number of this database in it.
SELECT (SELECT system_identifier FROM pg_control_system())::text AS cluster,
       (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) AS database
