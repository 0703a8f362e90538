"""Bodies of requests: JSON, forms and plain bytes, their limits, and what is said of bad ones."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.backends.fake_backend import FakeBackend
from emoscope.errors import AudioTooLargeError, EmoscopeError
from emoscope.messages.units import file_size
from emoscope.outputs.store import RunStore
from emoscope.recognizer import Recognizer
from emoscope.results.result import ModelRef
from emoscope.server.app import create_app
from emoscope.server.http.body_spool import RecordingSpool
from emoscope.server.http.forms import FormReader
from emoscope.server.http.json_body import LONG_CHARS, JsonBodyReader
from emoscope.settings import Settings, load_settings
from raising import raises_code
from serving import serving
from sounds import noise, wav

pytestmark = pytest.mark.process

SHORT = wav(noise(0.5))
FILE_MAX, REQUEST_MAX, JOB_MAX = 20_000, 60_000, 90_000
ROUTES = {"/v1/recognitions": (200, REQUEST_MAX), "/v1/jobs": (202, JOB_MAX)}


@dataclass(frozen=True)
class Small:
    """A server with small limits."""

    client: httpx.Client
    outputs: Path

    def runs(self) -> set[Path]:
        return set(self.outputs.glob("outputs_*"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    outputs = tmp_path_factory.mktemp("bodies") / "outputs"
    settings = load_settings(
        outputs=outputs,
        upload_max_bytes=FILE_MAX,
        request_max_bytes=REQUEST_MAX,
        job_max_bytes=JOB_MAX,
    )
    with (
        serving(app_of(settings)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield Small(client, outputs)


def app_of(settings: Settings):
    recognizer = Recognizer(
        FakeBackend(), ModelRef("fake", "1", "0" * 64), limits=settings.upload_limits
    )
    return create_app(recognizer, RunStore(settings.outputs), settings, page=False)


def sound_of(size: int) -> bytes:
    """A WAV file of exactly so many bytes."""
    return SHORT + bytes(size - len(SHORT))


def as_json(*recordings: bytes, **more: Any) -> bytes:
    entries = [
        {"name": f"{place}.wav", "audio": base64.b64encode(data).decode()}
        for place, data in enumerate(recordings)
    ]
    return json.dumps({"recordings": entries, **more}).encode()


def as_form(*recordings: bytes, boundary: str = "border", field: str = "audio") -> bytes:
    body = b""
    for place, data in enumerate(recordings):
        head = f'Content-Disposition: form-data; name="{field}"; filename="{place}.wav"'
        body += f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=border"}
WAYS: dict[str, tuple[Callable[..., bytes], dict[str, str]]] = {
    "json": (as_json, JSON),
    "form": (as_form, FORM),
    "bytes": (lambda data: data, {"content-type": "audio/wav"}),
}


def code_of(reply: httpx.Response) -> str:
    assert reply.headers["content-type"] == "application/problem+json"
    return str(reply.json()["code"])


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("route", ROUTES)
def test_a_recording_may_be_as_large_as_documented_and_no_larger(
    small: Small, route: str, way: str
) -> None:
    make, headers = WAYS[way]

    exact = small.client.post(route, content=make(sound_of(FILE_MAX)), headers=headers)
    larger = small.client.post(route, content=make(sound_of(FILE_MAX + 1)), headers=headers)

    assert exact.status_code == ROUTES[route][0]
    assert (larger.status_code, code_of(larger)) == (413, "audio_too_large")
    assert f" {file_size(FILE_MAX)}. " in larger.json()["detail_en"]


@pytest.mark.parametrize("route", ["/predict", "/v1/recognitions", "/v1/jobs"])
def test_a_file_of_a_form_may_be_as_large_as_documented(small: Small, route: str) -> None:
    exact, larger, huge = (
        small.client.post(route, content=as_form(bytes(size)), headers=FORM)
        for size in (FILE_MAX, FILE_MAX + 1, 3 * FILE_MAX - 1_000)
    )

    assert exact.status_code in (202, 415)
    for reply in (larger, huge):
        assert (reply.status_code, code_of(reply)) == (413, "audio_too_large")
        assert f" {file_size(FILE_MAX)}. " in reply.json()["detail_en"]


@pytest.mark.parametrize("way", ["json", "form"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_request_may_be_as_large_as_documented_and_no_larger(
    small: Small, route: str, way: str
) -> None:
    make, headers = WAYS[way]
    status, most = ROUTES[route]
    recordings = [SHORT]
    while len(make(*recordings, SHORT)) <= most:
        recordings.append(SHORT)
    body = make(*recordings)
    exact = body + b" " * (most - len(body))

    taken = small.client.post(route, content=exact, headers=headers)
    chunked = small.client.post(route, content=iter([exact]), headers=headers)
    refused = small.client.post(route, content=exact + b" ", headers=headers)

    assert taken.status_code == chunked.status_code == status
    assert (refused.status_code, code_of(refused)) == (413, "request_too_large")
    assert f" {file_size(most)}. " in refused.json()["detail_en"]


@pytest.mark.parametrize("way", ["json", "form"])
def test_a_recording_that_is_too_large_is_refused_in_its_place(small: Small, way: str) -> None:
    make, headers = WAYS[way]
    body = make(SHORT, sound_of(FILE_MAX + 1))

    reply = small.client.post("/v1/recognitions", content=body, headers=headers)
    job = small.client.post("/v1/jobs", content=body, headers=headers)

    first, second = reply.json()["recognitions"]
    assert first["source"]["name"] == "0.wav"
    assert (second["name"], second["problem"]["code"]) == ("1.wav", "audio_too_large")
    assert job.status_code == 202
    done = ended(small.client, job.json()["id"])
    assert [one["state"] for one in done["recordings"]] == ["succeeded", "failed"]
    assert done["recordings"][1]["problem"]["code"] == "audio_too_large"
    lines = small.client.get(f"/v1/jobs/{job.json()['id']}/results.jsonl").text.splitlines()
    assert json.loads(lines[1])["error"]["code"] == "audio_too_large"


def ended(client: httpx.Client, job: str) -> dict[str, Any]:
    for _ in range(3_000):
        reply: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()
        if reply["state"] in ("succeeded", "failed"):
            return reply
    raise AssertionError(reply)


def test_the_default_limits_are_those_of_the_documents(tmp_path: Path) -> None:
    """Four recordings of 9 MB in base64: far over 13.3 MB, and under 50 MB."""
    settings = load_settings(outputs=tmp_path / "outputs")
    limits = settings.upload_max_bytes, settings.request_max_bytes, settings.job_max_bytes
    assert limits == (10_000_000, 50_000_000, 500_000_000)
    largest, rest = bytes(10_000_000), bytes(7_000_000)
    body = as_json(largest, largest, largest, rest)
    body = body.replace(b"{", b"{" + b" " * 40_000, 1)
    assert 49_000_000 < len(body) < 50_000_000
    with serving(app_of(settings)) as url, httpx.Client(base_url=url, timeout=120) as client:
        taken = client.post("/v1/recognitions", content=body, headers=JSON)
        larger = client.post("/v1/recognitions", content=body + b" " * 1_000_000, headers=JSON)
        one = as_json(largest + b"\0", rest)
        too_large = client.post("/v1/recognitions", content=one, headers=JSON)

    found = [answer["problem"]["code"] for answer in taken.json()["recognitions"]]
    assert (taken.status_code, found) == (200, ["audio_not_recognized"] * 4)
    assert (larger.status_code, code_of(larger)) == (413, "request_too_large")
    assert " 50 MB. " in larger.json()["detail_en"]
    codes = [answer["problem"]["code"] for answer in too_large.json()["recognitions"]]
    assert codes == ["audio_too_large", "audio_not_recognized"]


def test_a_large_json_body_needs_little_memory() -> None:
    piece = base64.b64encode(bytes(48 * 1024))
    head, between, tail = b'{"recordings": [{"audio": "', b'"}, {"audio": "', b'"}]}'
    tracemalloc.start()
    with RecordingSpool(max_bytes=10_000_000) as spool:
        reader = JsonBodyReader(spool, max_files=10)
        reader.feed(head)
        for _ in range(6):
            for _ in range(180):
                reader.feed(piece)
            reader.feed(between)
        reader.feed(tail)
        asked = reader.finish()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert [one.size for one in spool.recordings] == [180 * 48 * 1024] * 6
    assert len(asked["recordings"]) == 7
    assert peak < 4_000_000


# --- JSON -----------------------------------------------------------------------------------------


def _php(text: str) -> str:
    return text.replace("/", "\\/")


def _dot_net(text: str) -> str:
    return text.replace("+", "\\u002B").replace("=", "\\u003d")


def _wrapped(text: str) -> str:
    return "\\r\\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\\n"


def _data_url(text: str) -> str:
    return f"data:audio/webm;codecs=opus;base64,{text}"


STYLES = [str, _php, _dot_net, _wrapped, _data_url]
RECORDINGS = st.lists(
    st.tuples(
        st.text('a/\\"é好🙂\u0000 ', max_size=40), st.binary(max_size=3 * LONG_CHARS)
    ),
    max_size=4,
)  # fmt: skip


@given(RECORDINGS, st.sampled_from(STYLES), st.booleans(), st.integers(1, 5_000), st.booleans())
def test_json_is_read_as_json_loads_reads_it(
    recordings: list[tuple[str, bytes]],
    style: Callable[[str], str],
    is_ascii: bool,
    step: int,
    is_indented: bool,
) -> None:
    """However long the strings are, however they are escaped, wherever the pieces end."""
    texts = [base64.b64encode(data).decode() for _, data in recordings]
    asked = {"recordings": [{"name": name, "audio": "@"} for name, _ in recordings]}
    whole = json.dumps(asked, ensure_ascii=is_ascii, indent=2 if is_indented else None)
    for text in texts:
        whole = whole.replace('"audio": "@"', f'"audio": "{style(text)}"', 1)
    body = whole.encode()
    with RecordingSpool(max_bytes=None) as spool:
        reader = JsonBodyReader(spool, max_files=4)
        for at in range(0, len(body), step):
            reader.feed(body[at : at + step])
        found = reader.finish()["recordings"]

        assert [one["name"] for one in found] == [name for name, _ in recordings]
        for one, text, (_, data) in zip(found, texts, recordings, strict=True):
            place = reader.long_string(one["audio"])
            if len(style(text)) > LONG_CHARS:
                assert place is not None
                assert reader.is_base64(place)
                assert spool.recordings[place].data() == data
            else:
                assert place is None
                assert one["audio"] == json.loads(f'"{style(text)}"')


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_json_or_an_error_of_ours(body: bytes, step: int) -> None:
    with RecordingSpool(max_bytes=None) as spool:
        reader = JsonBodyReader(spool, max_files=1)
        try:
            for at in range(0, len(body), step):
                reader.feed(body[at : at + step])
            found = reader.finish()
        except EmoscopeError:
            return
    assert found == json.loads(body)


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(
    ("audio", "code"),
    [
        ("%%%%", "field_invalid"),
        ("AAA", "field_invalid"),
        ("AA==AAAA", "field_invalid"),
        ("AAAé", "field_invalid"),
        ("AA\\A", "field_invalid"),
        ("data:audio/wav,AAAA", "field_invalid"),
        ("AAAA", "audio_not_recognized"),
    ],
)
def test_what_is_no_base64_is_told_with_its_place(
    small: Small, audio: str, code: str, long: bool
) -> None:
    padded = audio + "A" * (4 * LONG_CHARS) if long and code != "field_invalid" else audio
    padded = "A" * (4 * LONG_CHARS) + audio if long and code == "field_invalid" else padded
    good = base64.b64encode(SHORT).decode()

    reply = small.client.post(
        "/v1/recognitions", json={"recordings": [{"audio": good}, {"audio": padded}]}
    )

    if code == "field_invalid":
        assert (reply.status_code, code_of(reply)) == (422, code)
        assert "recordings[1].audio" in reply.json()["detail_en"]
    else:
        assert reply.json()["recognitions"][1]["problem"]["code"] == code


@pytest.mark.parametrize(
    "body",
    [
        {"recordings": [{"audio": "AAAA", "name": "n" * 5_000}]},
        {"recordings": [{"audio": "AAAA"}], "granularity": "g" * 5_000},
        {"recordings": [{"audio": "AAAA", "x": 1}] * 40},
        {"recordings": [{"audio": "A" * 5_000}] * 40},
        {"r" * 5_000: 1},
    ],
)
def test_long_strings_in_other_places_are_refused(server, body: Any) -> None:
    reply = server.client.post("/v1/recognitions", json=body)

    assert 400 <= reply.status_code < 500
    assert code_of(reply) in ("field_invalid", "field_missing", "request_malformed")


def test_more_json_beside_the_recordings_than_is_needed_is_refused(server) -> None:
    body = b'{"recordings": [' + b"[" * 1_000_000

    reply = server.client.post("/v1/recognitions", content=body, headers=JSON)

    assert (reply.status_code, code_of(reply)) == (400, "request_malformed")


def test_json_that_ends_in_the_middle_is_told(small: Small) -> None:
    body = as_json(SHORT, SHORT)

    for cut in (1, 30, len(body) // 2, len(body) - 1):
        reply = small.client.post("/v1/recognitions", content=body[:cut], headers=JSON)
        assert (reply.status_code, code_of(reply)) == (400, "request_malformed")


# --- forms ----------------------------------------------------------------------------------------


def read_form(body: bytes, step: int = 1 << 16, max_bytes: int | None = None) -> list[bytes]:
    with RecordingSpool(max_bytes) as spool:
        form = FormReader(FORM["content-type"], spool, field="audio", max_files=3)
        for at in range(0, len(body), step):
            form.feed(body[at : at + step])
        form.finish()
        return [file.data() for file in form.files()]


PARTS = st.lists(st.binary(max_size=300).filter(lambda b: b"--border" not in b), min_size=1)


@given(PARTS.filter(lambda parts: len(parts) <= 3), st.integers(1, 200))
def test_a_form_is_read_whole_wherever_its_pieces_end(parts: list[bytes], step: int) -> None:
    assert read_form(as_form(*parts), step) == parts


@given(PARTS.filter(lambda parts: len(parts) <= 3), st.data())
def test_a_form_that_is_cut_off_anywhere_is_told(parts: list[bytes], data: st.DataObject) -> None:
    body = as_form(*parts)
    cut = data.draw(st.integers(0, len(body) - len("\r\n") - 1))

    with raises_code("form_broken_off"):
        read_form(body[:cut])


def test_a_file_that_is_too_large_takes_no_room_and_the_others_are_read() -> None:
    with RecordingSpool(max_bytes=10) as spool:
        form = FormReader(FORM["content-type"], spool, field="audio")
        form.feed(as_form(b"x" * 10, b"y" * 11, b"z" * 10))
        first, second, third = form.files()

        assert (first.data(), third.data()) == (b"x" * 10, b"z" * 10)
        with pytest.raises(AudioTooLargeError):
            second.data()
        assert third.start == 10


@pytest.mark.parametrize("route", ["/predict", "/v1/recognitions", "/v1/jobs"])
@pytest.mark.parametrize("chunked", [False, True])
def test_nothing_is_done_for_half_a_form(server, route: str, chunked: bool) -> None:
    before = set(server.outputs.glob("*"))
    body = as_form(SHORT)

    for cut in (0, 5, 60, 200, len(body) // 2, len(body) - 12, len(body) - 5, len(body) - 3):
        content = iter([body[:cut]]) if chunked else body[:cut]
        reply = server.client.post(route, content=content, headers=FORM)
        assert (reply.status_code, code_of(reply)) == (400, "form_broken_off"), cut

    assert set(server.outputs.glob("*")) == before


def test_the_line_break_after_the_last_boundary_may_be_missing(server) -> None:
    body = as_form(SHORT).removesuffix(b"\r\n")

    assert server.client.post("/predict", content=body, headers=FORM).status_code == 200


def test_a_file_sent_as_text_is_told(small: Small) -> None:
    body = as_form(SHORT).replace(b'; filename="0.wav"', b"")

    reply = small.client.post("/predict", content=body, headers=FORM)

    assert (reply.status_code, code_of(reply)) == (422, "field_invalid")
    assert "filename" in reply.json()["detail_en"]


# --- media types ----------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "audio/wav",
        "Audio/WAV",
        "audio/*",
        "audio/webm; codecs=opus",
        "video/webm",
        'Video/WebM; codecs="vp8, opus"',
        "video/mp4",
        "application/octet-stream",
        "Application/Octet-Stream; charset=binary",
        "binary/octet-stream",
        "application/ogg",
    ],
)
def test_any_type_of_sound_or_none_at_all_is_plain_bytes(
    small: Small, route: str, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}

    reply = small.client.post(f"{route}?name=a.webm", content=SHORT, headers=headers)

    assert reply.status_code == ROUTES[route][0]
    if route == "/v1/recognitions":
        assert reply.json()["recognitions"][0]["source"]["name"] == "a.webm"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "image/png", "multipart/mixed", "x"]
)
def test_another_type_is_told_what_to_send(small: Small, route: str, kind: str) -> None:
    reply = small.client.post(route, content=SHORT, headers={"content-type": kind})

    assert (reply.status_code, code_of(reply)) == (400, "request_malformed")
    for language in ("en", "zh"):
        sentence = reply.json()[f"detail_{language}"]
        assert '-H "Content-Type: audio/wav" --data-binary' in sentence
        assert "video/*" in sentence


@pytest.mark.parametrize("kind", ["audio/wav", "application/x-www-form-urlencoded", ""])
def test_predict_says_that_it_takes_a_form(small: Small, kind: str) -> None:
    reply = small.client.post("/predict", content=SHORT, headers={"content-type": kind})

    assert (reply.status_code, code_of(reply)) == (400, "request_malformed")
    assert "multipart/form-data; curl -F audio=@" in reply.json()["detail_en"]
