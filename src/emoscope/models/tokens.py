"""Reader of ``tokens.txt``: nine class names, and a finding when some are hidden.

Some revisions on the hubs carry a file of 90 bytes that renames four classes to ``unuse_*``. The
weights are the same; the original then never answers those four. Emoscope maps classes by index
and answers all nine, so the file is no reason to refuse the weights; but a comparison of
the two compares different sets of classes, so it is reported.
"""

from __future__ import annotations

from pathlib import Path

from emoscope.errors import ModelMissingError, TokensError
from emoscope.labels import COUNT

HIDDEN_PREFIX = "unuse"
"""Beginning of the names that the original leaves out of its answers."""
_MAX_BYTES = 100_000


def token_errors(path: Path) -> list[TokensError]:
    """Everything that is wrong with a ``tokens.txt``; empty if it names nine classes.

    Raises:
        ModelMissingError: there is no such file.
    """
    if not path.is_file():
        raise ModelMissingError("model_file_missing", file=path.name)
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES).decode("utf-8", errors="replace")
    labels = [line.strip() for line in text.splitlines() if line.strip()]
    hidden = [label for label in labels if label.startswith(HIDDEN_PREFIX)]
    found: list[TokensError] = []
    if hidden:
        found.append(
            TokensError("tokens_hidden", count=len(hidden), labels=", ".join(hidden[:COUNT]))
        )
    if len(labels) != COUNT:
        found.append(
            TokensError("tokens_count", count=len(labels), labels=", ".join(labels[: 2 * COUNT]))
        )
    return found
