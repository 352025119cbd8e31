-- Here: add_exclusion.
-- UP
CREATE TABLE turns (id bigint PRIMARY KEY, who text, given_up bool NOT NULL DEFAULT false);

-- DOWN
DROP TABLE turns;
