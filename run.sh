#!/usr/bin/env bash
# From a fresh clone to the page: makes an environment, installs, serves on port 7860.
#
#   ./run.sh [--port N] [--host ADDRESS] [--model NAME|FOLDER] ...     passed on to `emoscope serve`
#
# Needs Python 3.11 or newer. Everything goes into .venv beside this file. A second start installs
# nothing and needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source scripts/environment.sh
prepare_environment requirements/run.txt
exec .venv/bin/emoscope serve "$@"
