from __future__ import annotations

import hashlib
import io
from email.message import Message
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from emoscope.errors import SettingError
from emoscope.hub import transport
from emoscope.hub.headers import hub_statement, retry_after_s
from emoscope.models import catalog
from emoscope.models.sources import HubSource, RemoteFile, endpoint
from hub_server import NINE

FILE = RemoteFile("model.pt")


def headers(**values: str) -> Message:
    message = Message()
    for name, value in values.items():
        message[name.replace("_", "-")] = value
    return message


def test_addresses_are_those_of_the_hubs() -> None:
    hf, ms = HubSource("hf", "a/b", "main", ()), HubSource("ms", "c/d", "v1", ())

    assert hf.url(FILE, {}) == "https://huggingface.co/a/b/resolve/main/model.pt"
    assert ms.url(FILE, {}) == "https://www.modelscope.cn/models/c/d/resolve/v1/model.pt"


def test_a_mirror_takes_the_place_of_a_hub() -> None:
    mirror = {"HF_ENDPOINT": "https://mirror.example/hf/"}

    url = HubSource("hf", "a/b", "main", ()).url(FILE, mirror)

    assert url == "https://mirror.example/hf/a/b/resolve/main/model.pt"


def test_one_file_may_have_a_revision_of_its_own() -> None:
    source = HubSource("hf", "a/b", "v1", ())

    assert "/resolve/v2/" in source.url(RemoteFile("tokens.txt", revision="v2"), {})


@pytest.mark.parametrize("address", ["ftp://x", "file:///x", "mirror.example", "https://"])
def test_a_mirror_must_be_http(address: str) -> None:
    with pytest.raises(SettingError, match="HF_ENDPOINT"):
        endpoint("hf", {"HF_ENDPOINT": address})


def test_the_pinned_token_file_is_the_one_with_nine_classes() -> None:
    for source in catalog.catalog_entry(catalog.LARGE).sources:
        (pin,) = [file for file in source.files if file.path == "tokens.txt"]
        assert (pin.bytes, pin.sha256) == (119, hashlib.sha256(NINE.encode()).hexdigest())


def test_https_never_becomes_http() -> None:
    redirects = transport._Redirects()
    request = Request("https://hub.example/x")

    with pytest.raises(HTTPError, match="refused") as caught:
        redirects.redirect_request(
            request, io.BytesIO(), 302, "Found", headers(), "http://hub.example/x"
        )
    caught.value.close()

    onwards = redirects.redirect_request(
        request, io.BytesIO(), 302, "Found", headers(), "https://cdn.example/x"
    )
    assert onwards is not None


def test_only_a_marked_answer_is_the_hubs_word() -> None:
    digest = "a" * 64

    assert hub_statement([headers(ETag=f'"{digest}"')]).digest == ""
    assert hub_statement([headers(ETag=f'W/"{digest}"', X_Repo_Commit="c")]).digest == digest
    assert hub_statement([headers(X_Linked_ETag=f'"{digest}"', X_Linked_Size="7")]).bytes == 7
    assert hub_statement([headers(ETag='"no-hex"', X_Repo_Commit="c")]).digest == ""


@pytest.mark.parametrize("value", ["", "soon", "-3"])
def test_a_retry_after_that_makes_no_sense_is_none(value: str) -> None:
    assert retry_after_s(headers(Retry_After=value)) is None
