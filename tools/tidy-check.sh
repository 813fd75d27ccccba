#!/usr/bin/env bash
# Fails if generated files or a go.mod are not what the tools would write.
#
# The tree is compared with itself before and after `make generate`, so that it
# works with uncommitted changes too. Modules are the arguments.
set -euo pipefail

index=$(mktemp)
trap 'rm -f "$index"' EXIT

# tree records the present files, tracked or new, and prints the record's name.
tree() {
  rm -f "$index"
  GIT_INDEX_FILE=$index git add -A .
  GIT_INDEX_FILE=$index git write-tree
}

before=$(tree)
"${MAKE:-make}" --no-print-directory generate
after=$(tree)

failed=0
if ! git --no-pager diff --exit-code "$before" "$after"; then
  echo "Generated files were out of date; they have been rewritten, commit them." >&2
  failed=1
fi
for module in "$@"; do
  if ! (cd "$module" && go mod tidy -diff); then
    echo "go.mod or go.sum of module $module is out of date: run 'go mod tidy' there." >&2
    failed=1
  fi
done
exit "$failed"
