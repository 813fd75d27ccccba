#!/usr/bin/env bash
# Looks for known vulnerabilities in what each module calls.
#
#   vuln.sh <govulncheck> <module folder>...
#
# The database is on the net (GOVULNDB names another one, also file://). Where it
# cannot be reached nothing is known, which is said and is no failure, unless
# LARDER_REQUIRE_VULN is set: a check that was not made must not stop work without
# a network.
set -euo pipefail

govulncheck=$1
shift
failed=0
for module in "$@"; do
  echo "== module $module: known vulnerabilities"
  rc=0
  out=$(cd "$module" && "$govulncheck" ./... 2>&1) || rc=$?
  if [ "$rc" != 0 ] && grep -qE 'fetching vulnerabilities|dial tcp|no such host|i/o timeout|proxyconnect|connection refused' <<<"$out"; then
    echo "$out" | tail -n 3 >&2
    echo "NOT CHECKED: the vulnerability database cannot be reached. Nothing is known; run it where there is a network." >&2
    [ -z "${LARDER_REQUIRE_VULN:-}" ] || exit 1
    exit 0
  fi
  echo "$out"
  [ "$rc" = 0 ] || failed=1
done
exit "$failed"
