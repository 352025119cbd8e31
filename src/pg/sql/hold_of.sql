-- The hold that stands on an item.
SELECT reason, placed_by, since FROM hold WHERE version = $1 AND lifted_at IS NULL
