"""One file against a server that behaves, and misbehaves, as hubs do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emoscope.errors import (
    EmoscopeError,
    HubAnswerError,
    HubError,
    HubFileChangedError,
    HubNotFoundError,
    HubRefusedError,
    ModelDiskFullError,
)
from emoscope.hub.download import Downloader, FileRequest
from emoscope.hub.official import HubAccess
from emoscope.hub.progress import Downloading, PullEvent, Retrying
from emoscope.models.record import Fetched
from hub_server import COMMIT, Hub, compressed, cut, etag_of, other, silent, status, whole
from raising import raises_code

FILE = "model.pt"
Fetch = Callable[..., Fetched]


@pytest.fixture
def told() -> list[PullEvent]:
    return []


@pytest.fixture
def fetch(hub: Hub, network: HubAccess, tmp_path: Path, told: list[PullEvent]) -> Fetch:
    """Fetches the weights; by default nothing is known of them beforehand."""

    def run(*, pinned: bool = False, file: str = FILE, **wanted: object) -> Fetched:
        data = hub.files.get(file, b"")
        pin = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} if pinned else {}
        url = f"{hub.url}/a/b/resolve/1234abcd/{file}"
        known = {"hub": "Hugging Face", "url": url, "revision": "1234abcd", "path": file}
        downloader = network.downloader(network.patience, told.append)
        return downloader.fetch(FileRequest(**{**known, **pin, **wanted}), tmp_path)

    return run


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / f"{FILE}.part"


def begin(part: Path, data: bytes, etag: str = "") -> None:
    """Leave what a broken run leaves."""
    part.write_bytes(data)
    part.with_name(f"{part.name}.json").write_text(json.dumps({"etag": etag}), "utf-8")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    fetched = fetch(pinned=True)

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]
    assert fetched.checked_against == "catalog"
    assert left(tmp_path) == [FILE]


def test_progress_is_told_up_to_the_last_byte(fetch: Fetch, told: list[PullEvent]) -> None:
    fetch()

    moves = [event for event in told if isinstance(event, Downloading)]
    assert moves[0].done_bytes == 0
    assert moves[-1].done_bytes == moves[-1].total_bytes == 300_000


def test_without_a_pin_the_hubs_own_sha256_counts(fetch: Fetch) -> None:
    fetched = fetch()

    assert fetched.checked_against == "hub"
    assert fetched.commit == COMMIT


def test_a_small_file_is_checked_against_its_git_identity(fetch: Fetch, hub: Hub) -> None:
    assert fetch(file="config.yaml").checked_against == "hub"

    hub.faults["tokens.txt"] = [other(b"else", **{"ETag": f'"{"0" * 40}"', "X-Repo-Commit": "1"})]
    with pytest.raises(HubFileChangedError, match="git sha1"):
        fetch(file="tokens.txt")


def test_what_nobody_vouched_for_is_recorded_as_that(fetch: Fetch, hub: Hub) -> None:
    fetched = fetch(url=f"{hub.url}/models/a/b/resolve/v9/{FILE}")

    assert fetched.checked_against == "nothing"
    assert fetched.file.sha256 == hashlib.sha256(hub.files[FILE]).hexdigest()


def test_a_cut_connection_is_resumed(fetch: Fetch, hub: Hub, naps: list[float]) -> None:
    hub.faults[FILE] = [cut(100_000), cut(100_000)]

    fetch(pinned=True)

    assert [asked for _, asked, _ in hub.asked] == ["", "bytes=100000-", "bytes=200000-"]
    assert naps == [1, 1]  # progress was made, so the waits do not grow


def test_waits_grow_while_nothing_comes(fetch: Fetch, hub: Hub, naps: list[float]) -> None:
    hub.faults[FILE] = [status(500), status(502), cut(0), status(503)]

    fetch(pinned=True)

    assert naps == [1, 2, 4, 8]


def test_a_hub_that_stays_down_is_given_up_and_the_part_kept(
    fetch: Fetch, hub: Hub, part: Path
) -> None:
    hub.faults[FILE] = [cut(100_000), *[status(500)] * 5]

    with raises_code("hub_unreachable", match="HTTP 500"):
        fetch(pinned=True)

    assert part.stat().st_size == 100_000


def test_a_later_run_goes_on(fetch: Fetch, hub: Hub, part: Path, tmp_path: Path) -> None:
    begin(part, hub.files[FILE][:123_456])

    fetch(pinned=True)

    assert hub.asked == [(FILE, "bytes=123456-", "")]
    assert left(tmp_path) == [FILE]


def test_without_a_pin_resuming_needs_the_same_etag(fetch: Fetch, hub: Hub, part: Path) -> None:
    etag = etag_of(hub.files[FILE])
    begin(part, hub.files[FILE][:1000], etag)

    fetch()

    assert hub.asked == [(FILE, "bytes=1000-", etag)]


def test_a_changed_etag_starts_anew(fetch: Fetch, hub: Hub, part: Path, tmp_path: Path) -> None:
    begin(part, b"of another file", '"old"')

    fetch()

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]


def test_an_etag_that_changes_in_the_middle_starts_anew(
    fetch: Fetch, hub: Hub, tmp_path: Path
) -> None:
    def changed(request):
        cut(100_000)(request)
        hub.files[FILE] = bytes(300_000)

    hub.faults[FILE] = [changed]

    fetch()

    assert (tmp_path / FILE).read_bytes() == bytes(300_000)


def test_a_weak_etag_is_no_ground_for_resuming(fetch: Fetch, hub: Hub, part: Path) -> None:
    begin(part, b"something", 'W/"weak"')

    fetch()

    assert hub.asked == [(FILE, "", "")]


def test_a_server_that_ignores_ranges_sends_all_again(
    fetch: Fetch, hub: Hub, part: Path, tmp_path: Path
) -> None:
    begin(part, hub.files[FILE][:1000])
    hub.faults[FILE] = [whole]

    fetch(pinned=True)

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]


def test_the_wrong_part_is_not_taken(fetch: Fetch, hub: Hub, part: Path, tmp_path: Path) -> None:
    begin(part, hub.files[FILE][:1000])
    shifted = {"Content-Range": "bytes 999-299999/300000"}
    hub.faults[FILE] = [lambda request: request.say(206, bytes(299_001), **shifted)]

    fetch(pinned=True)

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]


def test_a_part_longer_than_the_file_is_thrown_away(
    fetch: Fetch, hub: Hub, part: Path, tmp_path: Path
) -> None:
    begin(part, bytes(400_000))

    fetch(pinned=True)

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]


@pytest.mark.parametrize("pinned", [True, False])
def test_a_run_that_ended_before_the_check_is_finished(
    fetch: Fetch, hub: Hub, part: Path, pinned: bool
) -> None:
    begin(part, hub.files[FILE], etag_of(hub.files[FILE]))

    fetched = fetch(pinned=pinned)

    assert fetched.file.sha256 == hashlib.sha256(hub.files[FILE]).hexdigest()
    assert hub.times(FILE) == (0 if pinned else 1)


def test_a_damaged_part_costs_one_fresh_download(
    fetch: Fetch, hub: Hub, part: Path, tmp_path: Path
) -> None:
    begin(part, bytes(1000))

    fetch(pinned=True)

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]
    assert hub.times(FILE) == 2


def test_wrong_bytes_are_refused_and_removed(fetch: Fetch, hub: Hub, tmp_path: Path) -> None:
    hub.faults[FILE] = [other(bytes(300_000))] * 2

    with pytest.raises(HubFileChangedError, match="sha256"):
        fetch(pinned=True)

    assert left(tmp_path) == []
    assert hub.times(FILE) == 1


def test_a_wrong_length_is_refused_before_the_body(
    fetch: Fetch, hub: Hub, told: list[PullEvent], tmp_path: Path
) -> None:
    hub.faults[FILE] = [other(bytes(299_999))]

    with pytest.raises(HubFileChangedError, match="299999"):
        fetch(pinned=True)

    assert not told
    assert left(tmp_path) == []


def test_a_hub_that_announces_another_sha256_is_refused_before_the_body(
    fetch: Fetch, told: list[PullEvent]
) -> None:
    with pytest.raises(HubFileChangedError, match="sha256"):
        fetch(bytes=300_000, sha256="0" * 64)

    assert not told


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (404, HubNotFoundError),
        (410, HubNotFoundError),
        (401, HubRefusedError),
        (403, HubRefusedError),
        (418, HubAnswerError),
    ],
)
def test_a_final_answer_is_not_asked_for_again(
    fetch: Fetch, hub: Hub, code: int, error: type[HubError]
) -> None:
    hub.faults[FILE] = [status(code)]

    with pytest.raises(error):
        fetch(pinned=True)

    assert hub.times(FILE) == 1


def test_retry_after_is_honoured(fetch: Fetch, hub: Hub, naps: list[float]) -> None:
    hub.faults[FILE] = [status(429, **{"Retry-After": "17"})]

    fetch(pinned=True)

    assert naps == [17]


def test_retry_after_may_be_a_date(fetch: Fetch, hub: Hub, naps: list[float]) -> None:
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    hub.faults[FILE] = [status(429, **{"Retry-After": past})]

    fetch(pinned=True)

    assert naps == [0]


def test_too_long_a_wait_is_not_waited(fetch: Fetch, hub: Hub, naps: list[float]) -> None:
    hub.faults[FILE] = [status(429, **{"Retry-After": "3600"})]

    with raises_code("hub_busy", match="3600 s"):
        fetch(pinned=True)

    assert not naps


def test_silence_counts_as_a_cut(
    hub: Hub, network: HubAccess, told: list[PullEvent], tmp_path: Path
) -> None:
    hub.faults[FILE] = [silent(3)]
    impatient = replace(network.patience, timeout_s=0.5)
    url = f"{hub.url}/a/b/resolve/main/{FILE}"
    sha256 = hashlib.sha256(hub.files[FILE]).hexdigest()

    network.downloader(impatient, told.append).fetch(
        FileRequest("Hugging Face", url, "main", FILE, 300_000, sha256), tmp_path
    )

    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]
    again = next(event for event in told if isinstance(event, Retrying))
    assert "timed out" in str(again.error)
    assert hub.asked[1] == (FILE, "bytes=150000-", "")


def test_nobody_at_the_address(fetch: Fetch, naps: list[float]) -> None:
    with raises_code("hub_unreachable", match="refused"):
        fetch(url="http://127.0.0.1:9/x/model.pt")

    assert naps == [1, 2, 4, 8]


def test_gzip_is_refused(fetch: Fetch, hub: Hub) -> None:
    hub.faults[FILE] = [compressed]

    with pytest.raises(HubAnswerError, match="compressed"):
        fetch()


def test_a_web_page_is_refused(fetch: Fetch, hub: Hub) -> None:
    page = {"Content-Type": "text/html; charset=utf-8"}
    hub.faults[FILE] = [lambda request: request.say(200, b"<html>log in</html>", **page)]

    with pytest.raises(HubAnswerError, match="web page"):
        fetch()


def test_a_body_without_an_end_is_refused(fetch: Fetch, hub: Hub) -> None:
    def endless(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"who knows")
        request.close_connection = True

    hub.faults[FILE] = [endless]

    with pytest.raises(HubAnswerError, match="how long"):
        fetch()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "/loop"])
def test_forbidden_redirects_are_not_followed(fetch: Fetch, hub: Hub, target: str) -> None:
    if target == "/loop":
        target = f"/storage/{FILE}"
    hub.faults[FILE] = [status(302, Location=target)] * 20

    with pytest.raises(HubAnswerError, match="redirect"):
        fetch(pinned=True)


def test_a_full_disk_is_seen_before_the_body(
    hub: Hub, tmp_path: Path, told: list[PullEvent]
) -> None:
    downloader = Downloader(listener=told.append, free_bytes=lambda _: 299_999)
    wanted = FileRequest("Hugging Face", f"{hub.url}/a/b/resolve/main/{FILE}", "main", FILE)

    with pytest.raises(ModelDiskFullError):
        downloader.fetch(wanted, tmp_path)

    assert not told


def test_every_refusal_speaks_both_languages(fetch: Fetch, hub: Hub) -> None:
    for fault in (status(404), status(403), status(429, **{"Retry-After": "999"}), compressed):
        hub.faults[FILE] = [fault]
        with pytest.raises(EmoscopeError) as caught:
            fetch()
        assert "Hugging Face" in caught.value.detail_zh
        assert "Hugging Face" in caught.value.detail_en
