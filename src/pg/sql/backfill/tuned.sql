-- What an operator changed of how a plan's backfills go about it.
SELECT settings, tuned_by, tuned_at FROM backfill_tune WHERE version = $1
