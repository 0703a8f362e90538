"""One description of a result: the same bytes as before, and files of other versions are read."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from emoscope.labels import EMOTIONS, SILENCE
from emoscope.outputs.writing import write_json_lines
from emoscope.results.activity import Channel
from emoscope.results.quality import Quality
from emoscope.results.result import ModelRef, Result
from emoscope.results.segments import Segment
from emoscope.results.summary import Transition
from emoscope.waveform import Span

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
"""Written when each type had converters of its own."""
ADDED_LATER = {
    "quality": ("silence_share", "speech_dbfs", "dc_offset", "band_is_cut"),
    "model": ("precision", "agreement", "device"),
}


def written(result: Result) -> bytes:
    file = io.BytesIO()
    write_json_lines(file, result.to_dict())
    return file.getvalue()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_result_is_written_byte_for_byte_as_before(path: Path) -> None:
    before = path.read_bytes()
    again = written(Result.from_dict(json.loads(before)))

    # The embedding lies in a file of its own, so what was read has none.
    assert again == before.replace(b'{"shape": [74, 512], "dtype": "float32"}', b"null")


def test_the_golden_files_hold_every_kind_of_value() -> None:
    frame, utterance = (json.loads(path.read_text("utf-8")) for path in GOLDEN)

    assert all(value not in (None, [], {}) for value in frame.values())
    assert frame["source"]["name"] == "a\udcff 你.wav"
    assert {"data" in step for step in frame["log"]} == {True, False}
    assert utterance["frames"] is utterance["channel"] is utterance["label_set"] is None


def test_files_without_later_keys_and_with_unknown_ones_are_read() -> None:
    data = json.loads(GOLDEN[0].read_text("utf-8"))
    for key in ("medium", "channel", "label_set", "confidence_calibrated"):
        del data[key]
    for part, keys in ADDED_LATER.items():
        for key in keys:
            del data[part][key]
        data[part]["of a later version"] = 1

    read = Result.from_dict({**data, "of a later version": 1})

    assert (read.missing, read.channel, read.calibrated) == ((), None, None)
    assert (read.model.precision, read.model.device) == ("exact", "cpu")
    assert read.quality.silence_share == 0


@pytest.mark.parametrize(
    ("part", "key", "message"),
    [
        ("quality", "peak", r"quality\.peak: Field required"),
        ("scores", "sad", "scores: .*cannot be read: KeyError"),
        ("source", "name", r"source\.name: Field required"),
    ],
)
def test_a_damaged_file_is_refused_by_the_key_that_is_wrong(
    part: str, key: str, message: str
) -> None:
    data = json.loads(GOLDEN[0].read_text("utf-8"))
    del data[part][key]

    with pytest.raises(ValueError, match=message):
        Result.from_dict(data)


def test_names_in_json_may_differ_from_those_in_python() -> None:
    transition = Transition(1.5, EMOTIONS[0], EMOTIONS[3])

    assert transition.to_dict() == {"at_s": 1.5, "from": "angry", "to": "happy"}
    assert Transition.from_dict(transition.to_dict()) == transition


def test_a_segment_is_a_span_with_a_label() -> None:
    silence = Segment(0.5, 1.0, SILENCE, 0.0)

    assert silence.to_dict() == {"start_s": 0.5, "end_s": 1.0, "emotion": "silence", "score": None}
    assert silence.span == Span(0.5, 1.0)
    assert Segment.from_dict(silence.to_dict()).emotion is SILENCE
    with pytest.raises(ValueError, match="runs forward"):
        Segment.from_dict({**silence.to_dict(), "end_s": 0.1})


def test_what_passes_a_bound_by_a_hair_is_written_and_read() -> None:
    channel = Channel(1, 1, math.nextafter(1.0, 2.0), 0.0)

    assert Channel.from_dict(channel.to_dict()) == channel


def test_nan_is_left_for_the_writer_to_refuse() -> None:
    quality = Quality(math.nan, 0.5, 0.0, 40.0, 8000.0, 0.8)

    assert math.isnan(quality.to_dict()["level_dbfs"])


def test_importing_the_types_of_a_result_imports_no_pydantic() -> None:
    code = "import emoscope.recognizer, sys; sys.exit('pydantic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reference_to_a_model_shows_its_agreement_as_it_was_given() -> None:
    given = ModelRef("m", "1", "0" * 64, "int8", {"clips": 5})

    assert ModelRef.from_dict(given.to_dict()) == given
