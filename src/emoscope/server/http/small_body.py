"""Small JSON request bodies, read within a limit."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from emoscope.errors import RequestError

MAX_BYTES = 8_000_000


async def read_field(request: Request, name: str, kind: Any) -> Any:
    """Read one field of a JSON object that is sent as the body.

    Args:
        request: its body is read, up to ``MAX_BYTES``.
        name: name of the field.
        kind: type, or union of types, that its value must have.

    Raises:
        RequestError: the body is too long, is no JSON object, or lacks the field.
    """
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BYTES:
            raise RequestError("request_too_large", max_bytes=MAX_BYTES)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise RequestError("request_malformed", expected=f'{{"{name}": ...}}') from exc
    if not isinstance(body, dict) or name not in body or not isinstance(body[name], kind):
        raise RequestError("field_missing", field=name)
    return body[name]


def object_schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return ``openapi_extra`` of a route whose body is an object with one field.

    Args:
        name: name of the field.
        schema: JSON schema of its value.
    """
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": [name],
                        "properties": {name: schema},
                    }
                }
            },
        }
    }
