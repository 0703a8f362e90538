"""Replies of ``/v1`` and of health checks: what is sent, and its schema in the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from emoscope.models.head_file import HeadKind
from emoscope.outputs.history import RunEntry
from emoscope.results.heads import HeadLabel
from emoscope.results.json_type import EmotionKey
from emoscope.results.result import ModelRef
from emoscope.results.samples import Sample
from emoscope.results.segments import Segment
from emoscope.server.http.schemas import Exact, PredictReply, Problem


class LiveReply(Exact):
    """The process answers."""

    status: Literal["live"]


class ReadyReply(Exact):
    """The server takes work."""

    status: Literal["ready"]
    working: int = Field(description="requests in work")
    waiting: int = Field(description="requests that wait")


class VersionReply(Exact):
    """Which version of what runs here."""

    emoscope: str
    commit: str | None = Field(description="of the build; null where it is not known")
    python: str


class FailedReply(Exact):
    """One of several recordings that could not be recognized."""

    name: str
    problem: Problem


class RecognitionsReply(Exact):
    """An answer for each recording, in order."""

    recognitions: list[PredictReply | FailedReply]


class ListReply(Exact):
    """A page of the list of runs, newest first."""

    recognitions: list[RunEntry]
    total: int
    next: int | None


class CorrectionsReply(Exact):
    """The segments of a run as they are shown now."""

    run: str
    corrected: bool
    segments: list[Segment]


class CatalogueReply(Exact):
    """A model that is known."""

    name: str
    title_zh: str
    title_en: str
    dim: int = Field(description="numbers per frame of an embedding")
    licence: str
    installed: bool
    loaded: bool


class ModelsReply(Exact):
    """The model that answers, and those that are known."""

    loaded: ModelRef
    models: list[CatalogueReply]


class HeadReply(Exact):
    """A head with classes of its own, or one of corrections."""

    name: str
    kind: HeadKind
    sha256: str
    labels: list[HeadLabel]
    model: str
    usable: bool = Field(description="trained on the model that is loaded")
    uar: list[float] | None = Field(description="cross-validated: value, and 95 % interval")


class HeadsReply(Exact):
    """The heads on this machine."""

    heads: list[HeadReply]


class EmotionReply(Exact):
    """One of the nine."""

    index: int
    key: EmotionKey
    zh: str
    en: str
    emoji: str
    colour: str


class EmotionsReply(Exact):
    """The nine emotions."""

    emotions: list[EmotionReply]


class SamplesReply(Exact):
    """The sample recordings of the package."""

    samples: list[Sample]
