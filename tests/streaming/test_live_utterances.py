"""Utterances of live sound: told when they end, and those of the same sound as a file."""

from __future__ import annotations

import numpy as np
import pytest

from emoscope.audio.live_channels import Mixed
from emoscope.recognizer import Recognizer, load
from emoscope.results.utterances import UtteranceRules
from emoscope.streaming.messages import UtteranceMessage, of_event
from emoscope.streaming.stream import Finished, StreamEvent, StreamRecognizer, UtteranceEnded
from emoscope.waveform import RATE_HZ, Samples, Span, Waveform
from sounds import sample


def conversation(pause_s: float = 0.8) -> Samples:
    """Two sentences with a pause after each."""
    pause = np.zeros(round(pause_s * RATE_HZ), np.float32)
    spoken = ("happy_zh.wav", "angry_en.wav")
    return np.concatenate([part for name in spoken for part in (sample(name), pause)])


def play(stream: StreamRecognizer, sound: Samples, size: int) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    for first in range(0, len(sound), size):
        events += stream.feed(sound[first : first + size])
    return events + stream.finish()


def ended(events: list[StreamEvent]) -> list[UtteranceEnded]:
    return [event for event in events if isinstance(event, UtteranceEnded)]


@pytest.mark.parametrize("size", [160, 1_600, 50_000])
def test_any_portions_give_the_utterances_of_the_file(size: int) -> None:
    recognizer = load("compact", threads=1)
    sound = conversation()
    whole = recognizer.recognize(Waveform(sound), utterances=True, embedding=True)
    stream = StreamRecognizer(
        recognizer, granularity="utterance", embedding=True, utterances=True, step_s=9.0
    )
    events = play(stream, sound, size)

    last = events[-1]
    assert isinstance(last, Finished)
    assert len(whole.utterances) == 2
    assert tuple(event.utterance for event in ended(events)) == whole.utterances
    assert last.result.utterances == whole.utterances
    assert last.result.utterance_set is not None
    assert whole.utterance_set is not None
    assert last.result.utterance_set.cut == whole.utterance_set.cut
    np.testing.assert_array_equal(
        last.result.utterance_set.embeddings, whole.utterance_set.embeddings
    )
    assert last.result.steps[-1].name == "utterances"
    assert last.result.steps[-1].data == {"count": 2}


def test_an_utterance_is_told_soon_after_its_pause(fake_recognizer: Recognizer) -> None:
    rules = UtteranceRules(pause_s=0.5)
    stream = StreamRecognizer(fake_recognizer, utterances=rules)
    sound = conversation()
    told_s = [
        (first + 1_600) / RATE_HZ
        for first in range(0, len(sound), 1_600)
        if ended(stream.feed(sound[first : first + 1_600]))
    ]
    last = stream.finish()[-1]

    assert isinstance(last, Finished)
    first_end_s = last.result.utterances[0].end_s
    assert first_end_s < told_s[0] < first_end_s + rules.pause_s + 0.2
    assert told_s[0] < len(sample("happy_zh.wav")) / RATE_HZ + 0.8


def test_a_gap_of_the_medium_keeps_the_times(fake_recognizer: Recognizer) -> None:
    sound = conversation()
    border = len(sample("happy_zh.wav")) // 320 * 320
    gap = np.zeros(3 * RATE_HZ, np.float32)
    medium = np.concatenate([sound[:border], gap, sound[border:]])
    missing = (Span(border / RATE_HZ, border / RATE_HZ + 3.0),)
    whole = fake_recognizer.recognize(Waveform(medium, missing=missing), utterances=True)
    stream = StreamRecognizer(fake_recognizer, utterances=True)
    events = [*stream.feed(sound[:border]), *stream.miss(3.0), *stream.feed(sound[border:])]
    events += stream.finish()

    assert tuple(event.utterance for event in ended(events)) == whole.utterances
    assert whole.utterances[1].start_s > missing[0].end_s - 0.2


def test_a_result_about_other_samples_has_their_utterances(fake_recognizer: Recognizer) -> None:
    """Channels that cancel each other: the result is about the louder one."""
    stream = StreamRecognizer(fake_recognizer, utterances=True)
    stream.feed(np.zeros(RATE_HZ, np.float32))
    last = stream.finish(Mixed(samples=conversation()))[-1]

    assert isinstance(last, Finished)
    assert len(last.result.utterances) == 2


def test_without_being_asked_there_are_none(fake_recognizer: Recognizer) -> None:
    events = play(StreamRecognizer(fake_recognizer), conversation(), 16_000)

    assert ended(events) == []
    assert isinstance(events[-1], Finished)
    assert events[-1].result.utterance_set is None


def test_the_message_holds_the_utterance(fake_recognizer: Recognizer) -> None:
    stream = StreamRecognizer(fake_recognizer, utterances=True)
    event = ended(play(stream, conversation(), 16_000))[0]
    message = of_event(event)

    assert isinstance(message, UtteranceMessage)
    assert message.model_dump(mode="json") == {
        "type": "utterance",
        "utterance": event.utterance.to_dict(),
    }
