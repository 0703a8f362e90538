"""JSON messages of a live stream, in both directions.

The server sends them over ``/v1/stream``; ``emoscope stream`` and ``listen`` print the same ones
without a server, so this module needs nothing of the extra ``server``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from emoscope.labels import KEYS
from emoscope.limits import Limits
from emoscope.results.scores import softmax
from emoscope.results.segments import Segment
from emoscope.results.utterances import Utterance
from emoscope.streaming import stream
from emoscope.waveform import HOP_S

StreamEncoding: TypeAlias = Literal["pcm_s16le", "pcm_f32le", "webm", "ogg"]

_LIMITS = Limits()


class _Message(BaseModel):
    """Base of the messages."""

    model_config = ConfigDict(extra="forbid")


class Start(_Message):
    """The first message: what will be sent, as binary messages of any size."""

    type: Literal["start"]
    encoding: StreamEncoding = "pcm_s16le"
    rate_hz: int = Field(16_000, ge=_LIMITS.min_rate_hz, le=_LIMITS.max_rate_hz)
    """Of PCM; a container says it itself."""
    channels: int = Field(1, ge=1, le=_LIMITS.max_channels)
    """Of PCM, interleaved; they are averaged, or the louder one is taken where they cancel."""
    granularity: Literal["utterance", "frame"] = "frame"
    embedding: bool = False
    utterances: bool = False
    """Recognize each utterance alone as well, when a pause has ended it."""
    frames: bool = True
    """Send the rows of scores too."""
    name: str = "stream"


class Resume(_Message):
    """The first message after a lost connection."""

    type: Literal["resume"]
    session: str = Field(max_length=64)


class End(_Message):
    """End of the sound; asks for the result."""

    type: Literal["end"]


class Ping(_Message):
    """Keep-alive request."""

    type: Literal["ping"]


ClientMessage: TypeAlias = Annotated[Start | Resume | End | Ping, Field(discriminator="type")]
CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


class Ready(_Message):
    """The server accepts sound now."""

    type: Literal["ready"] = "ready"
    session: str
    """Name to resume under."""
    received_bytes: int
    """Go on after these when resuming."""
    max_duration_s: float
    max_message_bytes: int
    idle_s: float
    grace_s: float


class Pong(_Message):
    """Keep-alive reply."""

    type: Literal["pong"] = "pong"


class Frames(_Message):
    """Rows of scores, every 20 ms."""

    type: Literal["frames"] = "frames"
    start_s: float
    first_frame: int
    final: bool
    keys: list[str]
    scores: list[list[float]]
    speech: list[bool]


class Speech(_Message):
    """Speech begins or ends; provisional."""

    type: Literal["speech_started", "speech_ended"]
    at_s: float


class SegmentOpenedMessage(_Message):
    """Start of a segment; provisional."""

    type: Literal["segment_opened"] = "segment_opened"
    start_s: float
    emotion: str


class SegmentClosedMessage(_Message):
    """End of a segment; the final ones are those of the result."""

    type: Literal["segment_closed"] = "segment_closed"
    final: bool
    segment: Segment


class UtteranceMessage(_Message):
    """An utterance has ended: its own result, which will not change."""

    type: Literal["utterance"] = "utterance"
    utterance: Utterance


class ResultMessage(_Message):
    """``result.json`` without its rows, and where the run lies. The last message."""

    type: Literal["result"] = "result"
    result: dict[str, Any]
    run: str
    files: dict[str, str]


class ErrorMessage(_Message):
    """What went wrong. The last message, unless it is about one message of the client."""

    type: Literal["error"] = "error"
    code: str
    detail_zh: str
    detail_en: str


ServerMessage: TypeAlias = Annotated[
    Ready
    | Pong
    | Frames
    | Speech
    | SegmentOpenedMessage
    | SegmentClosedMessage
    | UtteranceMessage
    | ResultMessage
    | ErrorMessage,
    Field(discriminator="type"),
]
SERVER_MESSAGE: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def of_event(event: stream.StreamEvent) -> BaseModel | None:
    """Return the message of an event; the finished result has its own, with its run."""
    if isinstance(event, stream.FramesHeard):
        return Frames(
            start_s=event.first_frame * HOP_S,
            first_frame=event.first_frame,
            final=event.final,
            keys=list(KEYS),
            scores=softmax(event.logits).round(4).tolist(),
            speech=event.speech.tolist(),
        )
    if isinstance(event, stream.SpeechStarted):
        return Speech(type="speech_started", at_s=event.at_s)
    if isinstance(event, stream.SpeechEnded):
        return Speech(type="speech_ended", at_s=event.at_s)
    if isinstance(event, stream.SegmentOpened):
        return SegmentOpenedMessage(start_s=event.start_s, emotion=event.emotion.key)
    if isinstance(event, stream.SegmentClosed):
        return SegmentClosedMessage(final=event.final, segment=event.segment)
    if isinstance(event, stream.UtteranceEnded):
        return UtteranceMessage(utterance=event.utterance)
    return None
