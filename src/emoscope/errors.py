"""Errors: the root, its groups, and the table of their codes.

A class exists where a caller catches it, or where it is another standard error; every other
distinction is a code of its group, as in ``AudioError("audio_damaged")``. Each class is also the
standard error of its kind, so ``except FileNotFoundError`` is right without having read this page.
Codes never change meaning. Their sentences, and what each front end adds to them, stand in
``emoscope.messages``.

* EmoscopeError
  - InputError                              the same input will fail again
    + AudioError (ValueError)               the sound itself
      x AudioSilentError
      x AudioTooLargeError
    + SourceError (OSError)                 a file, a folder or a microphone
      x SourceNotFoundError (FileNotFoundError)
    + SourceTypeError (TypeError)           an object that is no recording
    + ListError (ValueError)                a list of recordings
    + ResultError (ValueError)              results that cannot be used this way
    + HeadError (ValueError)                a head of own classes, or what it shall learn from
    + VectorIndexError (ValueError)         an index of vectors
    + RequestError (ValueError)             the request around the sound
      x AccessError (PermissionError)
      x StreamIdleError (TimeoutError)
      x StreamNotFoundError (LookupError)
  - ModelError                              a model cannot be used
    + ModelUnknownError (LookupError)
    + ModelMissingError (FileNotFoundError)
    + ModelInvalidError (ValueError)
      x CheckpointError                     official weights
      x TokensError                         official names of the classes
    + ModelRunError (RuntimeError)
    + DeviceUnavailableError (RuntimeError)
    + ModelPullError (ConnectionError)
    + ModelCacheError (OSError)
    + ModelDiskFullError (OSError)
    + ModelBusyError (TimeoutError)
    + HubError (OSError)                    one hub did not deliver one file
      x HubNotFoundError (FileNotFoundError)
      x HubRefusedError (PermissionError)
      x HubUnreachableError (ConnectionError)
      x HubAnswerError (ValueError)
      x HubFileChangedError (ValueError)
  - StoreError (OSError)                    a run folder cannot be written or read
    + RunNotFoundError
    + RunDamagedError
  - BatchStoppedError (RuntimeError)        a batch that ended before its end
  - DecoderError (RuntimeError)             the decoding process of a server was lost
    + DecoderTimeoutError (TimeoutError)
  - ServiceError (RuntimeError)             not now; another time the same may succeed
    + BusyError
    + ServerClosingError
    + ServiceTimeoutError (TimeoutError)
    + CancelledError
  - ClientError (RuntimeError)              a client did not get what it asked for
    + RequestFailedError
    + ServerUnreachableError (ConnectionError)
  - SettingError (ValueError)
    + SettingsFileError
  - ExtraMissingError (ImportError)         an optional package is not installed
    + PackageMissingError                   no extra installs it
  - InternalError (RuntimeError)            a defect of Emoscope; the log has the details
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Literal, NamedTuple, Protocol, Self


class Sentences(Protocol):
    """A sentence in both languages, which fills its own gaps."""

    @property
    def zh(self) -> str:
        """In Chinese, with named gaps."""

    @property
    def en(self) -> str:
        """In English, with the same gaps."""

    def __call__(self, language: Literal["zh", "en"], **data: object) -> str:
        """Return the sentence with its gaps filled."""


class ErrorCode(NamedTuple):
    """A row of the table of codes: the class that carries the code, and its two sentences."""

    kind: type[EmoscopeError]
    text: Sentences

    @property
    def zh(self) -> str:
        """The sentence in Chinese, with its gaps open."""
        return self.text.zh

    @property
    def en(self) -> str:
        """The sentence in English, with its gaps open."""
        return self.text.en

    @property
    def gaps(self) -> set[str]:
        """Names of the values that the two sentences need."""
        parts = [*Formatter().parse(self.zh), *Formatter().parse(self.en)]
        return {name for _, name, _, _ in parts if name}


_CODES: dict[str, ErrorCode] = {}


def register(code: str, kind: type[EmoscopeError], text: Sentences) -> None:
    """Enter a code into the table; ``emoscope.messages.errors`` does so for all of them.

    Args:
        code: a snake_case name that never changes its meaning.
        kind: the only class that may carry the code.
        text: the sentences with the same named gaps; a reason in words is ``reason_zh`` in the
            Chinese one and ``reason_en`` in the English one.
    """
    _CODES[code] = ErrorCode(kind, text)


def all_codes() -> Mapping[str, ErrorCode]:
    """Return the table of codes, in the order of the tree."""
    return dict(_CODES)


def restore(code: str, data: object) -> EmoscopeError | None:
    """Return the error of a record that was stored or sent, or None when it is none of ours.

    Args:
        code: of the error.
        data: its values by name; other names than the sentences have make the record unusable.
    """
    row = _CODES.get(code)
    if row is None or not isinstance(data, dict) or data.keys() != row.gaps:
        return None
    return row.kind(code, **data)


class EmoscopeError(Exception):
    """The root of all errors.

    Args:
        code: one of the codes of this class; may be left out when there is only one.
        **data: exactly the values that the code's sentences name; a missing or a surplus one is a
            ``TypeError``, as is the code of another class, so a slip cannot pass unseen.
    """

    def __init__(self, code: str | None = None, /, **data: object) -> None:
        if code is None:
            own = [name for name, row in _CODES.items() if row.kind is type(self)]
            if len(own) != 1:
                raise TypeError(f"{type(self).__name__} needs one of its codes: {own}")
            code = own[0]
        row = _CODES.get(code)
        if row is None or row.kind is not type(self):
            raise TypeError(f"{type(self).__name__} has no code {code!r}")
        if row.gaps != data.keys():
            raise TypeError(
                f"{type(self).__name__} {code!r} takes {sorted(row.gaps)}, not {sorted(data)}"
            )
        self.code = code
        self.data = data
        super().__init__(row.text("en", **data))

    def detail(self, language: Literal["zh", "en"]) -> str:
        """Return the sentence in a language."""
        return _CODES[self.code].text(language, **self.data)

    @property
    def detail_zh(self) -> str:
        """The sentence in Chinese."""
        return self.detail("zh")

    @property
    def detail_en(self) -> str:
        """The sentence in English."""
        return self.detail("en")

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the class with the finished sentence as its only argument.
        return _rebuild, (type(self), self.code, self.data)


def _rebuild(kind: type[EmoscopeError], code: str, data: dict[str, object]) -> EmoscopeError:
    return kind(code, **data)


class InputError(EmoscopeError):
    """The input cannot be used; the same input will fail again."""


class AudioError(InputError, ValueError):
    """The sound cannot be used."""


class AudioSilentError(AudioError):
    """No sample lies above the level of digital silence."""


class AudioTooLargeError(AudioError):
    """The file has more bytes than ``Limits.max_bytes``."""


class SourceError(InputError, OSError):
    """A file, a folder or a microphone cannot be read."""


class SourceNotFoundError(SourceError, FileNotFoundError):
    """There is no file at this path, or no recording in this folder or list."""


class SourceTypeError(InputError, TypeError):
    """An object of a program that is no recording, or one recording instead of a list."""


class ListError(InputError, ValueError):
    """A line of a list of recordings cannot be used; the other lines can."""


class ResultError(InputError, ValueError):
    """Results that cannot be drawn or exported in the way that was asked for."""


class HeadError(InputError, ValueError):
    """A head cannot be used, or cannot be trained on what was given."""


class VectorIndexError(InputError, ValueError):
    """An index of vectors that is not there, damaged, or not fit for what was asked."""


class RequestError(InputError, ValueError):
    """The request around the sound cannot be used."""


class AccessError(RequestError, PermissionError):
    """A request without a valid key, or with one that lacks a right."""


class StreamIdleError(RequestError, TimeoutError):
    """A live stream is open and sends nothing."""


class StreamNotFoundError(RequestError, LookupError):
    """There is no live stream to resume under this name."""


class ModelError(EmoscopeError):
    """A model cannot be used."""


class ModelUnknownError(ModelError, LookupError):
    """A model that is neither a catalogued name nor a folder."""


class ModelMissingError(ModelError, FileNotFoundError):
    """A model, a variant of it, or one of its files is not on this machine."""


class ModelInvalidError(ModelError, ValueError):
    """A model whose files are damaged, changed, or unfit for what was asked."""


class CheckpointError(ModelInvalidError):
    """A file of official weights cannot be used."""


class TokensError(ModelInvalidError):
    """A ``tokens.txt`` with other classes than the nine."""


class ModelRunError(ModelError, RuntimeError):
    """The runtime failed in the middle of a run."""


class DeviceUnavailableError(ModelError, RuntimeError):
    """The device that was asked for cannot run the model."""


class ModelPullError(ModelError, ConnectionError):
    """No hub delivered the files of a model."""


class ModelCacheError(ModelError, OSError):
    """The folder for fetched models cannot be read or written."""


class ModelDiskFullError(ModelError, OSError):
    """The disk has no room for a model; nothing was written."""


class ModelBusyError(ModelError, TimeoutError):
    """Another process is fetching or removing this model."""


class HubError(ModelError, OSError):
    """One hub did not deliver one file."""


class HubNotFoundError(HubError, FileNotFoundError):
    """HTTP 404 or 410."""


class HubRefusedError(HubError, PermissionError):
    """HTTP 401 or 403."""


class HubUnreachableError(HubError, ConnectionError):
    """No connection, a cut one, a silent one, HTTP 5xx, or HTTP 429 for too long."""


class HubAnswerError(HubError, ValueError):
    """An answer that is not accepted: a web page, a compressed body, a forbidden redirect."""


class HubFileChangedError(HubError, ValueError):
    """Other bytes than the catalog or the hub promised; they were thrown away."""


class StoreError(EmoscopeError, OSError):
    """A run folder cannot be written or read."""


class RunNotFoundError(StoreError):
    """There is no such run, or no such file in it."""


class RunDamagedError(StoreError):
    """A ``result.json`` that this version cannot read."""


class BatchStoppedError(EmoscopeError, RuntimeError):
    """A batch that ended before its end; what is written stays, and the next run goes on."""


class DecoderError(EmoscopeError, RuntimeError):
    """The decoding process ended over this recording: a fault, or more memory than it may have."""


class DecoderTimeoutError(DecoderError, TimeoutError):
    """Decoding took longer than it may."""


class ServiceError(EmoscopeError, RuntimeError):
    """The service does not do it, or not now; the same request may succeed another time."""


class BusyError(ServiceError):
    """As many requests wait as the service is willing to keep."""

    limit = "queue"
    """What is full: ``queue``, ``uploads``, ``upload_bytes``, ``jobs`` or ``streams``."""

    def at(self, limit: str) -> Self:
        """Return this error with what is full."""
        self.limit = limit
        return self


class ServerClosingError(ServiceError):
    """The server finishes what it has accepted and then ends."""


class ServiceTimeoutError(ServiceError, TimeoutError):
    """A request, or the upload of its body, took longer than it may."""


class CancelledError(ServiceError):
    """The client no longer waits for the answer."""


class ClientError(EmoscopeError, RuntimeError):
    """A client of a server did not get what it asked for."""


class RequestFailedError(ClientError):
    """The server refused; ``data`` has its status, its code and both of its sentences."""


class ServerUnreachableError(ClientError, ConnectionError):
    """No server answers at this address."""


class SettingError(EmoscopeError, ValueError):
    """A setting or an argument cannot be used."""


class SettingsFileError(SettingError):
    """The settings file cannot be read."""


class ExtraMissingError(EmoscopeError, ImportError):
    """An optional package is not installed."""


class PackageMissingError(ExtraMissingError):
    """An optional package that no extra installs is not installed."""


class InternalError(EmoscopeError, RuntimeError):
    """A defect of Emoscope that a front end has to report; the log has the details."""
