"""Live recognition: stream recognizer and its JSON messages."""

from __future__ import annotations

from emoscope.streaming.stream import (
    Finished,
    FramesHeard,
    SegmentClosed,
    SegmentOpened,
    SpeechEnded,
    SpeechStarted,
    StreamEvent,
    StreamRecognizer,
)

__all__ = [
    "Finished",
    "FramesHeard",
    "SegmentClosed",
    "SegmentOpened",
    "SpeechEnded",
    "SpeechStarted",
    "StreamEvent",
    "StreamRecognizer",
]
