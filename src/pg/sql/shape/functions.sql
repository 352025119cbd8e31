-- Functions, procedures and aggregates in the schemas $1.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
       format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS identity,
       concat_ws(', ', 'owner ' || pg_get_userbyid(p.proowner),
         CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid)
         ELSE (SELECT format('returns %s, state %s of type %s, final %s, starts with %s', p.prorettype::regtype, a.aggtransfn,
                             a.aggtranstype::regtype, a.aggfinalfn, a.agginitval) FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END) AS definition
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.pronamespace = ANY ($1::oid[])
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
