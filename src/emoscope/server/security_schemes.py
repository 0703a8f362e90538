"""Security schemes of the OpenAPI document: three ways to send a key."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from emoscope.server.middleware.auth import OPEN_PATHS

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "for browsers: any name, and the key as the password",
    },
}


def add_security_schemes(app: FastAPI) -> None:
    """Describe in the document of an application how a key is sent; none is needed without keys."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = SCHEMES
        document["security"] = [*({name: []} for name in SCHEMES), {}]
        for path in OPEN_PATHS:
            for operation in document["paths"].get(path, {}).values():
                operation["security"] = []
                operation["responses"].pop("401", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
