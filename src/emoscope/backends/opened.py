"""Opened model: a model file that was found, checked and loaded."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

from emoscope.backends.base import Backend
from emoscope.backends.choice import gains_by_rounding, open_backend
from emoscope.backends.model_files import local_model
from emoscope.hub.progress import PullListener
from emoscope.models import variants
from emoscope.models.catalog import ModelCard, Origin
from emoscope.paths.choices import BackendName, DeviceChoice, Precision, renamed_precision
from emoscope.results.agreement import AgreementThresholds
from emoscope.results.result import ModelRef


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model that is ready to run."""

    backend: Backend
    reference: ModelRef
    card: ModelCard | None
    origin: Origin
    load_s: float
    """Seconds that checking and loading took."""


def open_model_files(
    model: str | os.PathLike[str],
    *,
    backend: BackendName,
    precision: Precision,
    agreement_thresholds: AgreementThresholds,
    threads: int,
    device: DeviceChoice,
    listener: PullListener,
) -> OpenedModel:
    """Find, check and load a model that is on this machine.

    Args:
        model: ``auto``, a name of the catalog, or a folder.
        backend: library that runs it.
        precision: which variant of it.
        agreement_thresholds: agreement with the exact model that a variant needs to be used.
        threads: threads of one inference; 0 for the backend's choice.
        device: what computes.
        listener: called before official files are converted.

    Raises:
        ModelError: the model, or the variant, or the device cannot be used.
        ExtraMissingError: the backend's library is not installed, or what converts official files.
    """
    started_s = time.perf_counter()
    local, precision = local_model(model, listener), renamed_precision(precision)
    if precision == "auto" and not gains_by_rounding(backend, device):
        precision = "exact"
    path, reference = variants.verified(local, precision, agreement_thresholds)
    opened = open_backend(backend, path, threads, device)
    reference = replace(reference, device=opened.device)
    load_s = time.perf_counter() - started_s
    return OpenedModel(opened, reference, local.card, local.origin, load_s)
