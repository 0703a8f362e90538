"""The dialog of teaching: what the corrections would change, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emoscope.labels import by_key
from emoscope.web.rendering import render

_SHOWN = 8
"""Changed runs that are named."""


def teach_part(told: Mapping[str, Any]) -> str:
    """Return what stands in the dialog.

    Args:
        told: the reply of ``GET /v1/teaching``.
    """
    proposal = told["proposal"] or {"changed": []}
    changed = [
        (one["run"], one["name"], by_key(one["before"]), by_key(one["after"]))
        for one in proposal["changed"][:_SHOWN]
    ]
    return render("teach", told=told, changed=changed)
