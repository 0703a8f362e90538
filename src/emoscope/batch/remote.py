"""Object storage and web addresses through fsspec: bounded retries, and errors as ours.

What this covers: an operation that fails for a cut connection, an answer of 5xx or 429, or silence
is tried again after a growing pause, each attempt with a time limit of its own; long objects are
read in ranges, so that a cut connection costs one range. What it does not: an object that is
replaced while it is read may give parts of both; replace objects by new names.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from emoscope.errors import (
    EmoscopeError,
    ExtraMissingError,
    SettingError,
    SourceError,
    SourceNotFoundError,
    StoreError,
)
from emoscope.messages.reasons import reason
from emoscope.optional import require

SEPARATOR = "://"
RANGE_BYTES = 4 << 20
"""Bytes of one ranged read: a cut connection costs no more than this again."""
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub"}
"""What fsspec imports for a scheme; ``s3fs`` comes with the extra ``cloud``."""
_REFUSED = {401, 403}
_AGAIN = {408, 425, 429}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}
"""Names of errors of the vendors' libraries for credentials that are not there."""
_CUT = {"ConnectionError", "HTTPClientError", "ClientError", "IncompleteRead", "HttpError"}
"""Names of classes of errors of connections that are no ``OSError``."""


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """Attempts, pauses and time limits of operations on object storage."""

    attempts: int = 5
    first_wait_s: float = 0.3
    """Pause after the first failure; doubled after each further one, and shortened by chance."""
    longest_wait_s: float = 10.0
    attempt_s: float = 60.0
    """Time limit of one attempt: a range that comes more slowly is asked for again."""
    least_bytes_per_s: float = 100_000.0
    """Rate that lengthens this limit for what is long."""
    silence_s: float = 20.0
    """Longest silence of a connection."""


STORAGE_POLICY = StoragePolicy()


def is_address(text: str) -> bool:
    """Whether a text is an address such as ``s3://bucket/folder``, and not a path."""
    scheme, separator, rest = text.partition(SEPARATOR)
    return bool(separator and rest) and scheme.replace("+", "").isalnum() and len(scheme) > 1


class RemoteFiles:
    """File system of one scheme, connected at the first use in each process.

    Args:
        address: any address of it; only its scheme counts.
        policy: attempts, pauses and time limits.
    """

    def __init__(self, address: str, policy: StoragePolicy = STORAGE_POLICY) -> None:
        self._scheme = address.partition(SEPARATOR)[0].lower()
        self._policy = policy
        self._system: Any = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the connection behind: another process makes its own."""
        return {**self.__dict__, "_system": None}

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written: web servers only give."""
        return self._scheme in ("http", "https")

    def system(self) -> Any:
        """Return fsspec's file system.

        Raises:
            ExtraMissingError: fsspec or s3fs is not installed.
            SettingError: the scheme is unknown, or its package is not installed.
        """
        if self._system is None:
            self._system = _connected(require("fsspec", extra="cloud"), self._scheme, self._policy)
        return self._system

    def call(
        self, address: str, name: str, *args: object, moved_bytes: int = 0, **kwargs: object
    ) -> Any:
        """Call an operation of the file system, with retries.

        Args:
            address: what it is about, for the sentence of an error.
            name: of the method, such as ``cat_file``.
            args: of the method; its address, too.
            moved_bytes: bytes that are sent or received, which lengthen the limit of an attempt.
            kwargs: of the method.

        Raises:
            FileNotFoundError: there is no such object.
            FileExistsError: there is one, and it was to be new.
            SourceError: access was refused, or all attempts failed.
        """
        system, policy = self.system(), self._policy
        limit_s = policy.attempt_s + moved_bytes / policy.least_bytes_per_s
        failed: BaseException | None = None
        for attempt in range(policy.attempts):
            if attempt:
                longest_s = min(policy.first_wait_s * 2 ** (attempt - 1), policy.longest_wait_s)
                time.sleep(longest_s * random.uniform(0.5, 1))  # noqa: S311 - spreads retries
            try:
                return _attempt(system, name, limit_s, *args, **kwargs)
            except Exception as exc:
                failed = _failure(exc)
                if isinstance(failed, FileNotFoundError | FileExistsError):
                    raise
                if _is_refusal(failed):
                    raise SourceError(
                        "address_refused", address=address, reason=_said(failed)
                    ) from exc
                if not _may_pass(failed):
                    raise _unreachable(address, attempt + 1, failed) from exc
        raise _unreachable(address, policy.attempts, failed) from failed

    def info(self, address: str) -> Mapping[str, Any]:
        """Return what is known of an object: at least its ``type``, and its ``size`` or None.

        Raises:
            SourceNotFoundError: there is no such object.
            SourceError: access was refused, or all attempts failed.
        """
        try:
            found: Mapping[str, Any] = self.call(address, "info", address)
        except FileNotFoundError as exc:
            raise SourceNotFoundError("source_not_found", name=address) from exc
        return found

    def range(self, address: str, start: int, end: int) -> bytes:
        """Return a range of an object.

        Args:
            address: of the object.
            start: first byte.
            end: byte after the last one; not behind the end of the object.

        Raises:
            SourceNotFoundError: there is no such object.
            SourceError: access was refused, or all attempts failed.
        """
        if end <= start:
            return b""
        for _ in range(2):
            try:
                data = bytes(self.call(address, "cat_file", address, start=start, end=end))
            except FileNotFoundError as exc:
                raise SourceNotFoundError("source_not_found", name=address) from exc
            if len(data) == end - start:
                return data
        raise SourceError(
            "address_unreachable",
            address=address,
            attempts=2,
            **reason("other_length", found=len(data), expected=end - start),
        )


