#!/usr/bin/env bash
# Renew the two lock files: names, versions and hashes, never a host.
#
#   requirements/run.txt    what ./run.sh installs      requirements/test.txt   what ./test.sh installs
#
# Needs uv. Universal: the same file serves every platform and Python >= 3.11.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
    --custom-compile-command "requirements/lock.sh" --extra server --extra convert --extra annotations --group build "$@" pyproject.toml
}
compile -o requirements/run.txt
compile --extra gradio --extra openvino --extra parquet --extra text --extra vectors --extra lancedb --extra cloud --extra ray --group test -c requirements/run.txt -o requirements/test.txt
if grep -nE 'https?://|--(extra-)?index-url|--find-links' requirements/*.txt; then
  echo "a lock file names a host" >&2
  exit 1
fi
