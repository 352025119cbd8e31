-- CONCURRENTLY cannot run in a transaction: this file runs statement by statement.
-- UP
CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);

-- DOWN
DROP INDEX CONCURRENTLY orders_user_id_idx;
