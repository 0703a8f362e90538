"""Which build runs: the commit, from the installed package's metadata or the checkout."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@cache
def commit() -> str | None:
    """Return the commit of this build, or None for a package that was built without one."""
    return _of_installation() or commit_of_checkout(Path(__file__).parents[3])


def _of_installation() -> str | None:
    """Return what pip has written for a package that it installed from Git (PEP 610)."""
    try:
        told = json.loads(distribution("emoscope").read_text("direct_url.json") or "{}")
        return _checked(told["vcs_info"]["commit_id"])
    except (PackageNotFoundError, ValueError, KeyError, TypeError):
        return None


def commit_of_checkout(folder: Path) -> str | None:
    """Return the commit of a Git checkout, read without Git; None where there is none.

    Reads ``HEAD``, also that of a linked working tree, and the reference that it names.
    """
    try:
        git = folder / ".git"
        if git.is_file():
            git = folder / git.read_text("utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return _checked(head)
        name = head.removeprefix("ref: ")
        common = git / "commondir"
        root = git / common.read_text("utf-8").strip() if common.is_file() else git
        if (root / name).is_file():
            return _checked((root / name).read_text("utf-8").strip())
        packed = (root / "packed-refs").read_text("utf-8").splitlines()
        return next(
            (_checked(line[: -len(name) - 1]) for line in packed if line.endswith(f" {name}")), None
        )
    except (OSError, ValueError):
        return None


def _checked(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None
