"""Options of a batch, and of the model that every worker loads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from emoscope.limits import COMMAND_LINE, Limits
from emoscope.paths.choices import (
    BackendName,
    DeviceChoice,
    EmbeddingChoice,
    Granularity,
    Precision,
)
from emoscope.recognizer import Recognizer, load
from emoscope.results.abstention import ABSTENTION_THRESHOLDS, AbstentionThresholds
from emoscope.results.agreement import AGREEMENT_THRESHOLDS, AgreementThresholds
from emoscope.results.utterances import UtteranceRules


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What is written of each recording."""

    granularity: Granularity = "utterance"
    """``frame`` writes the rows of 20 ms as well."""
    embedding: EmbeddingChoice = "mean"
    segments: bool = False
    """Write the segments of the emotion curve."""
    utterances: UtteranceRules | None = None
    """Recognize and write each utterance between pauses; None for none."""
    dedupe: bool = False
    """Recognize recordings of the same bytes once in each worker."""

    @property
    def needs_track(self) -> bool:
        """Whether the recordings need their time axis."""
        return self.segments or self.writes_frames

    @property
    def writes_frames(self) -> bool:
        """Whether there are rows of 20 ms."""
        return self.granularity == "frame" or self.embedding == "frames"

    def to_dict(self) -> dict[str, Any]:
        """What the manifest keeps."""
        return asdict(self)


class RecognizerSource(Protocol):
    """What loads the recognizer of a worker. Can be pickled."""

    def open(self) -> Recognizer:
        """Load it.

        Raises:
            ModelError: it cannot be loaded.
        """


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model of this machine and how it is run; each worker loads it for itself."""

    model: str = "auto"
    """Name, folder, or ``auto``."""
    backend: BackendName = "onnxruntime"
    precision: Precision = "exact"
    threads: int = 1
    """Threads of one inference; 0 for one per core."""
    device: DeviceChoice = "cpu"
    heads: tuple[str, ...] = ()
    limits: Limits = COMMAND_LINE
    thresholds: AbstentionThresholds = ABSTENTION_THRESHOLDS
    agreement_thresholds: AgreementThresholds = AGREEMENT_THRESHOLDS

    def open(self) -> Recognizer:
        """Load the model and its heads.

        Raises:
            ModelError: it cannot be loaded.
            HeadError: a head is unknown, damaged, or of another model.
            ExtraMissingError: its backend's library is not installed.
        """
        return load(
            self.model,
            backend=self.backend,
            precision=self.precision,
            agreement_thresholds=self.agreement_thresholds,
            threads=self.threads,
            device=self.device,
            limits=self.limits,
            thresholds=self.thresholds,
        ).configured(heads=self.heads, sequential=self.threads == 1)
