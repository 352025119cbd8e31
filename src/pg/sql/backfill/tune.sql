-- Changes how a plan's backfills go about it; null takes the changes back.
WITH gone AS (
  DELETE FROM backfill_tune WHERE version = $1 AND $2::jsonb IS NULL
), tuned AS (
  INSERT INTO backfill_tune (version, settings, tuned_by) SELECT $1, $2::jsonb, $3 WHERE $2::jsonb IS NOT NULL
  ON CONFLICT (version) DO UPDATE SET settings = excluded.settings, tuned_by = excluded.tuned_by, tuned_at = now()
)
INSERT INTO history (version, event, outcome, detail, runner)
VALUES ($1, 'tune', 'ok', coalesce($2::jsonb::text, 'back to the plan'), $4)
