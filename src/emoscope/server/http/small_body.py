"""Small JSON request bodies, received within the limits of uploads."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request

from emoscope.errors import RequestError
from emoscope.server.admission.uploads import Uploads
from emoscope.server.http.body_spool import RecordingSpool

MAX_BYTES = 8_000_000


async def read_field(request: Request, uploads: Uploads, name: str, kind: Any) -> Any:
    """Read one field of a JSON object that is sent as the body.

    Args:
        request: its body is read, up to ``MAX_BYTES``.
        uploads: the limits of bodies.
        name: name of the field.
        kind: type, or union of types, that its value must have.

    Raises:
        RequestError: the body is too long, is no JSON object, or lacks the field.
        ServiceTimeoutError: the body comes too slowly.
        BusyError: too many bodies, or bytes of bodies, are there already.
    """
    with uploads.body() as body, RecordingSpool(None) as spool:
        spool.begin()
        await body.receive(request.stream(), spool.write, MAX_BYTES, _too_large)
        data = spool.read(0, body.size_bytes)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise RequestError("request_malformed", expected=f'{{"{name}": ...}}') from exc
    if not isinstance(found, dict) or name not in found or not isinstance(found[name], kind):
        raise RequestError("field_missing", field=name)
    return found[name]


def _too_large() -> RequestError:
    return RequestError("request_too_large", max_bytes=MAX_BYTES)


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
