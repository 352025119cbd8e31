#!/bin/sh
# Fetches PostgreSQL's own regression SQL into .phase-corpus/sql, out of Debian's
# source package, with a list of sources of its own: nothing of the system is
# changed. PHASE_CORPUS_TARBALL names a tarball that is there already.
set -eu

cd "$(dirname "$0")/.."
corpus="$PWD/.phase-corpus"
[ -f "$corpus/complete" ] && exit 0
rm -rf "$corpus"
mkdir -p "$corpus/apt/lists/partial" "$corpus/apt/cache/archives/partial" "$corpus/sql"

tarball="${PHASE_CORPUS_TARBALL:-}"
if [ -z "$tarball" ]; then
  command -v apt-get >/dev/null || {
    echo "apt-get is needed to fetch PostgreSQL's sources; or name a tarball: PHASE_CORPUS_TARBALL=postgresql-15.x.tar.bz2 make test-corpus" >&2
    exit 1
  }
  key="/usr/share/keyrings/debian-archive-keyring.gpg"
  echo "deb-src [signed-by=$key] http://deb.debian.org/debian bookworm main" >"$corpus/apt/sources.list"
  apt() {
    apt-get -qq -o Dir::Etc::SourceList="$corpus/apt/sources.list" -o Dir::Etc::SourceParts=/nonexistent \
      -o Dir::State::Lists="$corpus/apt/lists" -o Dir::Cache="$corpus/apt/cache" -o APT::Sandbox::User="$(id -un)" "$@"
  }
  apt update
  (cd "$corpus/apt" && apt source --download-only postgresql-15)
  tarball="$(ls "$corpus"/apt/postgresql-15_*.orig.tar.*)"
fi

tar -xf "$tarball" -C "$corpus" --wildcards '*/src/test/regress/sql/*.sql'
mv "$corpus"/*/src/test/regress/sql/*.sql "$corpus/sql/"
find "$corpus" -mindepth 1 -maxdepth 1 ! -name sql -exec rm -rf {} +
ls "$corpus/sql" | wc -l >"$corpus/complete"
