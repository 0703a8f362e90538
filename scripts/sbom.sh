#!/usr/bin/env bash
# Software bill of materials (CycloneDX, JSON) of what requirements/run.txt pins, the lock that the
# container is built from: names, versions and hashes. It has no licences; NOTICE has those of
# what lies in the package.
#
#   scripts/sbom.sh [FILE]        writes FILE, by default emoscope.cdx.json
#
# The tool (cyclonedx-py) is fetched from the package index into a folder that is removed again,
# unless it is installed already.
set -euo pipefail
file=$(realpath -m "${1:-emoscope.cdx.json}")
cd "$(dirname "$0")/.."
tool=$(command -v cyclonedx-py || true)
if [ -z "$tool" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet "cyclonedx-bom>=7,<8"
  tool=$folder/bin/cyclonedx-py
fi
"$tool" requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible \
  --output-format JSON --output-file "$file"
