"""Standard output and standard error: encodings and broken pipes.

What programs read (JSON, CSV, exports, paths) goes through ``write`` and is UTF-8 in every locale.
What people read goes through ``print``, rich and typer; characters that the stream's encoding does
not have are replaced there, so that no name and no emoji ends a command after its work.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from emoscope.errors import StoreError
from emoscope.files import translated_os_errors

REPLACE = "emoscope.replace"
"""Name of the error handler: ``?`` for a character, ``\\udcff`` for a byte that is no UTF-8."""
ASCII = "emoscope-ascii"
"""ASCII under another name: what typer prints would be UTF-8 on a stream that is called ASCII."""


def set_up_streams() -> None:
    """Make both streams replace what they cannot show; a closed one swallows what is written.

    So does a standard error that cannot be written: an answer is worth more than a remark on it.
    """
    codecs.register_error(REPLACE, _replaced)
    codecs.register(_plain_ascii)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller, or a program without a console
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif isinstance(stream, io.TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=ASCII if is_ascii else None, errors=REPLACE)
    if isinstance(sys.stderr, io.TextIOWrapper):
        _never_fail(sys.stderr)


def write(data: str | bytes) -> None:
    """Write what a program reads to standard output, at once: bytes as they are, text as UTF-8.

    A byte of a name that is no UTF-8 is written as JSON writes it, and reads back.

    Raises:
        BrokenPipeError: the reader has gone.
        StoreError: standard output is a file on a full disk.
        StoreError: it cannot be written for another reason.
    """
    made = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    with _told():
        sys.stdout.flush()
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:  # a stream of text only, as in a notebook
            sys.stdout.write(made.decode("utf-8", "replace"))
        else:
            binary.write(made)
        sys.stdout.flush()


def flush() -> None:
    """Write what still waits in standard output.

    Raises:
        BrokenPipeError: the reader of standard output has gone.
        StoreError: standard output cannot be written.
    """
    with _told():
        sys.stdout.flush()


def drop() -> None:
    """Forget what could not be written, so that the interpreter does not try again at its end."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        return
    _send_nowhere(sys.stdout)


def is_reader_gone(error: BaseException | None) -> bool:
    """Whether an error, or the one before it, says that the reader of standard output has gone."""
    before = error and error.__context__
    return any(isinstance(one, OSError) and one.errno == errno.EPIPE for one in (error, before))


def _send_nowhere(stream: TextIO) -> None:
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _never_fail(stream: io.TextIOWrapper) -> None:
    """Let what a stream cannot write vanish, now and at the end of the interpreter."""
    write, flush = stream.write, stream.flush

    def write_or_drop(text: str) -> int:
        try:
            return write(text)
        except OSError:
            _send_nowhere(stream)
            return len(text)

    def flush_or_drop() -> None:
        try:
            flush()
        except OSError:
            _send_nowhere(stream)

    stream.write, stream.flush = write_or_drop, flush_or_drop  # type: ignore[method-assign]


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the system says into ours; that the reader has gone is no error of ours."""
    try:
        with translated_os_errors("stdout"):
            yield
    except StoreError as error:
        if is_reader_gone(error):
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        raise


def _replaced(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding does not have; a byte that is no UTF-8 keeps its number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(
        f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else "?" for char in wrong
    ), error.end


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    if name not in (ASCII, ASCII.replace("-", "_")):
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(
        known.encode,
        known.decode,
        known.streamreader,
        known.streamwriter,
        known.incrementalencoder,
        known.incrementaldecoder,
        name=ASCII,
    )
