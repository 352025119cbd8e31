-- UP
CREATE TABLE orders (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id    bigint NOT NULL REFERENCES users,
  total      numeric(12, 2) NOT NULL CHECK (total >= 0),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE orders IS 'What people ordered; amounts in the shop''s one currency.';

-- DOWN
DROP TABLE orders;
