"""Official model sources: hub repositories, revisions, sizes and sha256 of files.

A pin is a revision and, for each file, its size and sha256. What stands here was computed from the
files themselves (``config.yaml``, ``tokens.txt``) or is published alike by several independent
users of the large model (``model.pt``, ``configuration.json``). An empty pin says that we do not
know: such a file is checked against what the hub says of it, and the record tells which it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

from emoscope.errors import SettingError

HubName: TypeAlias = Literal["hf", "ms"]

WEIGHTS = "model.pt"
SAFETENSORS = "model.safetensors"
"""What some publish in place of ``WEIGHTS``; the official hubs do not."""
TOKENS = "tokens.txt"
CONFIG = "config.yaml"
OFFICIAL_FILES = (CONFIG, TOKENS, "configuration.json", WEIGHTS)
"""In the order of fetching: the small ones first, so that a hub that fails does so early."""
NEEDED_FILES = (CONFIG, TOKENS, WEIGHTS)
"""Those without which there is no conversion."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Hub: a site that serves files of public repositories over HTTP."""

    title: str
    endpoint: str
    """The public address; no slash at the end."""
    variable: str
    """Environment variable that names a mirror instead."""
    prefix: str
    """Between the endpoint and the repository."""


HUBS: Mapping[HubName, Hub] = {
    "hf": Hub("Hugging Face", "https://huggingface.co", "HF_ENDPOINT", ""),
    "ms": Hub("ModelScope", "https://www.modelscope.cn", "EMOSCOPE_MODELSCOPE_ENDPOINT", "models/"),
}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """File of a repository, with its expected size and sha256."""

    path: str
    bytes: int = 0
    """0 where it is not known."""
    sha256: str = ""
    """Empty where it is not known."""
    revision: str = ""
    """Only where it differs from the repository's pin."""


@dataclass(frozen=True, slots=True)
class HubSource:
    """Repository on a hub at one revision."""

    hub: HubName
    repo: str
    revision: str
    files: tuple[RemoteFile, ...]

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is one that cannot move."""
        return self.revision not in _MOVING

    def revision_of(self, file: RemoteFile) -> str:
        """The revision at which one file is fetched."""
        return file.revision or self.revision

    def url(self, file: RemoteFile, environment: Mapping[str, str] = os.environ) -> str:
        """Address of one file.

        Raises:
            SettingError: the mirror in the environment is not an http(s) address.
        """
        base = f"{endpoint(self.hub, environment)}/{HUBS[self.hub].prefix}{self.repo}"
        return f"{base}/resolve/{quote(self.revision_of(file), safe='')}/{quote(file.path)}"

    def listing_url(self, environment: Mapping[str, str] = os.environ) -> str:
        """Address of ModelScope's list of files with their sizes and sha256."""
        base = endpoint(self.hub, environment)
        revision = quote(self.revision, safe="")
        return f"{base}/api/v1/models/{self.repo}/repo/files?Revision={revision}&Recursive=true"


def endpoint(hub: HubName, environment: Mapping[str, str] = os.environ) -> str:
    """Address of a hub or of the mirror that the environment names, without a slash at the end.

    Raises:
        SettingError: it is not an http(s) address.
    """
    given = environment.get(HUBS[hub].variable, "").strip()
    parts = urlsplit(given or HUBS[hub].endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError("setting_invalid", setting=HUBS[hub].variable, reason="http(s)://…")
    return parts.geturl().rstrip("/")


def official(name: str) -> tuple[HubSource, ...]:
    """The two places of ``emotion2vec_plus_<name>``, with every pin that is known."""
    if name == "large":
        return _LARGE
    repo = f"emotion2vec_plus_{name}"
    files = tuple(RemoteFile(path) for path in OFFICIAL_FILES)
    return (
        HubSource("hf", f"emotion2vec/{repo}", "main", files),
        HubSource("ms", f"iic/{repo}", "master", files),
    )


_MOVING = ("main", "master")
_LARGE_CONFIG = RemoteFile(
    "config.yaml", 5552, "f4fa0eb82cc78bfebb43c56d68791afb01788085a18897d20999af7bc45d51d3"
)
_LARGE_WEIGHTS = RemoteFile(
    WEIGHTS, 1_945_790_254, "be501a01f26fcdc7663a062dff86af839afbaef7c4de32f5e42d7e1ad2784da4"
)
_NINE_TOKENS = (TOKENS, 119, "866121e470057b847d7a50e9923509141fb2924392f53385a186482a1ec0fb7f")
_LARGE = (
    HubSource(
        "hf",
        "emotion2vec/emotion2vec_plus_large",
        "6c303ba987b86b93193de93e34bb2b077a6bedc4",
        (
            _LARGE_CONFIG,
            RemoteFile(*_NINE_TOKENS),
            RemoteFile("configuration.json"),
            _LARGE_WEIGHTS,
        ),
    ),
    HubSource(
        "ms",
        "iic/emotion2vec_plus_large",
        "v2.0.5",
        (
            _LARGE_CONFIG,
            # At v2.0.5 this file is the 90-byte one that hides four classes; the whole one is here.
            RemoteFile(*_NINE_TOKENS, revision="767b2e00f04e0b75b5408c73be0d666328808af5"),
            RemoteFile(
                "configuration.json",
                343,
                "8b6a745213025c7d4565f9f074cfef1b5cd5ef76e38e2a8f7f8a3db271e735b2",
            ),
            _LARGE_WEIGHTS,
        ),
    ),
)
