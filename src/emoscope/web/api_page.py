"""The OpenAPI document as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emoscope.web.rendering import render

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Parameter of an operation."""

    name: str
    place: str
    """``path``, ``query`` or ``header``."""
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Operation of the API."""

    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    bodies: tuple[str, ...]
    """Media types of the request body."""
    statuses: tuple[str, ...]


def api_page(document: Mapping[str, Any], frame: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        document: OpenAPI document.
        frame: prefix and language, as every document has them.
    """
    groups: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = next(iter(item[method].get("tags", ())), "server")
                groups.setdefault(tag, []).append(_operation(method, path, item[method]))
    return render("api", **frame, title="API", groups=groups)


def _operation(method: str, path: str, described: Mapping[str, Any]) -> Operation:
    parameters = tuple(
        Parameter(
            one["name"], one["in"], bool(one.get("required")), str(one.get("description", ""))
        )
        for one in described.get("parameters", ())
    )
    return Operation(
        method.upper(),
        path,
        described.get("summary", ""),
        described.get("description", ""),
        parameters,
        tuple(described.get("requestBody", {}).get("content", ())),
        tuple(described.get("responses", ())),
    )
