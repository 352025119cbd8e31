-- Puts a file on record as planned; what is there already stays.
INSERT INTO item (version, number, name, kind, runner)
VALUES ($1, $1::text::bigint, $2, $3, $4)
ON CONFLICT (version) DO NOTHING
