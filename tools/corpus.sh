#!/usr/bin/env bash
# Commits what fuzzing has found interesting: up to a dozen small inputs of each target
# that has fewer in testdata/fuzz are copied from the build cache, spread over their
# sizes. Run it after `make fuzz FUZZTIME=5m`, in the folder of a module.
set -euo pipefail

most=12
bytes=2048
cache=$(go env GOCACHE)/fuzz

go test -list "^Fuzz" ./... |
  awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }' |
  while read -r package target; do
    into=$(go list -f '{{.Dir}}' "$package")/testdata/fuzz/$target
    from=$cache/$package/$target
    [ -d "$from" ] || { echo "$package $target: nothing in the cache"; continue; }
    have=$(find "$into" -type f 2>/dev/null | wc -l)
    [ "$have" -lt 3 ] || continue
    mkdir -p "$into"
    mapfile -t files < <(find "$from" -type f -size "-${bytes}c" -printf '%s %p\n' | sort -n | cut -d ' ' -f 2-)
    count=${#files[@]}
    take=$((count < most ? count : most))
    for ((i = 0; i < take; i++)); do
      cp "${files[i * count / take]}" "$into/"
    done
    echo "$package $target: $take of $count"
  done
