#!/bin/sh
# Makes tests/fixtures/import again: the tools themselves write their tables and files. Each folder gets
# history.sql (the database, by pg_dump) and files/, with a pending one last where it is SQL.
#
# Needs node with npm, Debian's sqitch, and the binaries of a PostgreSQL server in PATH:
#   sh scripts/import-fixtures.sh
# Flyway, Prisma, golang-migrate, pgroll and Reshape ship no binary in a package registry: their
# folders were written by hand from the sources that their history.sql names.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/tests/fixtures/import
work=$(mktemp -d)
server=$(mktemp -d)
as_owner() { if [ "$(id -u)" = 0 ]; then chown -R postgres "$server"; su postgres -s /bin/sh -c "PATH='$PATH' $1"; else sh -c "$1"; fi; }
finish() { as_owner "pg_ctl -D $server/data -m fast stop >/dev/null" || true; rm -rf "$work" "$server"; }
trap finish EXIT
as_owner "initdb -D $server/data -U postgres -A trust >/dev/null"
as_owner "pg_ctl -D $server/data -w -o '-k $server -c listen_addresses=127.0.0.1 -p 54329' -l $server/log start >/dev/null"
url() { echo "postgres://postgres@127.0.0.1:54329/$1?sslmode=disable"; }
database() { psql -q "$(url postgres)" -c "CREATE DATABASE $1"; }
# The database, without what pg_dump says of itself.
keep() { # NAME DATABASE
  name=$1; db=$2
  { echo "-- $(head -n 1 "$work/$name.version") wrote this; scripts/import-fixtures.sh made it."
    pg_dump "$(url "$db")" --inserts --no-owner --no-privileges |
      grep -v -E '^(--|SET |SELECT pg_catalog|\\|$)'; } > "$out/$name/history.sql"
}
cd "$work"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent node-pg-migrate pg knex sequelize sequelize-cli dbmate
version() { echo "$1 $(node -p "require('./node_modules/$1/package.json').version")" > "$work/$1.version"; }

# node-pg-migrate: SQL with both sections, a program, and SQL that is pending.
version node-pg-migrate
database npm
rm -rf "$out/node-pg-migrate"; mkdir -p "$out/node-pg-migrate/files"; f=$out/node-pg-migrate/files
cat > "$f/1672531200000_create-users.sql" <<'SQL'
-- Up Migration
CREATE TABLE users (id bigint PRIMARY KEY, name text);

-- Down Migration
DROP TABLE users;
SQL
cat > "$f/1672617600000_create-orders.js" <<'JS'
exports.up = (pgm) => { pgm.createTable('orders', { id: 'id', user_id: { type: 'bigint', references: 'users' } }); };
exports.down = (pgm) => { pgm.dropTable('orders'); };
JS
DATABASE_URL=$(url npm) npx node-pg-migrate up -m "$f" >/dev/null
cat > "$f/1672704000000_add-email.sql" <<'SQL'
-- Up Migration
ALTER TABLE users ADD COLUMN email text;

-- Down Migration
ALTER TABLE users DROP COLUMN email;
SQL
keep node-pg-migrate npm

# Knex: programs alone.
version knex
database knex
rm -rf "$out/knex"; mkdir -p "$out/knex/files"; f=$out/knex/files
cat > knexfile.js <<JS
module.exports = { client: 'pg', connection: '$(url knex)', migrations: { directory: '$f' } };
JS
for n in 20230101000000_create_users:users 20230102000000_create_orders:orders; do
  cat > "$f/${n%%:*}.js" <<JS
exports.up = (knex) => knex.schema.createTable('${n##*:}', (table) => { table.increments(); table.string('name'); });
exports.down = (knex) => knex.schema.dropTable('${n##*:}');
JS
done
npx knex migrate:latest >/dev/null
keep knex knex

# Sequelize: programs alone.
version sequelize-cli
mv sequelize-cli.version sequelize.version
database seq
rm -rf "$out/sequelize"; mkdir -p "$out/sequelize/files"; f=$out/sequelize/files
for n in 20230101000000-create-users:users 20230102000000-create-orders:orders; do
  cat > "$f/${n%%:*}.js" <<JS
module.exports = {
  up: (q, S) => q.createTable('${n##*:}', { id: { type: S.INTEGER, primaryKey: true }, name: S.STRING }),
  down: (q) => q.dropTable('${n##*:}'),
};
JS
done
npx sequelize-cli db:migrate --url "$(url seq)" --migrations-path "$f" >/dev/null
keep sequelize seq

# dbmate: with and without a transaction, and one that is pending.
version dbmate
database dbmate
rm -rf "$out/dbmate"; mkdir -p "$out/dbmate/files"; f=$out/dbmate/files
cat > "$f/20230101000000_create_users.sql" <<'SQL'
-- migrate:up
CREATE TABLE users (id bigint PRIMARY KEY, name text);

-- migrate:down
DROP TABLE users;
SQL
cat > "$f/20230102000000_index_users.sql" <<'SQL'
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY users_name ON users (name);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY users_name;
SQL
npx dbmate --url "$(url dbmate)" -d "$f" --no-dump-schema migrate >/dev/null
cat > "$f/20230103000000_add_email.sql" <<'SQL'
-- migrate:up
ALTER TABLE users ADD COLUMN email text;

-- migrate:down
ALTER TABLE users DROP COLUMN email;
SQL
keep dbmate dbmate

# Sqitch: a change that was reworked, and one that is pending.
sqitch --version > "$work/sqitch.version"
database sqitch
rm -rf "$out/sqitch"; mkdir -p "$out/sqitch/files"; cd "$out/sqitch/files"
export SQITCH_FULLNAME=Somebody SQITCH_EMAIL=somebody@example.com
quiet() { sqitch "$@" >/dev/null; }
quiet init shop --engine pg
change() { # NAME UP DOWN
  printf -- '-- Deploy shop:%s to pg\n\nBEGIN;\n\n%s\n\nCOMMIT;\n' "$1" "$2" > "deploy/$1.sql"
  printf -- '-- Revert shop:%s from pg\n\nBEGIN;\n\n%s\n\nCOMMIT;\n' "$1" "$3" > "revert/$1.sql"
  printf -- '-- Verify shop:%s on pg\n\nBEGIN;\n\nROLLBACK;\n' "$1" > "verify/$1.sql"
}
quiet add users -n 'Users.'
change users 'CREATE TABLE users (id bigint PRIMARY KEY, name text);' 'DROP TABLE users;'
quiet add counts --requires users -n 'Counts.'
change counts 'CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM users $$;' 'DROP FUNCTION counts();'
quiet tag v1 -n 'First.'
quiet rework counts -n 'Counts, faster.'
change counts 'CREATE OR REPLACE FUNCTION counts() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM users $$;' 'CREATE OR REPLACE FUNCTION counts() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM users $$;'
quiet deploy "db:pg://postgres@127.0.0.1:54329/sqitch"
quiet add email --requires users -n 'E-mail.'
change email 'ALTER TABLE users ADD COLUMN email text;' 'ALTER TABLE users DROP COLUMN email;'
cd "$work"
keep sqitch sqitch
ls -R "$out"
