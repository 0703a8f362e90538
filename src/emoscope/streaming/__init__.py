"""Live sound: samples in as they come, events out; and their messages on the wire."""

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
