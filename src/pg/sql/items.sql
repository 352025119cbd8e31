-- Every item on record, in timeline order, with its hold and the steps that may have taken effect.
SELECT i.version, i.name, i.kind, i.state, i.goal, i.state_since, i.epoch, i.source, i.checksum,
       i.tables, i.known::text AS known, i.depends_on, i.batch, i.baseline, i.error,
       ARRAY(SELECT s.step FROM step s WHERE s.version = i.version AND s.status <> 'undone' ORDER BY s.position) AS touched,
       h.reason AS hold_reason, h.placed_by AS hold_by, h.since AS hold_since
FROM item i
LEFT JOIN hold h ON h.version = i.version AND h.lifted_at IS NULL
ORDER BY i.number
