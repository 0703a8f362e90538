#!/usr/bin/env bash
# From a fresh clone to all tests: makes an environment, installs, checks, tests.
#
#   ./test.sh            format, lint, types, import contracts, JavaScript, tests (a few minutes)
#   ./test.sh --quick    the same without browser, servers and processes (about a minute)
#   ./test.sh --slow     the slow suite as well
#   ./test.sh [PYTEST ARGUMENTS]
#
# Needs Python 3.11 or newer. The browser tests need Chromium, and what checks the page's JavaScript
# needs Node.js 18 or newer: both are installed through apt when this runs as root. Without them these
# checks are skipped and say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/environment.sh
prepare_environment requirements/test.txt

selection="not slow"
workers=2 # two halves of the tests at once, file by file
case "${1:-}" in
  --quick) selection="not slow and not browser and not process" && shift ;;
  --slow) selection="slow or not slow" && workers=0 && shift ;; # a model may take all memory
esac

if [[ $selection != *"not browser"* ]]; then
  command -v curl >/dev/null || apt_install curl || true
  if ! command -v chromium >/dev/null; then
    apt_install chromium fonts-noto-cjk fonts-noto-color-emoji || true
  fi
fi

bin=.venv/bin
step() { printf '\n== %s\n' "$1"; }
step "format" && $bin/ruff format --check .
step "lint" && $bin/ruff check .
step "types" && $bin/mypy
step "import contracts" && $bin/lint-imports
step "JavaScript"
if prepare_node; then
  npx --no-install eslint .
  npx --no-install tsc
  node --test tests/js/*.test.js
fi
step "tests"
$bin/python -m pytest -m "$selection" -n "$workers" --dist loadfile --durations=25 "$@"
