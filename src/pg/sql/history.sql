-- The newest events, of one item or of all, oldest first.
SELECT * FROM (
  SELECT h.id, h.at, h.version, h.event, h.step, h.from_state, h.to_state, h.outcome, h.duration_ms, h.sql, h.detail, h.gates,
         r.actor, r.os_user, r.host, r.tool_version, r.command
  FROM history h JOIN runner r ON r.id = h.runner
  WHERE $1::text IS NULL OR h.version = $1
  ORDER BY h.id DESC LIMIT $2
) newest ORDER BY id
