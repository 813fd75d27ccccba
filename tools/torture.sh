#!/usr/bin/env bash
# Runs larder torture for a while ($1) with each of so many seeds ($2) on servers of
# every topology, prints a line for each run, and fails if one found a violation. The
# reports are left in a folder whose name is printed at the end.
set -euo pipefail

for=$1 seeds=$2
out=$(mktemp -d)
go build -buildvcs=false -o "$out/larder" ./cmd/larder

# figure prints the value of a number in a report.
figure() { grep -o "\"$2\":[0-9.]*" "$1" | head -n 1 | cut -d : -f 2; }

failed=0
for topology in single cluster sentinel; do
  for seed in $(seq "$seeds"); do
    report=$out/$topology-$seed.json
    "$out/larder" torture --json --for "$for" --seed "$seed" --topology "$topology" >"$report" 2>"$out/stderr" || failed=1
    if [ ! -s "$report" ]; then
      cat "$out/stderr" >&2
      exit 1
    fi
    printf '%-8s seed %2d: %s violations, %s operations, %s values checked, %s faults, %s network events, %s killed, %s ms staleness at most, %s ms recovery at most\n' \
      "$topology" "$seed" "$(figure "$report" violations)" "$(figure "$report" operations)" "$(figure "$report" checked)" \
      "$(figure "$report" faults)" "$(grep -o '"network_events":{[^}]*}' "$report" | grep -o ':[0-9]*' | tr -d : | awk '{ n += $1 } END { print n + 0 }')" \
      "$(figure "$report" processes_killed)" "$(figure "$report" max)" "$(figure "$report" longest_recovery_ms)"
  done
done
rm -f "$out/larder" "$out/stderr"
echo "reports: $out"
exit "$failed"
