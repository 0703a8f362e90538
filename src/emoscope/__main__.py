"""``python -m emoscope``."""

from emoscope.cli.main import main

main()
