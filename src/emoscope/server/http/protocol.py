"""HTTP/1.1 protocol: uvicorn's, with problem details for malformed requests."""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emoscope.errors import RequestError
from emoscope.server.http.schemas import PROBLEM_TYPE, problem_of

EXPECTED = "HTTP/1.1 (RFC 9112), headers ≤ 64 KiB"


class ProblemProtocol(H11Protocol):
    """HTTP protocol that answers malformed requests with problem details."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words, in English only
        """Answer a request that cannot be read, and close the connection."""
        body = (
            problem_of(RequestError("request_malformed", expected=EXPECTED))
            .model_dump_json()
            .encode()
        )
        headers = [
            ("content-type", PROBLEM_TYPE),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason="Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
