"""``emoscope stream`` and ``emoscope listen``: live recognition, here or by a server."""

from __future__ import annotations

import json
import math
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from rich.console import Console

from emoscope.audio.missing import Gap, in_portions
from emoscope.cli.model import open_model
from emoscope.cli.show import emotion_name
from emoscope.cli.streams import write
from emoscope.errors import ClientError, ServerUnreachableError, SourceError
from emoscope.labels import SILENCE, by_key
from emoscope.limits import Limits
from emoscope.messages.languages import Language
from emoscope.messages.texts import TERMINAL
from emoscope.messages.trust import abstention
from emoscope.optional import require
from emoscope.paths.names import sendable_name
from emoscope.results.utterances import UtteranceRules
from emoscope.settings import Settings, language_of
from emoscope.waveform import RATE_HZ, Samples

Message: TypeAlias = dict[str, Any]
"""As a server sends it; see docs/streaming.md."""

PORTION_S = 0.1
"""Sound handed over at once."""


class StreamSession(Protocol):
    """Protocol of a live session: samples in, messages out; local or remote."""

    def feed(self, samples: Samples) -> list[Message]:
        """Take mono float32; return what is known by now."""

    def miss(self, gap: Gap) -> list[Message]:
        """Take note of time without sound; return what is known by now."""

    def finish(self) -> Iterator[Message]:
        """Say that there is no more; give everything that is left."""


@dataclass(frozen=True, slots=True)
class Show:
    """Output format of messages."""

    language: Language
    as_json: bool

    def __call__(self, message: Message) -> None:
        """Write one message to stdout.

        Raises:
            ClientError: it is an error.
        """
        if self.as_json:
            write(json.dumps(message, ensure_ascii=False) + "\n")
        if message["type"] == "error":
            sentence = message[f"detail_{self.language}"]
            raise ClientError(reason=message["code"], sentence=sentence)
        line = None if self.as_json else self._line(message)
        if line is not None:
            Console().print(line, markup=False, highlight=False, soft_wrap=True)

    def _line(self, message: Message) -> str | None:
        kind = message["type"]
        if kind == "segment_opened":
            name = emotion_name(by_key(message["emotion"]), self.language)
            return f"{message['start_s']:8.2f} s  {name}"
        if kind == "speech_ended":
            return f"{message['at_s']:8.2f} s  {emotion_name(SILENCE, self.language)}"
        if kind == "utterance":
            return self._utterance(message["utterance"])
        if kind == "result":
            result = message["result"]
            name = emotion_name(by_key(result["emotion"]), self.language)
            text = TERMINAL["live_answer"]
            return text(
                self.language,
                emotion=name,
                percent=100 * result["confidence"],
                duration_s=result["duration_s"],
            )
        return None

    def _utterance(self, one: Message) -> str:
        span = f"{one['start_s']:8.2f}–{one['end_s']:.2f} s"
        if one["abstain"]:
            return f"{span}  {abstention(one['abstain'], self.language)}"
        name = emotion_name(by_key(one["emotion"]), self.language)
        return f"{span}  {name} {100 * one['confidence']:.1f}%"


