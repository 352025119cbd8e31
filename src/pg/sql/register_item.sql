-- Puts a file on record as planned; what is there already stays, unless nothing was ever done of it.
INSERT INTO item (version, number, name, kind, runner)
VALUES ($1, $1::text::bigint, $2, $3, $4)
ON CONFLICT (version) DO UPDATE SET name = excluded.name, kind = excluded.kind
WHERE item.state = 'planned' AND item.goal = 'planned' AND (item.name, item.kind) <> (excluded.name, excluded.kind)
  AND NOT EXISTS (SELECT FROM step WHERE step.version = item.version)
