"""What a command that ran in the tests' own process returned and wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Ran:
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str


def run_here(
    main: Callable[[list[str]], object], capsys: pytest.CaptureFixture[str], *arguments: object
) -> Ran:
    """Run a command in this process.

    Args:
        main: takes its arguments.
        capsys: catches what it writes.
        *arguments: of the command; a path as it is.
    """
    code = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    captured = capsys.readouterr()
    return Ran(code, captured.out, captured.err)
