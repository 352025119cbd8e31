-- Triggers with whether they are enabled, rules and policies of the relations in the schemas $1, and event triggers.
SELECT 'trigger' AS kind, format('%s.%I', t.tgrelid::regclass, t.tgname) AS identity,
       concat_ws(', ', pg_get_triggerdef(t.oid),
         CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END) AS definition
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
-- Those that the server makes for constraints show only where somebody switched them off.
WHERE c.relnamespace = ANY ($1::oid[]) AND NOT t.tgisinternal
UNION ALL
SELECT 'trigger of a constraint', format('%s.%I', t.tgrelid::regclass, k.conname),
       string_agg(CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END, ', ' ORDER BY t.tgtype)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_constraint k ON k.oid = t.tgconstraint
WHERE c.relnamespace = ANY ($1::oid[]) AND t.tgisinternal AND t.tgenabled <> 'O'
GROUP BY t.tgrelid, k.conname
UNION ALL
SELECT 'rule', format('%s.%I', r.ev_class::regclass, r.rulename),
       concat_ws(', ', pg_get_ruledef(r.oid),
         CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END)
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = ANY ($1::oid[]) AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', format('%s.%I', p.polrelid::regclass, p.polname),
       concat_ws(', ',
         CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
         CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
         'to ' || (SELECT string_agg(CASE WHEN role = 0 THEN 'public' ELSE pg_get_userbyid(role)::text END, ', ' ORDER BY role)
                   FROM unnest(p.polroles) role),
         'using ' || pg_get_expr(p.polqual, p.polrelid),
         'with check ' || pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = ANY ($1::oid[])
UNION ALL
SELECT 'event trigger', quote_ident(e.evtname),
       concat_ws(', ', e.evtevent, 'when tag in (' || array_to_string(e.evttags, ', ') || ')', 'runs ' || e.evtfoid::regprocedure,
         'owner ' || pg_get_userbyid(e.evtowner),
         CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END)
FROM pg_event_trigger e
