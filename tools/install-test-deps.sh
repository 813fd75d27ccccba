#!/usr/bin/env bash
# Makes sure that the programs the full test run needs are there.
#
# On Debian and its relatives, as root, missing packages are installed without
# starting their services; elsewhere the script stops and prints what to run.
# It does nothing, and needs no network, where everything is present.
set -euo pipefail

readonly redis_major=7
readonly node_major=18
readonly postgres_major=15

missing=() # lines for the reader
packages=() # Debian packages

need() { # need <what is missing and why> <package>...
  missing+=("$1")
  shift
  packages+=("$@")
}

have() { command -v "$1" >/dev/null 2>&1; }

# major prints the major version of the redis-server on the PATH.
major() { redis-server --version | sed -n 's/.* v=\([0-9][0-9]*\)\..*/\1/p'; }

# initdb_path prints where PostgreSQL's initdb is, the newest first: Debian and its
# relatives keep it off the PATH.
initdb_path() {
  local path
  for path in $(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -rV) "$(command -v initdb)"; do
    if [ -x "$path" ]; then
      echo "$path"
      return
    fi
  done
}

# compiles tells whether there is a C compiler with the C library's headers.
compiles() {
  local cc
  cc=$(go env CC)
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
    ${cc:-gcc} -x c -fsyntax-only - >/dev/null 2>&1
}

# browser tells whether there is one that the tests know.
browser() {
  have chromium || have chromium-browser || have google-chrome-stable || have google-chrome
}

look() {
  missing=()
  packages=()
  have redis-server || need "redis-server: the integration tests start it on free loopback ports" redis-server
  [ -n "$(initdb_path)" ] || need "PostgreSQL: the integration tests start it on sockets of their own" postgresql
  have node && have npm || need "Node.js and npm: the end-to-end tests run the SDKs of TypeScript" nodejs npm
  browser || need "Chromium: the end-to-end tests open the dashboard with it" chromium
  compiles || need "a C compiler with headers: the race detector is built with it" gcc libc6-dev
}

look
if ((${#missing[@]})); then
  line="apt-get install -y --no-install-recommends ${packages[*]}"
  if ! have apt-get || [ "$(id -u)" != 0 ]; then
    {
      echo "Missing:"
      printf '  %s\n' "${missing[@]}"
      if have apt-get; then
        echo "Install with:"
        echo "  sudo apt-get update && sudo $line"
      else
        echo "Install them with your system's package manager. On Debian and Ubuntu:"
        echo "  sudo apt-get update && sudo $line"
        echo "On macOS:"
        echo "  xcode-select --install; brew install redis node postgresql; brew install --cask chromium"
      fi
    } >&2
    exit 1
  fi

  # While this policy stands, package scripts start no service.
  policy=/usr/sbin/policy-rc.d
  saved=
  restore() {
    rm -f "$policy"
    if [ -n "$saved" ]; then mv "$saved" "$policy"; fi
  }
  if [ -e "$policy" ] || [ -L "$policy" ]; then
    saved=$policy.larder-saved
    mv "$policy" "$saved"
  fi
  trap restore EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"

  # PostgreSQL makes no cluster of its own.
  if [[ " ${packages[*]} " == *" postgresql "* ]]; then
    mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/larder.conf
  fi

  export DEBIAN_FRONTEND=noninteractive
  echo "Installing ${packages[*]}"
  apt() { apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1; }
  log=$(mktemp)
  if ! { apt update && apt install -y --no-install-recommends "${packages[@]}"; }; then
    tail -n 40 "$log" >&2
    echo "The installation failed; the whole log is in $log. To try by hand: $line" >&2
    exit 1
  fi
  rm -f "$log"

  # Nor at the next boot: this machine did not have the services before.
  for service in redis-server postgresql; do
    if [[ " ${packages[*]} " == *" $service "* ]] && have update-rc.d; then
      update-rc.d "$service" disable >/dev/null 2>&1 || true
    fi
  done

  look
  if ((${#missing[@]})); then
    echo "Still missing after the installation:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  fi
fi

found=$(major)
if [ "${found:-0}" -lt "$redis_major" ]; then
  echo "redis-server on the PATH is version ${found:-unknown}; the tests need $redis_major or newer" \
    "(https://redis.io/docs/latest/operate/oss_and_stack/install/)" >&2
  exit 1
fi

path=$(initdb_path)
found=$("$path" --version | sed -n 's/^initdb (PostgreSQL) \([0-9][0-9]*\).*/\1/p')
if [ "${found:-0}" -lt "$postgres_major" ]; then
  echo "$path is version ${found:-unknown}; the tests need $postgres_major or newer" \
    "(https://www.postgresql.org/download/)" >&2
  exit 1
fi

found=$(node --version | sed -n 's/^v\([0-9][0-9]*\)\..*/\1/p')
if [ "${found:-0}" -lt "$node_major" ]; then
  echo "node on the PATH is version ${found:-unknown}; the end-to-end tests need $node_major or newer:" \
    "the packages that they install ask for it (https://nodejs.org/en/download)" >&2
  exit 1
fi
