#!/usr/bin/env bash
# From a fresh clone to all tests: makes an environment, installs, checks, tests.
#
#   ./test.sh            format, lint, types, import laws, tests (a few minutes)
#   ./test.sh --slow     the slow suite as well
#   ./test.sh [PYTEST ARGUMENTS]
#
# Needs Python 3.11 or newer. The browser tests need Chromium, which is installed through apt when
# this runs as root; without it they are skipped and say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/environment.sh
prepare_environment requirements/test.txt

command -v curl >/dev/null || apt_install curl || true
if ! command -v chromium >/dev/null; then
  apt_install chromium fonts-noto-cjk fonts-noto-color-emoji || true
fi

selection=(-m "not slow")
if [ "${1:-}" = --slow ]; then
  selection=(-m "slow or not slow")
  shift
fi

bin=.venv/bin
step() { printf '\n== %s\n' "$1"; }
step "format" && $bin/ruff format --check .
step "lint" && $bin/ruff check .
step "types" && $bin/mypy
step "import laws" && $bin/lint-imports
step "tests" && $bin/python -m pytest "${selection[@]}" "$@"
