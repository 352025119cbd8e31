-- What the history says of the last event of a kind ($2) of an item.
SELECT detail FROM history WHERE version = $1 AND event = $2 ORDER BY id DESC LIMIT 1
