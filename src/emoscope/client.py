"""Client of an Emoscope server, on the standard library alone.

    with Client("http://127.0.0.1:7860") as client:
        answer = client.recognize("speech.wav", granularity="frame")
        print(answer.result.emotion.title, answer.run)

Results are of the same type that ``emoscope.recognize`` returns, without the embedding, which
``client.embedding(run)`` fetches.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

import numpy as np

from emoscope.errors import EmoscopeError, RequestFailedError, ServerUnreachableError
from emoscope.paths.access import opened
from emoscope.paths.choices import Granularity
from emoscope.paths.names import sendable_name
from emoscope.results.result import Failure, Result
from emoscope.waveform import Array32

ClientSource: TypeAlias = bytes | str | os.PathLike[str]
"""The bytes of a file, or its path on this machine."""

_BUSY = (429, 503)
_ENDED = ("succeeded", "failed", "cancelled")
_WAIT_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """A result, and the name of the run that the server stored."""

    result: Result
    run: str
    """Empty where the server keeps nothing."""


class Client:
    """A connection to one server. Not safe in several threads.

    Args:
        url: the server's address, with the path that a proxy puts before it.
        key: an API key; none by default.
        timeout_s: longest wait in seconds for the server to send something.
        attempts: requests to a busy server, each after the time that it names in ``Retry-After``.

    Raises:
        ValueError: ``url`` is no http or https address.
    """

    def __init__(
        self, url: str, *, key: str = "", timeout_s: float = 180.0, attempts: int = 5
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"no http address: {url!r}")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._line = kind(parts.hostname, parts.port, timeout=timeout_s)
        self._path = parts.path.rstrip("/")
        self._headers = {"X-API-Key": key} if key else {}
        self._attempts = attempts

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close the connection."""
        self._line.close()

    def recognize(
        self,
        source: ClientSource,
        *,
        granularity: Granularity = "utterance",
        embedding: bool = False,
        utterances: bool = False,
    ) -> ServerAnswer:
        """Recognize one recording.

        Args:
            source: the bytes of a file, or its path on this machine.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            embedding: have the server keep the frame embeddings; see ``embedding``.
            utterances: recognize each utterance between two pauses alone as well.

        Raises:
            SourceNotFoundError: there is no such file.
            SourceError: the system refuses to read it.
            RequestFailedError: the server refused it; ``data`` has the code and both sentences.
            ServerUnreachableError: the server did not answer.
        """
        (answer,) = self.recognize_many(
            [source], granularity=granularity, embedding=embedding, utterances=utterances
        )
        if isinstance(answer, Failure):
            raise answer.error
        return answer

    def recognize_many(
        self,
        sources: Iterable[ClientSource],
        *,
        granularity: Granularity = "utterance",
        embedding: bool = False,
        utterances: bool = False,
    ) -> list[ServerAnswer | Failure]:
        """Recognize several recordings in one request.

        Args:
            sources: each the bytes of a file, or its path on this machine.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            embedding: have the server keep the frame embeddings; see ``embedding``.
            utterances: recognize each utterance between two pauses alone as well.

        Returns:
            One answer or failure per source, in the order of ``sources``.

        Raises:
            RequestFailedError: the request as a whole was refused.
            ServerUnreachableError: the server did not answer.
        """
        files = [_read(source) for source in sources]
        sent = [file for file in files if isinstance(file, _File)]
        if files and not sent:  # there is nothing to ask about
            return [file for file in files if isinstance(file, Failure)]
        options = {"granularity": granularity, "embedding": embedding, "utterances": utterances}
        body, kind = _form(sent, options)
        try:
            reply = self._json("POST", "/v1/recognitions", body, {"Content-Type": kind})
            answers = map(_answer, reply["recognitions"])
        except RequestFailedError as error:
            if len(files) == 1 or len(sent) > 1:
                raise
            # A server refuses a bad recording that is sent alone; here others were asked about.
            answers = map(Failure, [sent[0].name], [error])
        return [file if isinstance(file, Failure) else next(answers) for file in files]

    def submit(
        self,
        sources: Iterable[ClientSource],
        *,
        granularity: Granularity = "utterance",
        embedding: bool = False,
        utterances: bool = False,
        idempotency_key: str = "",
    ) -> str:
        """Queue a job and return its id.

        Args:
            sources: each the bytes of a file, or its path on this machine.
            granularity: ``frame`` adds the track of 20 ms rows, the segments and their summary.
            embedding: have the server keep the frame embeddings; see ``embedding``.
            utterances: recognize each utterance between two pauses alone as well.
            idempotency_key: the same key gives the same job, however often it is sent; by default
                a new one each time.

        Raises:
            SourceNotFoundError: one of the files is not there.
            SourceError: the system refuses to read one of them.
            RequestFailedError: the server refused the job.
            ServerUnreachableError: the server did not answer.
        """
        files = [_read(source) for source in sources]
        if failure := next((file for file in files if isinstance(file, Failure)), None):
            raise failure.error
        sent = [file for file in files if isinstance(file, _File)]
        options = {"granularity": granularity, "embedding": embedding, "utterances": utterances}
        body, kind = _form(sent, options)
        headers = {"Content-Type": kind, "Idempotency-Key": idempotency_key or secrets.token_hex(8)}
        return str(self._json("POST", "/v1/jobs", body, headers)["id"])

    def job(self, job: str) -> dict[str, Any]:
        """Return how far a job is, as ``GET /v1/jobs/{job}`` has it."""
        found: dict[str, Any] = self._json("GET", f"/v1/jobs/{quote(job, safe='')}")
        return found

    def wait(self, job: str, *, every_s: float = 0.5) -> Iterator[dict[str, Any]]:
        """Yield how far a job is until it has ended."""
        while True:
            now = self.job(job)
            yield now
            if now["state"] in _ENDED:
                return
            time.sleep(every_s)

    def cancel(self, job: str) -> None:
        """Cancel a job; what was answered stays."""
        self._json("POST", f"/v1/jobs/{quote(job, safe='')}/cancel")

    def runs(self, *, search: str = "") -> Iterator[dict[str, Any]]:
        """Yield the lines of the list of runs, newest first, page after page."""
        first: int | None = 0
        while first is not None:
            query = urlencode({"search": search, "first": first, "count": 100})
            page = self._json("GET", f"/v1/recognitions?{query}")
            yield from page["recognitions"]
            first = page["next"]

    def run(self, run: str) -> ServerAnswer:
        """Return a run that the server keeps."""
        record = self._json("GET", f"/v1/recognitions/{quote(run, safe='')}")
        return ServerAnswer(_result(record), run)

    def file(self, run: str, file: str) -> bytes:
        """Return a file of a run, such as ``processed_audio.wav``."""
        path = f"/v1/recognitions/{quote(run, safe='')}/files/{quote(file, safe='')}"
        return self._ask("GET", path, b"", {})

    def embedding(self, run: str) -> Array32:
        """Return the embedding of a run, shape ``(T, D)``."""
        data = io.BytesIO(self.file(run, "embedding.npy"))
        vectors: Array32 = np.load(data, allow_pickle=False)
        return vectors

    def delete(self, run: str) -> None:
        """Delete a run and all of its files."""
        self._ask("DELETE", f"/v1/recognitions/{quote(run, safe='')}", b"", {})

    def _json(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Any:
        return json.loads(self._ask(method, path, body, headers or {}))

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        """Ask until the server is not busy."""
        for attempt in range(1, self._attempts + 1):
            reply, data = self._once(method, path, body, headers)
            if reply.status < 400:
                return data
            wait_s = reply.headers.get("Retry-After", "")
            if reply.status in _BUSY and wait_s.isdigit() and attempt < self._attempts:
                time.sleep(min(float(wait_s), _WAIT_MAX_S))
                continue
            raise _error(reply.status, data)
        raise AssertionError  # the last attempt returns or raises

    def _once(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        fresh = self._line.sock is None
        try:
            self._line.request(method, self._path + path, body or None, self._headers | headers)
            reply = self._line.getresponse()
            return reply, reply.read()
        except (OSError, http.client.HTTPException) as exc:
            self._line.close()
            # A server may close a connection that was kept; only what is safe is asked again.
            if not fresh and method == "GET":
                return self._once(method, path, body, headers)
            reason = str(exc) or type(exc).__name__
            raise ServerUnreachableError(
                "server_unreachable", host=self._line.host, reason=reason
            ) from exc


@dataclass(frozen=True, slots=True)
class _File:
    """A recording to upload, and its name."""

    data: bytes
    name: str


def _read(source: ClientSource) -> _File | Failure:
    if isinstance(source, bytes):
        return _File(source, "audio")
    name = Path(source).name
    try:
        with opened(source) as file:
            return _File(file.read(), name)
    except EmoscopeError as error:
        return Failure(name, error)


def _form(files: Iterable[_File], options: Mapping[str, str | bool]) -> tuple[bytes, str]:
    """Return the body of a multipart form, and its content type; what is False is left out."""
    border = secrets.token_hex(16)
    body = bytearray()
    for field, value in options.items():
        if value is False:
            continue
        value = "true" if value is True else value
        body += f"--{border}\r\nContent-Disposition: form-data; ".encode()
        body += f'name="{field}"\r\n\r\n{value}\r\n'.encode()
    for file in files:
        plain = sendable_name(file.name).replace('"', "%22")
        body += f"--{border}\r\nContent-Disposition: form-data; ".encode()
        body += f'name="audio"; filename="{plain}"\r\n'.encode()
        body += b"Content-Type: application/octet-stream\r\n\r\n" + file.data + b"\r\n"
    body += f"--{border}--\r\n".encode()
    return bytes(body), f"multipart/form-data; boundary={border}"


def _answer(record: dict[str, Any]) -> ServerAnswer | Failure:
    if "problem" in record:
        return Failure(record["name"], _from_problem(record["problem"]))
    return ServerAnswer(_result(record), record["run"])


def _result(record: dict[str, Any]) -> Result:
    """Read a reply, which has two keys more than ``result.json``."""
    return Result.from_dict({k: v for k, v in record.items() if k not in ("run", "files")})


def _error(status: int, data: bytes) -> RequestFailedError:
    try:
        return _from_problem(json.loads(data))
    except (ValueError, KeyError, TypeError):  # not one of our servers, or a proxy before it
        said = data[:200].decode("utf-8", "replace")
        return RequestFailedError(
            status=status, server_code="", detail_zh=said or "?", detail_en=said or "?"
        )


def _from_problem(problem: dict[str, Any]) -> RequestFailedError:
    return RequestFailedError(
        status=problem["status"],
        server_code=problem["code"],
        detail_zh=problem["detail_zh"],
        detail_en=problem["detail_en"],
    )
