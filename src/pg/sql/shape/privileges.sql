-- Who may do what with the relations, columns, functions, types and schemas of $1, and what new objects get; sorted,
-- because the order of grants says nothing.
SELECT 'privileges' AS kind, acl.identity,
       (SELECT string_agg(item::text, ', ' ORDER BY item::text) FROM unnest(acl.items) item) AS definition
FROM (
  SELECT 'schema ' || quote_ident(n.nspname) AS identity, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS items
  FROM pg_namespace n WHERE n.oid = ANY ($1::oid[])
  UNION ALL
  SELECT c.oid::regclass::text, coalesce(c.relacl, acldefault(CASE WHEN c.relkind = 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
  FROM pg_class c WHERE c.relnamespace = ANY ($1::oid[]) AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  UNION ALL
  SELECT format('%s.%I', c.oid::regclass, a.attname), a.attacl
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = ANY ($1::oid[]) AND a.attacl IS NOT NULL AND NOT a.attisdropped
  UNION ALL
  SELECT p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
  FROM pg_proc p WHERE p.pronamespace = ANY ($1::oid[])
  UNION ALL
  SELECT 'type ' || t.oid::regtype::text, coalesce(t.typacl, acldefault('T', t.typowner))
  FROM pg_type t WHERE t.typnamespace = ANY ($1::oid[]) AND t.typtype IN ('e', 'd', 'r')
  UNION ALL
  SELECT format('new %s of %s%s', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                    WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
                pg_get_userbyid(d.defaclrole), ' in ' || nullif(d.defaclnamespace, 0)::regnamespace), d.defaclacl
  FROM pg_default_acl d WHERE d.defaclnamespace = 0 OR d.defaclnamespace = ANY ($1::oid[])
) acl
