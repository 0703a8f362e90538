"""``python -m emoscope``: the command line."""

from emoscope.cli.main import main

main()
