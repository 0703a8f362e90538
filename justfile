# The commands anyone can guess.

# list the commands
help:
    @just --list

# make .venv and install everything, tests included
install:
    @bash -c 'source scripts/environment.sh && prepare_environment requirements/test.txt'

# format, and mend what the linter can mend
fix: install
    .venv/bin/ruff format .
    .venv/bin/ruff check --fix .

# format, lint, types, import contracts; no tests
check: install
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
    .venv/bin/mypy
    .venv/bin/lint-imports

# for every day: all checks, and the tests without browser and servers
quick:
    ./test.sh --quick

# everything, as CI does
test *arguments:
    ./test.sh {{arguments}}

# write the pages of docs/ that are tables of the code
docs: install
    .venv/bin/python scripts/make_docs.py

# save screenshots of the page to shots/, and those of the documents to docs/images
shots: install
    .venv/bin/python scripts/shots.py --docs
