-- The roles of the server but its own, without their secrets, and the roles that each is a member of.
SELECT r.rolname::text AS name, r.rolinherit AS inherits, r.rolbypassrls AS bypasses, r.rolsuper AS super,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid AND g.rolname !~ '^pg_' ORDER BY 1) AS member_of
FROM pg_roles r
WHERE r.rolname !~ '^pg_'
ORDER BY r.rolname