def run_file(
    path: Path,
    settings: Settings,
    *,
    url: str | None,
    key: str | None = None,
    fast: bool,
    as_json: bool,
    utterances: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Replay a recording as live sound and print what is recognized meanwhile.

    Args:
        path: the recording.
        settings: model, limits and language.
        url: server that recognizes, with the path that a proxy puts before it; None for this
            machine.
        key: API key of the server; none by default.
        fast: do not wait as long as the sound takes.
        as_json: print one JSON event a line.
        utterances: recognize each utterance alone as well, and print it when it ends.
        clock: seconds; tells how much sound has been spoken.
        sleep: waits so many seconds.

    Raises:
        EmoscopeError: the recording, the model or the server failed.
    """
    from emoscope.audio.decode import decode_of_any_length

    waveform = decode_of_any_length(path, limits=settings.file_limits)
    size = round(PORTION_S * RATE_HZ)

    def portions() -> Iterator[Samples | Gap]:
        started_s, given_s = clock(), 0.0
        for portion in in_portions(waveform, size):
            given_s += portion.duration_s if isinstance(portion, Gap) else len(portion) / RATE_HZ
            # In whole portions, as a microphone gives them.
            spoken_s = math.ceil(given_s / PORTION_S - 1e-6) * PORTION_S
            ahead_s = spoken_s - (clock() - started_s)
            if not fast and ahead_s > 0:
                sleep(ahead_s)  # sound is there when it has been spoken
            yield portion

    with _session(settings, url, key, RATE_HZ, path.name, utterances) as session:
        _pump(portions(), session, Show(language_of(settings.language), as_json))


def run_microphone(
    settings: Settings,
    *,
    url: str | None,
    key: str | None = None,
    seconds: float | None,
    as_json: bool,
    utterances: bool = False,
) -> None:
    """Recognize the sound of this machine's microphone until Ctrl+C.

    Args:
        settings: model, limits and language.
        url: server that recognizes, with the path that a proxy puts before it; None for this
            machine.
        key: API key of the server; none by default.
        seconds: seconds after which to stop; None for no end.
        as_json: print one JSON event a line.
        utterances: recognize each utterance alone as well, and print it when it ends.

    Raises:
        SourceError: there is none, or it cannot be opened.
        ExtraMissingError: the extra ``listen`` is not installed.
    """
    with (
        _microphone(seconds) as (rate_hz, portions),
        _session(settings, url, key, rate_hz, "microphone", utterances) as session,
    ):
        _pump(portions, session, Show(language_of(settings.language), as_json))


def _pump(portions: Iterator[Samples | Gap], session: StreamSession, show: Show) -> None:
    try:
        for portion in portions:
            found = session.miss(portion) if isinstance(portion, Gap) else session.feed(portion)
            for message in found:
                show(message)
    except KeyboardInterrupt:
        pass  # this is how one stops; the answer follows
    for message in session.finish():
        show(message)


def stream_address(url: str) -> str:
    """Return the address of live streams of a server.

    Args:
        url: the server's address, with the path that a proxy puts before it; or already that of
            its live streams.
    """
    address = url.rstrip("/")
    if address.lower().startswith("http"):
        address = f"ws{address[len('http') :]}"
    path = "/v1/stream"
    return address if address.endswith(path) else address + path


@contextmanager
def _session(
    settings: Settings, url: str | None, key: str | None, rate_hz: int, name: str, utterances: bool
) -> Iterator[StreamSession]:
    if url is None:
        yield _LocalSession(
            settings, rate_hz, name, settings.utterance_rules if utterances else False
        )
        return
    client = require("websockets.sync.client", extra="listen")
    address = stream_address(url)
    try:
        headers = {} if key is None else {"X-API-Key": key}
        socket = client.connect(address, max_size=1 << 24, additional_headers=headers)
    except (OSError, ValueError, require("websockets", extra="listen").WebSocketException) as exc:
        raise ServerUnreachableError("stream_unreachable", url=url, reason=str(exc)[:200]) from exc
    with socket:
        yield _RemoteSession(socket, rate_hz, name, utterances)


class _LocalSession:
    """Live session with a model in this process."""

    def __init__(
        self, settings: Settings, rate_hz: int, name: str, utterances: UtteranceRules | bool
    ) -> None:
        from emoscope.streaming.stream import StreamRecognizer

        limits = Limits(max_duration_s=settings.max_duration_s)
        recognizer = open_model(settings, limits).configured(heads=())  # heads need whole sound
        self._stream = StreamRecognizer(
            recognizer, rate_hz=rate_hz, name=name, utterances=utterances
        )

    def feed(self, samples: Samples) -> list[Message]:
        return _messages(self._stream.feed(samples))

    def miss(self, gap: Gap) -> list[Message]:
        return _messages(self._stream.miss(gap.duration_s))

    def finish(self) -> Iterator[Message]:
        from emoscope.streaming.stream import Finished

        events = self._stream.finish()
        yield from _messages(events)
        last = events[-1]
        if isinstance(last, Finished):
            yield {"type": "result", "result": {**last.result.to_dict(), "frames": None}}


def _messages(events: list[Any]) -> list[Message]:
    from emoscope.streaming.messages import of_event

    found = (of_event(event) for event in events)
    return [message.model_dump() for message in found if message is not None]


class _RemoteSession:
    """Live session with a server."""

    def __init__(self, socket: Any, rate_hz: int, name: str, utterances: bool) -> None:
        self._socket = socket
        start: Message = {"type": "start", "encoding": "pcm_f32le", "rate_hz": rate_hz}
        if utterances:  # an older server knows no such key
            start["utterances"] = True
        start["name"] = sendable_name(name)
        self._socket.send(json.dumps(start))

    def feed(self, samples: Samples) -> list[Message]:
        closed = require("websockets", extra="listen").ConnectionClosed
        found = []
        try:
            self._socket.send(samples.astype("<f4").tobytes())
            while True:
                found.append(json.loads(self._socket.recv(timeout=0)))
        except TimeoutError:
            return found
        except closed:
            # Why it was closed has been said before; ``finish`` finds it.
            return found

    def miss(self, gap: Gap) -> list[Message]:
        # Plain samples have no timestamps: silence keeps the time.
        return [message for (silence,) in gap.silence(1) for message in self.feed(silence)]

    def finish(self) -> Iterator[Message]:
        closed = require("websockets", extra="listen").ConnectionClosed
        with suppress(closed):  # then what was said before it can still be read
            self._socket.send('{"type": "end"}')
        with suppress(closed):
            while True:
                yield json.loads(self._socket.recv())


@contextmanager
def _microphone(seconds: float | None) -> Iterator[tuple[int, Iterator[Samples]]]:
    """Open the default microphone; gives its rate and blocks of samples."""
    try:
        sounddevice = require("sounddevice", extra="listen")
    except OSError as exc:  # the package is here, PortAudio is not
        raise SourceError("microphone_unavailable", reason=str(exc)[:200]) from exc
    recorded: queue.Queue[Samples] = queue.Queue()

    def keep(samples: Any, *_: object) -> None:
        recorded.put(np.array(samples[:, 0], np.float32))

    try:
        rate_hz = round(sounddevice.query_devices(kind="input")["default_samplerate"])
        stream = sounddevice.InputStream(
            samplerate=rate_hz, channels=1, blocksize=round(PORTION_S * rate_hz), callback=keep
        )
    except (sounddevice.PortAudioError, ValueError, OSError) as exc:
        raise SourceError("microphone_unavailable", reason=str(exc)[:200]) from exc

    def portions() -> Iterator[Samples]:
        taken = 0
        while seconds is None or taken < seconds * rate_hz:
            samples = recorded.get()
            taken += len(samples)
            yield samples

    with stream:
        yield rate_hz, portions()
