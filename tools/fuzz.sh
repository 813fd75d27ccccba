#!/usr/bin/env bash
# Runs every fuzz target of the module in the current directory for a while.
#
#   fuzz.sh <time per target> [pattern of target names]
#
# All targets run even if one fails, one after the other, on FUZZPROCS processors (all
# of them by default); inputs that fail are written to the
# package's testdata/fuzz and belong into the commit of the fix.
set -euo pipefail

fuzztime=${1:-10s}
pattern=${2:-.}
procs=${FUZZPROCS:-$(getconf _NPROCESSORS_ONLN)}

# go test -list prints the targets of a package, then a line "ok <package>".
targets=$(go test -list "^Fuzz" ./... |
  awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')

failed=0
count=0
while read -r package target; do
  if [ -z "$package" ] || ! grep -qE -- "$pattern" <<<"$target"; then continue; fi
  count=$((count + 1))
  echo "== $package $target"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -parallel "$procs" "$package" </dev/null || failed=1
done <<<"$targets"

echo "$count fuzz targets, $fuzztime each"
exit "$failed"
