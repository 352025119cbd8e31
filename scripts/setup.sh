#!/bin/sh
# Installs what is missing, and nothing else: a C compiler and libclang (the SQL
# parser is PostgreSQL's own, in C), and PostgreSQL's server binaries; with
# --test also PgBouncer, which the tests put in front of a server.
set -eu

want_test=false
[ "${1:-}" = "--test" ] && want_test=true

has() { command -v "$1" >/dev/null 2>&1; }

has cargo || { echo "Rust's toolchain is missing: https://rustup.rs" >&2; exit 1; }

has_cc() { has cc || has gcc || has clang; }

# The C library alone will do: a libclang-cpp beside it is another one, in C++.
has_libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  for folder in /usr/lib/llvm-*/lib /usr/lib/llvm*/lib /usr/lib /usr/lib64 /usr/lib64/llvm*/lib* /usr/lib/*-linux-gnu \
    /opt/homebrew/opt/llvm/lib /usr/local/opt/llvm/lib /Library/Developer/CommandLineTools/usr/lib; do
    for file in "$folder"/libclang.so* "$folder"/libclang-[0-9]*.so* "$folder"/libclang.dylib; do
      [ -e "$file" ] && return 0
    done
  done
  return 1
}

has_server() {
  [ -n "${PHASE_PG_BIN:-}" ] && return 0
  has initdb && has postgres && return 0
  if has pg_config && [ -x "$(pg_config --bindir)/initdb" ]; then return 0; fi
  for file in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb /usr/libexec/postgresql*/initdb \
    /usr/local/pgsql/bin/initdb /opt/homebrew/opt/postgresql@*/bin/initdb /usr/local/opt/postgresql@*/bin/initdb; do
    [ -x "$file" ] && return 0
  done
  return 1
}

has_pgbouncer() { has pgbouncer || [ -x /usr/sbin/pgbouncer ]; }

missing=""
has_cc || missing="$missing cc"
has_libclang || missing="$missing libclang"
has_server || missing="$missing server"
if $want_test; then has_pgbouncer || missing="$missing pgbouncer"; fi
[ -z "$missing" ] && exit 0

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif has sudo; then sudo "$@"; else
    echo "root is needed to install:$missing" >&2
    exit 1
  fi
}

# The package of each thing, by package manager.
package() {
  case "$1:$2" in
    apt:cc) echo gcc libc6-dev ;;
    apt:libclang) echo libclang-dev ;;
    apt:server) echo postgresql ;;
    dnf:cc | yum:cc | zypper:cc) echo gcc ;;
    dnf:libclang | yum:libclang) echo clang-libs clang-devel ;;
    zypper:libclang) echo clang-devel ;;
    dnf:server | yum:server | zypper:server) echo postgresql-server ;;
    apk:cc) echo build-base ;;
    apk:libclang) echo clang-dev clang-libclang ;;
    apk:server | pacman:server) echo postgresql ;;
    pacman:cc) echo gcc ;;
    pacman:libclang | brew:libclang) echo llvm ;;
    brew:cc) echo gcc ;;
    brew:server) echo postgresql@17 ;;
    *:pgbouncer) echo pgbouncer ;;
  esac
}

packages() { for thing in $missing; do package "$1" "$thing"; done | tr '\n' ' '; }

echo "installing:$missing" >&2
if has apt-get; then
  export DEBIAN_FRONTEND=noninteractive
  # Debian makes and starts a server of its own on install; this project needs none.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    as_root sh -c 'echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf'
  fi
  # Nothing that is installed here may start by itself.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d'
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  as_root apt-get update -qq
  # shellcheck disable=SC2046 # words are wanted
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Options::=--force-confold $(packages apt) >/dev/null
elif has dnf; then as_root dnf install -y -q $(packages dnf)
elif has yum; then as_root yum install -y -q $(packages yum)
elif has apk; then as_root apk add -q $(packages apk)
elif has pacman; then as_root pacman -S --noconfirm --needed $(packages pacman)
elif has zypper; then as_root zypper --non-interactive install $(packages zypper)
elif has brew; then brew install $(packages brew)
else
  echo "no known package manager; install by hand:$missing" >&2
  exit 1
fi
