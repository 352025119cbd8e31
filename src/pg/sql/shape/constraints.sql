-- The constraints of tables and domains in the schemas $1, with their validity.
SELECT 'constraint' AS kind,
       format('%s.%I', CASE WHEN k.conrelid <> 0 THEN k.conrelid::regclass::text ELSE k.contypid::regtype::text END, k.conname) AS identity,
       concat_ws(', ',
         pg_get_constraintdef(k.oid),
         CASE WHEN NOT k.convalidated THEN 'not valid' END,
         CASE WHEN (to_jsonb(k) ->> 'conenforced') = 'false' THEN 'not enforced' END,
         CASE WHEN NOT k.conislocal THEN 'inherited' END,
         CASE WHEN k.connoinherit AND k.contype IN ('c', 'n') THEN 'no inherit' END) AS definition
FROM pg_constraint k
WHERE k.connamespace = ANY ($1::oid[]) AND (k.conrelid <> 0 OR k.contypid <> 0)
  -- Constraint triggers stand among the triggers.
  AND k.contype <> 't'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'
    AND (d.classid, d.objid) IN (('pg_class'::regclass, k.conrelid), ('pg_type'::regclass, k.contypid)))