class RangedReader(io.RawIOBase):
    """Read-only file over ranges of an object, with a buffer of one range.

    Args:
        files: the file system.
        address: of the object.
        size_bytes: of the object.
    """

    def __init__(self, files: RemoteFiles, address: str, size_bytes: int) -> None:
        super().__init__()
        self._files, self._address, self._size = files, address, size_bytes
        self._at = 0
        self._held, self._held_at = b"", 0

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can be moved in: always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, counted from the begin, from here, or from the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what follows; return the number of bytes, 0 at the end."""
        if self._at >= self._size:
            return 0
        at = self._at - self._held_at
        if not 0 <= at < len(self._held):
            end = min(self._size, self._at + RANGE_BYTES)
            self._held = self._files.range(self._address, self._at, end)
            self._held_at, at = self._at, 0
        part = self._held[at : at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _attempt(system: Any, name: str, limit_s: float, *args: object, **kwargs: object) -> Any:
    """Call once, with a time limit where the file system is asynchronous."""
    coroutine = getattr(system, f"_{name}", None)
    if not getattr(system, "async_impl", False) or coroutine is None:
        return getattr(system, name)(*args, **kwargs)
    asyn = require("fsspec.asyn", extra="cloud")
    return asyn.sync(system.loop, coroutine, *args, timeout=limit_s, **kwargs)


def _connected(fsspec: ModuleType, scheme: str, policy: StoragePolicy) -> Any:
    options: dict[str, object] = {}
    if scheme in ("s3", "s3a"):
        config = {"connect_timeout": policy.silence_s, "read_timeout": policy.silence_s}
        options["config_kwargs"] = {**config, "retries": {"max_attempts": 1}}
    elif scheme in ("http", "https"):
        options["client_kwargs"] = {"trust_env": True}
    # Listings are read afresh: other workers write into the same folder.
    options["use_listings_cache"] = False
    try:
        return fsspec.filesystem(scheme, **options)
    except ImportError as exc:
        package = _PACKAGES.get(scheme, scheme)
        if package == "s3fs":
            raise ExtraMissingError(package=package, extra="cloud") from exc
        raise SettingError("address_package_missing", scheme=scheme, package=package) from exc
    except ValueError as exc:
        raise SettingError("address_scheme_unknown", scheme=scheme) from exc


def _failure(exc: BaseException) -> BaseException:
    """What really happened: fsspec says of any trouble with a web server that nothing is there."""
    cause = exc.__cause__
    if not isinstance(exc, FileNotFoundError) or cause is None:
        return exc
    if isinstance(cause, FileNotFoundError):
        return exc
    return cause if _may_pass(cause) or _is_refusal(cause) else exc


def _is_refusal(exc: BaseException) -> bool:
    names = {kind.__name__ for kind in type(exc).__mro__}
    return (
        isinstance(exc, PermissionError)
        or bool(names & _NO_CREDENTIALS)
        or (_status(exc) in _REFUSED)
    )


def _may_pass(exc: BaseException) -> bool:
    """Whether another attempt may succeed: connections, silence, 5xx and 429."""
    status = _status(exc)
    if status:
        return status >= 500 or status in _AGAIN
    names = {kind.__name__ for kind in type(exc).__mro__}
    return isinstance(exc, OSError | TimeoutError | EOFError) or bool(names & _CUT)


def _status(exc: BaseException) -> int:
    """HTTP status of an error of aiohttp, botocore or requests; 0 where it has none."""
    for one in (exc, exc.__cause__):
        answer = getattr(one, "response", None)
        if isinstance(answer, dict):
            return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        for holder in (one, answer):
            for name in ("status", "status_code", "code"):
                value = getattr(holder, name, None)
                if isinstance(value, int):
                    return value
    return 0


def _said(exc: BaseException | None) -> str:
    """What an error says, in one short line."""
    text = " ".join(str(exc).split()) or type(exc).__name__
    return text if len(text) <= 200 else text[:199] + "…"


def _unreachable(address: str, attempts: int, exc: BaseException | None) -> SourceError:
    said = _said(exc)
    return SourceError(
        "address_unreachable",
        address=address,
        attempts=attempts,
        reason_zh=said,
        reason_en=said,
    )


def as_output_error(error: EmoscopeError) -> EmoscopeError:
    """Return the error of a place that is written to for one of a source that is read."""
    codes = {"address_refused": "output_refused", "address_unreachable": "output_unreachable"}
    if error.code not in codes:
        return error
    return StoreError(codes[error.code], **error.data)
