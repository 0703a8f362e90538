"""Structured logging: text or JSON lines with request ids.

No content of a request enters a log: no sound, no name of a file, no query, no key. The standard
library writes one JSON object a line in thirty lines of code, so no other logger is needed.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from emoscope.paths.choices import LogForm

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_FIELDS = "fields"


def fields(**values: Any) -> dict[str, dict[str, Any]]:
    """Return ``extra=`` for a log call: values that stand beside the message."""
    return {_FIELDS: values}


class JsonFormatter(logging.Formatter):
    """Formatter: one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if REQUEST_ID.get():
            line["request_id"] = REQUEST_ID.get()
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Formatter: plain text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        more = " ".join(f"{key}={value}" for key, value in getattr(record, _FIELDS, {}).items())
        request = f" [{REQUEST_ID.get()}]" if REQUEST_ID.get() else ""
        line = f"{time} {record.levelname.lower()}{request} {record.getMessage()} {more}".rstrip()
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        return line


def set_up_logging(form: LogForm, stream: TextIO | None = None) -> None:
    """Send what the package logs to standard error; ``off`` leaves warnings and errors."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logger = logging.getLogger("emoscope")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.WARNING if form == "off" else logging.INFO)
    logger.propagate = False
    # It writes a line about every malformed body: clients could fill the disk.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def log_failure(code: str, detail: str) -> bool:
    """Log why the program ends, where lines are JSON; say whether they are.

    Args:
        code: code of the error.
        detail: its sentence.
    """
    logger = logging.getLogger("emoscope")
    if not any(isinstance(one.formatter, JsonFormatter) for one in logger.handlers):
        return False
    logger.error("the program ends", extra=fields(code=code, detail=detail))
    return True


def log_libraries_too() -> None:
    """Send warnings of libraries, of Python and of lost threads where the package's lines go.

    For a program of ours alone: it changes the root logger of the process.
    """
    root = logging.getLogger()
    root.handlers[:] = logging.getLogger("emoscope").handlers
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_lost_thread


def _log_lost_thread(lost: threading.ExceptHookArgs) -> None:
    if lost.exc_type is not SystemExit:
        name = lost.thread.name if lost.thread else "?"
        logging.getLogger("emoscope").error("the thread %s ended", name, exc_info=lost.exc_value)
