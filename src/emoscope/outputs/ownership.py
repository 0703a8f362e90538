"""Ownership of runs: the key that made a run, in a file beside its result, and who sees it.

``owner.json`` holds an id and nothing else; ``result.json`` does not depend on it. A run
without that file, or with one that cannot be read, belongs to no key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from emoscope.files import replace_file

OWNER = "owner.json"
"""The file of a run that names its owner."""
NOBODY = "-"
"""An id that no key has."""


@dataclass(frozen=True, slots=True)
class RunAccess:
    """Access to the runs of a store: all of them, or those of one owner."""

    owner: str = ""
    """Id that new runs get; empty for none."""
    sees_all: bool = True

    @property
    def only(self) -> str | None:
        """The owner whose runs are seen; None for all."""
        return None if self.sees_all else self.owner or NOBODY

    def allows(self, folder: Path) -> bool:
        """Whether the run in a folder may be seen, changed and deleted."""
        return self.sees_all or owner_of_run(folder) == self.only


def owner_of_run(folder: Path) -> str:
    """Return the id of the owner of the run in a folder; empty where it belongs to no key."""
    try:
        data = json.loads((folder / OWNER).read_text("utf-8"))
        owner = data["owner"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return owner if isinstance(owner, str) else ""


def write_owner(folder: Path, owner: str, *, spare: Path) -> None:
    """Give the run in a folder to an owner.

    Args:
        folder: directory of the run.
        owner: id of the owner; empty for no key.
        spare: path on the same file system that holds the file until it is complete.

    Raises:
        OSError: the system refused; the owner is that of before.
    """
    if not owner:
        (folder / OWNER).unlink(missing_ok=True)
        return
    data = (json.dumps({"owner": owner}) + "\n").encode()
    replace_file(folder / OWNER, lambda file: file.write(data), temporary=spare, mode=0o600)
